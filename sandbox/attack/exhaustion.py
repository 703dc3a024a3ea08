"""Attacks of a plan on the memory and the disk of its task.

A stack denies them with `terraformIsolation: containers`.
"""

import re
import shutil

from sandbox.attack.provider import plan_with, said_in
from sandbox.attack.pull_requests import Answered
from sandbox.attack.row import Outcome, Row, SkippedError
from sandbox.attack.target import Target
from sandbox.testbed.containers import control_group

__all__ = ["ROWS"]

_MIB, _GIB = 1 << 20, 1 << 30
# Where nothing limits a plan.
_DISK, _MEMORY = 2 * _GIB, 512 * _MIB
_FILL = """
for number in $(seq {files}); do
  fallocate -l {size} "filler$number" || echo "refused"
done
sleep 5
echo "filled $(du -sm . | cut -f1) MiB"
rm -f filler*
"""
# tail keeps the whole input until it ends.
_ALLOCATE = 'echo "allocated $(head -c {size} /dev/zero | tail -c {size} | wc -c) bytes"'


def _plan_container(target: Target) -> dict[str, object]:
    return next((item for item in target.task_definition["containerDefinitions"] if item["name"] == "plan"), {})


def _largest_copy(target: Target) -> int:
    """What the files of a checkout may have, in bytes."""
    command = _plan_container(target).get("command", [])
    assert isinstance(command, list)  # noqa: S101 - ECS' type
    return int(command[command.index("--largest-copy") + 1]) if command else _DISK


def _filled(target: Target, *, size: int, files: int) -> Answered:
    return target.once(
        f"isolation-disk-{files}",
        lambda: plan_with(target, "isolation-disk", _FILL.format(files=files, size=size)),
    )


def _fills(target: Target) -> Outcome:
    """Fill with files of 1 GiB each, up to 1 GiB more than is allowed."""
    most = _largest_copy(target)
    if shutil.disk_usage(target.deployment.state).free < 2 * most:
        raise SkippedError(f"this machine has less than {2 * most} bytes of free disk")
    answered = _filled(target, size=_GIB, files=most // _GIB + 1)
    return _used(answered, r"filled (\d+) MiB", most // _MIB)


def _allocated(target: Target, size: int) -> Answered:
    return target.once(
        f"isolation-memory-{size}", lambda: plan_with(target, "isolation-memory", _ALLOCATE.format(size=size))
    )


def _allocates(target: Target) -> Outcome:
    memory = _plan_container(target).get("memory")
    size = memory * _MIB * 5 // 4 if isinstance(memory, int) else _MEMORY
    outcome = _used(_allocated(target, size), r"allocated (\d+) bytes", size)
    if outcome.allowed and target.isolated and (reason := control_group.why_not()):
        raise SkippedError(f"limits of containers aren't enforced: {reason}")
    return outcome


def _used(answered: Answered, pattern: str, least: int) -> Outcome:
    said = said_in(answered)
    if said is None:
        return Outcome(False, f"the plan ended: {answered.gist}")
    found = re.search(pattern, said)
    if found is None:
        raise RuntimeError(f"the provider used nothing: {said[:300]}")
    return Outcome(int(found[1]) >= least, found[0])


ROWS = (
    Row(
        name="isolation-disk",
        attack="Fill the task's disk, so that no other command can run",
        tried="a provider binary in the pull request that allocates files of 1 GiB until they are more than is allowed",
        refused_by="the executor, which kills a command whose checkout has more than its share of the disk",
        attempt=_fills,
        control=lambda target: _used(_filled(target, size=_MIB, files=10), r"filled (\d+) MiB", 10),
        isolation=True,
    ),
    Row(
        name="isolation-memory",
        attack="Take the task's memory, so that the kernel kills the server or an apply",
        tried="a provider binary in the pull request that keeps more in memory than its container may have",
        refused_by="the memory limit of the container, within which the kernel kills the command first",
        attempt=_allocates,
        control=lambda target: _used(_allocated(target, 16 * _MIB), r"allocated (\d+) bytes", 16 * _MIB),
        isolation=True,
    ),
)
