"""Replaces the remote module sources of a copied repository with what `terraform init` has cached on this machine.

The sandbox' task reaches no module registry and no other git host. Terraform keeps the modules of a working directory in
`.terraform/modules`, which is not committed. They are copied next to the configuration, and the copy refers to them by a
relative path.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.testbed.errors import SandboxError

_BLOCK = re.compile(
    r'^(?P<indent>[ \t]*)module\s+"(?P<name>[^"]+)"\s*\{(?P<body>.*?)^(?P=indent)\}', re.MULTILINE | re.DOTALL
)
_SOURCE = re.compile(r'^(?P<before>\s*source\s*=\s*)"(?P<source>[^"]+)"', re.MULTILINE)
_VERSION = re.compile(r'^\s*version\s*=\s*"[^"]*"[^\n]*\n', re.MULTILINE)
_CACHE = ".terraform/modules"
_COPIES = ".rehearsed/modules"
"""Below a folder `modules` without a configuration above it, Atlantis finds no projects."""


@dataclass(frozen=True)
class ModuleCall:
    """A ``module`` block: its file, its name and its source."""

    file: Path
    name: str
    source: str


def calls(directory: Path) -> Iterator[ModuleCall]:
    """The ``module`` blocks of the configuration in ``directory``."""
    for file in sorted(directory.glob("*.tf")):
        for block in _BLOCK.finditer(file.read_text(encoding="utf-8")):
            if source := _SOURCE.search(block["body"]):
                yield ModuleCall(file, block["name"], source["source"])


def resolve(project: Path, original: Path) -> list[str]:
    """Let the configuration in ``project`` use cached modules; ``original`` is the working directory that has the cache.

    Returns the resolved sources. Modules that a cached or local module calls are resolved too.

    Raises:
        SandboxError: a remote module isn't cached. The message has all of them.
    """
    resolver = _Resolver(project, _cached(original))
    resolver.resolve(project, "")
    if resolver.missing:
        lines = "\n".join(f"  module {key}: {source}" for key, source in resolver.missing.items())
        raise SandboxError(
            f"{original} calls modules that the sandbox can't download and that aren't in {_CACHE}:\n{lines}\n"
            f"Run `terraform init` in {original} where the registry can be reached. Or vendor them: copy each module into the "
            'repository, set source = "./modules/<name>", and remove its version'
        )
    return resolver.resolved


def _cached(original: Path) -> dict[str, Path]:
    manifest = original / _CACHE / "modules.json"
    if not manifest.is_file():
        return {}
    modules = json.loads(manifest.read_text(encoding="utf-8"))["Modules"]
    return {entry["Key"]: original / entry["Dir"] for entry in modules}


class _Resolver:
    def __init__(self, project: Path, cached: dict[str, Path]) -> None:
        self._project, self._cached = project, cached
        self._done: set[Path] = set()
        self.resolved: list[str] = []
        self.missing: dict[str, str] = {}

    def resolve(self, directory: Path, prefix: str) -> None:
        """Resolve the modules that ``directory`` calls; ``prefix`` is the path of the call."""
        if directory.resolve() in self._done:
            return
        self._done.add(directory.resolve())
        for call in list(calls(directory)):
            key = f"{prefix}{call.name}"
            # Terraform reads a relative path without a download.
            if call.source.startswith(("./", "../")):
                target = directory / call.source
            elif (origin := self._cached.get(key)) and origin.is_dir():
                target = self._copied(origin, key)
                _point(call, os.path.relpath(target, directory))
                self.resolved.append(f"{key}: {call.source}")
            else:
                self.missing[key] = call.source
                continue
            if target.is_dir():
                self.resolve(target, f"{key}.")

    def _copied(self, origin: Path, key: str) -> Path:
        package = _package(origin, key)
        copy = self._project / _COPIES / key
        if not copy.exists():
            shutil.copytree(package, copy, ignore=shutil.ignore_patterns(".git", ".terraform"))
        return copy / origin.relative_to(package)


def _package(origin: Path, key: str) -> Path:
    """The root of the downloaded package: a source with ``//`` names a folder in it, whose modules refer to others."""
    return next((path for path in (origin, *origin.parents) if path.name == key), origin)


def _point(call: ModuleCall, path: str) -> None:
    """Set the module's source to ``path``, which has no version."""
    relative = path if path.startswith("../") else f"./{path}"
    text = call.file.read_text(encoding="utf-8")

    def changed(block: re.Match[str]) -> str:
        if block["name"] != call.name:
            return block[0]
        body = _SOURCE.sub(lambda found: f'{found["before"]}"{relative}"', block["body"], count=1)
        return block[0].replace(block["body"], _VERSION.sub("", body, count=1))

    call.file.write_text(_BLOCK.sub(changed, text), encoding="utf-8")
