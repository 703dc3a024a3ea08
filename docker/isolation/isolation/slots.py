"""The places of a worker: how many commands run at once, counted by locks that end with the processes that hold them."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FullError", "Slots"]


class FullError(Exception):
    """The worker takes no command now; the message says why."""


class Slots:
    """`count` places, as files in `folder`."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self.count = folder, count

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Take a place for a command; raises `FullError` if all are taken."""
        with self._examined() as taken:
            free = next((number for number in range(self.count) if number not in taken), None)
            if free is None:
                raise FullError(f"{self.count} commands run on this worker already")
            place = self._locked(str(free))
        try:
            yield
        finally:
            if place is not None:
                os.close(place)

    def taken(self) -> int:
        """How many commands run."""
        with self._examined() as taken:
            return len(taken)

    @contextlib.contextmanager
    def _examined(self) -> Iterator[set[int]]:
        """The numbers of the places that are taken; nobody else looks or takes one meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self._folder / "all", "w", encoding="ascii") as guard:  # noqa: PTH123
            fcntl.flock(guard, fcntl.LOCK_EX)
            taken = set()
            for number in range(self.count):
                if (place := self._locked(str(number))) is None:
                    taken.add(number)
                else:
                    os.close(place)
            yield taken

    def _locked(self, name: str) -> int | None:
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor
