"""The memory limits of a task and of its containers, which the kernel enforces on control groups of their processes."""

import functools
import hashlib
import os
import time
from pathlib import Path

__all__ = ["ControlGroup", "why_not"]

_ROOT = Path("/sys/fs/cgroup")
_FOLDER = "atlantis-sandbox"
_REMOVE_SECONDS = 5.0


class ControlGroup:
    """The control group of one task, of version 1 or 2, with a group for each container.

    ``name`` is unique in the folder ``state``. Without ``memory_mib``, the task isn't limited.
    """

    def __init__(self, state: Path, name: str, memory_mib: int | None) -> None:
        self._path: Path | None = None
        if why_not():
            return
        unique = f"{hashlib.sha256(str(state).encode()).hexdigest()[:8]}-{name}"
        self._path = _memory_root() / _FOLDER / unique
        for parent in (self._path.parent, self._path):
            parent.mkdir(exist_ok=True)
            if _is_unified():
                (parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        _limit(self._path, memory_mib)

    def enter(self, container: str, memory_mib: int | None) -> list[str]:
        """The words in front of a command that run it in the group of ``container``; none on a machine without groups."""
        if self._path is None:
            return []
        group = self._path / container
        group.mkdir(exist_ok=True)
        _limit(group, memory_mib)
        script = 'echo $$ >"$1/cgroup.procs" || exit 1; shift; exec "$@"'
        return ["/bin/sh", "-c", script, "group", str(group)]

    def peak_mib(self) -> float | None:
        """The most memory that the task has used so far; None on a machine without groups."""
        if self._path is None:
            return None
        name = "memory.peak" if _is_unified() else "memory.max_usage_in_bytes"
        return int((self._path / name).read_text(encoding="ascii")) / (1 << 20)

    def remove(self) -> None:
        """Remove the groups, whose processes have been killed."""
        if self._path is None or not self._path.exists():
            return
        for group in [*(path for path in self._path.iterdir() if path.is_dir()), self._path]:
            deadline = time.monotonic() + _REMOVE_SECONDS
            while group.exists():
                try:
                    group.rmdir()
                except OSError:
                    # The kernel still removes its last process.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)


@functools.cache
def why_not() -> str:
    """Why the memory of tasks isn't limited on this machine; empty if it is."""
    if os.geteuid() != 0:
        return "only root can make control groups"
    if _is_unified() and "memory" not in (_ROOT / "cgroup.subtree_control").read_text(encoding="ascii").split():
        return "this machine's control groups have no memory"
    trial = _memory_root() / f"{_FOLDER}-{os.getpid()}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError as problem:
        return f"this machine lets no one make control groups ({problem})"
    return ""


def _memory_root() -> Path:
    return _ROOT if _is_unified() else _ROOT / "memory"


def _limit(group: Path, memory_mib: int | None) -> None:
    limits = (
        {"memory.max": memory_mib, "memory.swap.max": 0} if _is_unified() else {"memory.limit_in_bytes": memory_mib}
    )
    for name, mib in limits.items():
        # A kernel without swap accounting has no such file.
        if memory_mib and mib is not None and (group / name).exists():
            (group / name).write_text(str(mib << 20), encoding="ascii")


def _is_unified() -> bool:
    return (_ROOT / "cgroup.subtree_control").exists()
