"""The memory limit and the CPU share of a container, which the kernel enforces on a control group of its processes."""

import contextlib
import functools
import hashlib
import os
import time
from pathlib import Path

__all__ = ["ControlGroup", "why_not"]

_ROOT = Path("/sys/fs/cgroup")
_FOLDER = "atlantis-sandbox"
_LEAST_SHARES, _MOST_SHARES, _MOST_WEIGHT = 2, 262_144, 10_000
_REMOVE_SECONDS = 5.0
_FOLDER_SHARE = 8
"""All containers together compete with each single process outside of them. This is how many of these they are worth."""


class ControlGroup:
    """The control group of one container, of version 1 or 2. ``name`` is unique in the folder ``state``."""

    def __init__(self, state: Path, name: str, *, memory_mib: int | None, cpu: int) -> None:
        unique = f"{hashlib.sha256(str(state).encode()).hexdigest()[:8]}-{name}"
        memory = None if memory_mib is None else memory_mib << 20
        # ECS gives a container without CPU units the least share.
        shares = max(cpu, _LEAST_SHARES)
        self._groups: list[Path] = []
        if why_not():
            return
        if _is_unified():
            weight = 1 + (shares - _LEAST_SHARES) * (_MOST_WEIGHT - 1) // (_MOST_SHARES - _LEAST_SHARES)
            limits = {"memory.max": memory, "memory.swap.max": 0 if memory else None, "cpu.weight": weight}
            self._make(_ROOT / _FOLDER, {"cgroup.subtree_control": "+cpu +memory", "cpu.weight": _FOLDER_SHARE * 100})
            self._groups = [self._make(_ROOT / _FOLDER / unique, limits)]
        else:
            self._make(_ROOT / "cpu" / _FOLDER, {"cpu.shares": _FOLDER_SHARE * 1024})
            self._groups = [
                self._make(_ROOT / "memory" / _FOLDER / unique, {"memory.limit_in_bytes": memory}),
                self._make(_ROOT / "cpu" / _FOLDER / unique, {"cpu.shares": shares}),
            ]

    def enter(self) -> list[str]:
        """The words in front of a command that run it in this group; none on a machine without groups."""
        if not self._groups:
            return []
        script = 'for group in $1; do echo $$ >"$group/cgroup.procs" || exit 1; done; shift; exec "$@"'
        return ["/bin/sh", "-c", script, "group", " ".join(map(str, self._groups))]

    def remove(self) -> None:
        """Remove the group, whose processes have been killed."""
        for group in self._groups:
            deadline = time.monotonic() + _REMOVE_SECONDS
            while group.exists():
                try:
                    group.rmdir()
                except OSError:
                    # The kernel still removes its last process.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)

    @staticmethod
    def _make(group: Path, limits: dict[str, object]) -> Path:
        group.mkdir(parents=True, exist_ok=True)
        for name, value in limits.items():
            # A kernel without swap accounting has no such file.
            if value is not None and (group / name).exists():
                (group / name).write_text(str(value), encoding="ascii")
        return group


@functools.cache
def why_not() -> str:
    """Why limits of containers aren't enforced on this machine; empty if they are."""
    if os.geteuid() != 0:
        return "only root can make control groups"
    places = [_ROOT / "memory", _ROOT / "cpu"]
    if _is_unified():
        places = [_ROOT]
        controllers = (_ROOT / "cgroup.subtree_control").read_text(encoding="ascii").split()
        if missing := {"cpu", "memory"} - set(controllers):
            return f"this machine's control groups have no {' and no '.join(sorted(missing))}"
    for place in places:
        trial = place / f"{_FOLDER}-{os.getpid()}"
        try:
            trial.mkdir()
        except OSError as problem:
            return f"this machine lets no one make control groups ({problem})"
        with contextlib.suppress(OSError):
            trial.rmdir()
    return ""


def _is_unified() -> bool:
    return (_ROOT / "cgroup.subtree_control").exists()
