"""Is a plan file what it must be: a plan of the checkout's own configuration, and at apply the one that was planned?"""

import hashlib
import io
import json
import os
import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from isolation.packing import CONFIGURATION, Packed

if TYPE_CHECKING:
    import zipfile

_PLAN, _MODULES, _PREFIX = "tfplan", "tfconfig/modules.json", "tfconfig/m-"
_LARGEST_MEMBER = 64 << 20
_LARGEST_TOTAL = 512 << 20


class PlanFileError(Exception):
    """A plan file isn't accepted; the message says why."""


def digest(content: bytes) -> str:
    """The hash that a plan is recorded and recognised by."""
    return hashlib.sha256(content).hexdigest()


def verify(content: bytes, *, directory: str, packed: Packed | None, opentofu: bool = False) -> None:
    """Raise `PlanFileError` unless `content` is a plan of the configuration in `directory` of the checkout.

    `packed` is the configuration that was sent, not the commit's: git reads the repository's configuration, and files that a
    hook generated aren't in the commit. None compares nothing, for tools that generate configuration. Modules
    from elsewhere, below `.terraform`, aren't in the checkout and aren't compared.
    """
    import zipfile  # noqa: PLC0415 - see `remote`

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise PlanFileError("it has a member twice")
            if sum(member.file_size for member in archive.infolist()) > _LARGEST_TOTAL:
                raise PlanFileError(f"its members have more than {_LARGEST_TOTAL} bytes")
            if _PLAN not in names or _MODULES not in names:
                raise PlanFileError(f"it has no {_PLAN} or no {_MODULES}")
            if packed is not None:
                problem = next(_differences(archive, names, directory, packed, opentofu=opentofu), None)
                if problem:
                    raise PlanFileError(problem)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, KeyError, TypeError) as problem:
        raise PlanFileError(f"it isn't a plan file of Terraform or OpenTofu: {problem}") from problem


def _differences(
    archive: "zipfile.ZipFile", names: list[str], directory: str, packed: Packed, *, opentofu: bool
) -> Iterator[str]:
    modules = {module["Key"]: posixpath.normpath(module["Dir"]) for module in json.loads(_read(archive, _MODULES))}
    if modules.get("") != ".":
        yield f"its root module is {modules.get('')!r}, not the project's directory"
    found: dict[str, set[str]] = {posixpath.normpath(directory): set()}
    for name in names:
        if not name.startswith(_PREFIX):
            continue
        key, _, file = name.removeprefix(_PREFIX).rpartition("/")
        if key not in modules:
            yield f"{name} belongs to no module"
            return
        if modules[key].split("/")[0] == ".terraform":
            continue
        folder = posixpath.normpath(posixpath.join(directory, modules[key]))
        path = posixpath.normpath(posixpath.join(folder, file))
        found.setdefault(folder, set()).add(path)
        if (expected := packed.hash_of(path)) is None:
            yield f"its configuration has {path}, which the checkout doesn't have"
        elif expected != digest(_read(archive, name)):
            yield f"its configuration has another {path} than the checkout"
    for folder, planned in found.items():
        for path in sorted(path for path in packed.hashes if (posixpath.dirname(path) or ".") == folder):
            if (
                path not in planned
                and _is_loaded(path, opentofu=opentofu)
                and not (opentofu and _shadowed(path, packed))
            ):
                yield f"its configuration lacks {path}"


def _is_loaded(path: str, *, opentofu: bool) -> bool:
    """Whether the tool loads the file: it ignores hidden files and those of editors, and Terraform those of OpenTofu."""
    name = posixpath.basename(path)
    hidden = name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#"))
    return not hidden and (opentofu or not name.endswith((".tofu", ".tofu.json")))


def _shadowed(path: str, packed: Packed) -> bool:
    """OpenTofu loads `main.tofu` instead of `main.tf`."""
    return any(
        path.endswith(suffix) and path.removesuffix(suffix) + suffix.replace(".tf", ".tofu", 1) in packed.hashes
        for suffix in CONFIGURATION[:2]
    )


def _read(archive: "zipfile.ZipFile", name: str) -> bytes:
    with archive.open(name) as member:
        content = member.read(_LARGEST_MEMBER + 1)
    if len(content) > _LARGEST_MEMBER:
        raise PlanFileError(f"{os.path.basename(name)} has more than {_LARGEST_MEMBER} bytes")  # noqa: PTH119
    return content
