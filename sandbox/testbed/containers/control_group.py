"""The memory of a task and of its containers, and the task's share of the CPU, which the kernel enforces on control groups."""

import functools
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_FOLDER = "atlantis-sandbox"
_REMOVE_SECONDS = 5.0
_FOLDER_CPU = 8 * 1024
"""All tasks together compete with each single process outside of them. This is how many of these they are worth, in CPU units."""


class ControlGroup:
    """The control group of one task, of version 1 or 2, with a group for each container.

    ``name`` is unique in the folder ``state``. Without ``memory_mib``, the task's memory isn't limited. ``cpu`` are its units, by
    which busy tasks share the CPU.
    """

    def __init__(self, state: Path, name: str, memory_mib: int | None, cpu: int) -> None:
        self._paths: list[Path] = []
        if why_not():
            return
        unique = f"{hashlib.sha256(str(state).encode()).hexdigest()[:8]}-{name}"
        for root in _roots():
            self._paths.append(root / _FOLDER / unique)
            for parent, units in ((root / _FOLDER, _FOLDER_CPU), (root / _FOLDER / unique, cpu)):
                parent.mkdir(exist_ok=True)
                _write(parent, {"cgroup.subtree_control": "+cpu +memory", **_cpu(units)})
            _write(self._paths[-1], _memory(memory_mib))

    def enter(self, container: str, memory_mib: int | None) -> list[str]:
        """The words in front of a command that run it in the group of ``container``; none on a machine without groups."""
        groups = [path / container for path in self._paths]
        for group in groups:
            group.mkdir(exist_ok=True)
            _write(group, _memory(memory_mib))
        script = 'for group in $1; do echo $$ >"$group/cgroup.procs" || exit 1; done; shift; exec "$@"'
        return ["/bin/sh", "-c", script, "group", " ".join(map(str, groups))] if groups else []

    def remove(self) -> None:
        """Remove the groups, whose processes have been killed."""
        groups = [
            group for path in self._paths for group in (*(each for each in path.iterdir() if each.is_dir()), path)
        ]
        for group in groups:
            deadline = time.monotonic() + _REMOVE_SECONDS
            while group.exists():
                try:
                    group.rmdir()
                except OSError:
                    # The kernel still removes its last process.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
        self._paths = []


@functools.cache
def why_not() -> str:
    """Why the memory and the CPU of tasks aren't limited on this machine; empty if they are."""
    if os.geteuid() != 0:
        return "only root can make control groups"
    if _is_unified():
        controllers = (_ROOT / "cgroup.subtree_control").read_text(encoding="ascii").split()
        if missing := {"cpu", "memory"} - set(controllers):
            return f"this machine's control groups have no {' and no '.join(sorted(missing))}"
    for root in _roots():
        trial = root / f"{_FOLDER}-{os.getpid()}"
        try:
            trial.mkdir()
            trial.rmdir()
        except OSError as problem:
            return f"this machine lets no one make control groups ({problem})"
    return ""


def _roots() -> list[Path]:
    return [_ROOT] if _is_unified() else [_ROOT / "memory", _ROOT / "cpu"]


def _memory(mib: int | None) -> dict[str, str]:
    if mib is None:
        return {}
    return {"memory.max": str(mib << 20), "memory.swap.max": "0", "memory.limit_in_bytes": str(mib << 20)}


def _cpu(units: int) -> dict[str, str]:
    # Of version 2, 100 is what version 1 calls 1024.
    return {"cpu.weight": str(max(1, units * 100 // 1024)), "cpu.shares": str(units)}


def _write(group: Path, values: Mapping[str, str]) -> None:
    """Write the files that the group has: they depend on the version, the controller, and on the kernel's accounting of swap."""
    for name, value in values.items():
        if (group / name).exists():
            (group / name).write_text(value, encoding="ascii")


def _is_unified() -> bool:
    return (_ROOT / "cgroup.subtree_control").exists()
