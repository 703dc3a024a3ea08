"""Places on shared file systems, and who uses the same files."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

Owner = TypeVar("Owner")


class Place(NamedTuple):
    """The target of a volume: a file system (or host path, or NFS export) and a directory in it.

    access_point: the ID of an access point whose directory is unknown, empty otherwise.
    """

    system: str
    directory: str
    access_point: str = ""


class Occupied(Generic[Owner]):
    """Places with their owners, such that finding who shares files with a place doesn't iterate over all of them."""

    def __init__(self) -> None:
        # For each system: the owners of a directory, the owners of a directory below it, and of unknown access points.
        self._at: dict[tuple[str, tuple[str, ...]], list[Owner]] = {}
        self._below: dict[tuple[str, tuple[str, ...]], list[Owner]] = {}
        self._points: dict[tuple[str, str], list[Owner]] = {}
        self._systems: dict[str, list[Owner]] = {}
        self._unknown: dict[str, list[Owner]] = {}

    def add(self, place: Place, owner: Owner) -> None:
        """Note that the owner uses a place."""
        self._systems.setdefault(place.system, []).append(owner)
        if place.access_point:
            self._points.setdefault((place.system, place.access_point), []).append(owner)
            self._unknown.setdefault(place.system, []).append(owner)
            return
        parts = _parts(place.directory)
        self._at.setdefault((place.system, parts), []).append(owner)
        for length in range(len(parts)):
            self._below.setdefault((place.system, parts[:length]), []).append(owner)

    def sharing(self, place: Place, other: Callable[[Owner], bool]) -> Owner | None:
        """The first owner that shares files with a place, of those for which ``other`` is true."""
        if place.access_point:
            return _first(self._points.get((place.system, place.access_point)), other)
        parts = _parts(place.directory)
        above = (self._at.get((place.system, parts[:length])) for length in range(len(parts) + 1))
        for owners in (*above, self._below.get((place.system, parts))):
            found = _first(owners, other)
            if found is not None:
                return found
        return None

    def undecided(self, place: Place, other: Callable[[Owner], bool]) -> bool:
        """Whether somebody may share files with a place, because the directory of an access point is unknown."""
        owners = (self._systems if place.access_point else self._unknown).get(place.system)
        return _first(owners, other) is not None


def _first(owners: list[Owner] | None, wanted: Callable[[Owner], bool]) -> Owner | None:
    return next((owner for owner in owners or () if wanted(owner)), None)


def _parts(directory: str) -> tuple[str, ...]:
    return tuple(part for part in directory.split("/") if part)
