"""Attacks of a plan on what others need: the server, its port and memory, a worker's memory, disk and key.

Each goal is attacked in several ways. A stack denies them with `terraformIsolation: tasks`.
"""

import re
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from sandbox.attack.plans import secrets_in, shown_in
from sandbox.attack.provider import plan_with, printed, said_in
from sandbox.attack.pull_requests import HARMLESS, Answered, planned
from sandbox.attack.row import Outcome, SkippedError, row, row_of_one_run, script
from sandbox.attack.target import Target
from sandbox.testbed import processes
from sandbox.testbed.containers import control_group
from sandbox.testbed.local_aws.task_status import StatusFile
from sandbox.testbed.sampling import kibibytes, sampled

_MIB, _GIB = 1 << 20, 1 << 30
# Where nothing limits a plan.
_DISK, _MEMORY = 2 * _GIB, 512 * _MIB
_MOST_GROWTH = 200.0
"""MiB by which the server's memory may grow while a plan sends it whatever it can."""

# tail keeps the whole input until it ends.
_ALLOCATE = 'echo "allocated $(head -c {size} /dev/zero | tail -c {size} | wc -c) bytes"'


def _server_port(target: Target) -> int:
    port = StatusFile(target.deployment.state, target.deployment.name).read().port
    if port is None:
        raise RuntimeError("no server is running")
    return port


def _server_mib(target: Target) -> float:
    """The memory of the processes of the server's container."""
    server = processes.find(target.deployment.state, target.deployment.name)
    members = [server.pid, *processes.descendants(server.pid)] if server else []
    return sum(kibibytes(pid, "status", "VmRSS") for pid in members) / 1024


def _forbidden(target: Target) -> dict[str, tuple[str, int]]:
    """What a plan must not reach, by name."""
    found = {"the server": ("127.0.0.1", _server_port(target))}
    for role in ("plan", "apply"):
        service = target.deployment.sibling(f"-{role}")
        for task in StatusFile(service.state, service.name).read().tasks:
            if task.stopped_at is None:
                found[f"the worker {task.id[:8]} for {role}"] = (task.address, 4142)
    return found


def _connections(target: Target) -> tuple[str, float]:
    """What a plan has reached, and the MiB by which the server has grown meanwhile."""
    aws = int(target.deployment.endpoint.rpartition(":")[2])
    named = {**_forbidden(target), "AWS": ("127.0.0.1", aws)}
    addresses = ", ".join(str((name, *address)) for name, address in named.items())
    body = script("server-reached", addresses=addresses, port=_server_port(target), size=24 * _MIB)
    with sampled(lambda: _server_mib(target), seconds=0.2) as samples:
        said = printed(target, "server-connections", body)
    return said, max(samples) - samples[0]


def _connected(target: Target) -> tuple[str, float]:
    return target.once("server-connections-all", lambda: _connections(target))


def _reached(target: Target, *, wanted: Callable[[str], bool]) -> Outcome:
    found = [name for name in re.findall(r"^reached (.*)$", _connected(target)[0], re.MULTILINE) if wanted(name)]
    return Outcome(bool(found), f"reached {', '.join(found) or 'none of them'}")


def _grown(target: Target) -> Outcome:
    said, grown = _connected(target)
    sent = re.search(r"^sent (\d+) MiB", said, re.MULTILINE)
    return Outcome(grown > _MOST_GROWTH, f"sent {sent[1] if sent else '?'} MiB; the server grew by {grown:.0f} MiB")


def _port_taken(target: Target) -> dict[str, bool]:
    """Whether a plan listens at a port, and whether a connection to that port of the server's task reaches the plan."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ending, reached = threading.Event(), threading.Event()

    def connect() -> None:
        while not ending.wait(0.2):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=3).close()
                reached.set()
            except OSError:
                continue

    with ThreadPoolExecutor(1) as pool:
        pool.submit(connect)
        said = printed(target, "server-port", script("server-port", port=port))
        ending.set()
    return {"own": "listens at its own address" in said, "server's": reached.is_set()}


def _executor(target: Target) -> Mapping[str, object]:
    """The container definition of the workers' executor; empty without workers."""
    if not target.isolated:
        return {}
    service = target.deployment.sibling("-plan")
    described = service.task_definition(service.require_service().definition)
    executor = next(item for item in described["containerDefinitions"] if item["name"] == "executor")
    return {**executor, "memory": int(described["memory"])}


def _largest_copy(target: Target) -> int:
    """What the files of a checkout may have, in bytes."""
    command = _executor(target).get("command", [])
    assert isinstance(command, list)  # noqa: S101 - ECS' type
    return int(command[command.index("--largest-copy") + 1]) if "--largest-copy" in command else _DISK


def _filled(target: Target, name: str, *, size: int, files: int) -> Answered:
    body = script(name, files=files, size=size)
    return target.once(f"{name}-{size}", lambda: plan_with(target, "worker-disk", body))


def _fills(target: Target, name: str) -> Outcome:
    """Fill with files of 1 GiB each, up to 1 GiB more than is allowed."""
    most = _largest_copy(target)
    if shutil.disk_usage(target.deployment.state).free < 2 * most:
        raise SkippedError(f"this machine has less than {2 * most} bytes of free disk")
    return _used(_filled(target, name, size=_GIB, files=most // _GIB + 1), r"filled (\d+) MiB", most // _MIB)


def _fills_little(target: Target, name: str) -> Outcome:
    return _used(_filled(target, name, size=_MIB, files=10), r"filled (\d+) MiB", 10)


def _allocated(target: Target, size: int) -> Answered:
    return target.once(f"memory-{size}", lambda: plan_with(target, "worker-memory", _ALLOCATE.format(size=size)))


def _allocates(target: Target) -> Outcome:
    memory = _executor(target).get("memory")
    size = memory * _MIB * 5 // 4 if isinstance(memory, int) else _MEMORY
    outcome = _used(_allocated(target, size), r"allocated (\d+) bytes", size)
    if outcome.allowed and target.isolated and (reason := control_group.why_not()):
        raise SkippedError(f"the memory of tasks isn't limited: {reason}")
    return outcome


def _used(answered: Answered, pattern: str, least: int) -> Outcome:
    said = said_in(answered)
    if said is None:
        return Outcome(False, f"the plan ended: {answered.gist}")
    found = re.search(pattern, said)
    if found is None:
        raise RuntimeError(f"the provider used nothing: {said[:300]}")
    return Outcome(int(found[1]) >= least, found[0])


def _others(target: Target, name: str, body: str) -> tuple[Answered, list[Answered]]:
    """A plan with ``body``, those of other repositories at the same time, some of them on its worker, and one after it."""

    def other() -> Answered:
        return planned(target, f"{name}-other", {"main.tf": HARMLESS})

    def run() -> tuple[Answered, list[Answered]]:
        with ThreadPoolExecutor() as pool:
            attack = pool.submit(plan_with, target, name, body)
            time.sleep(3)
            found = [each.result() for each in [pool.submit(other) for _ in range(4)]]
            return attack.result(), [*found, other()]

    return target.once(f"{name}-others", run)


def _prevented(target: Target, name: str, body: str) -> Outcome:
    others = _others(target, name, body)[1]
    failed = [each.gist for each in others if not each.planned]
    return Outcome(bool(failed), f"{len(failed)} of {len(others)} plans of other repositories failed {failed[:1]}")


def _filled_memory(target: Target) -> str:
    """A body that takes more memory than a worker has."""
    if reason := control_group.why_not():
        raise SkippedError(f"the memory of tasks isn't limited: {reason}")
    return _ALLOCATE.format(size=int(str(_executor(target)["memory"])) * _MIB * 5 // 4)


def _left(target: Target) -> tuple[str, list[str]]:
    """What a plan has made, and what of it is left in a worker after its end."""
    mark, size = f"left-{secrets.token_hex(6)}", 1_000_000 + secrets.randbelow(1_000_000)
    before = _objects(target)
    said = printed(target, "worker-left", script("worker-left", mark=mark, size=size))
    return said, [" ".join(line.split()) for line in _objects(target) if line not in before]


def _objects(target: Target) -> list[str]:
    """The System V objects, and the files of shared directories, in the container that runs plans."""
    service = target.deployment.sibling("-plan") if target.isolated else target.deployment
    search = "tail -qn +2 /proc/sysvipc/*; find /tmp /var/tmp /dev/shm -name 'left-*'"
    found: list[str] = []
    for process in service.processes():
        if process.name.endswith(".executor") or not target.isolated:
            words = ["nsenter", f"--target={process.pid}", "--mount", "--ipc", "--pid", "/bin/sh", "-c", search]
            found += subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    return found


def _searched(target: Target) -> tuple[Outcome, Outcome]:
    """Whether a plan has found a secret of the task, and whether it has found what it has planted."""
    planted = secrets.token_hex(24)
    said = printed(target, "worker-key", script("worker-key", planted=planted))
    return secrets_in(target, said), shown_in(said, planted)


ROWS = (
    row(
        "server-reached",
        lambda target: _reached(target, wanted=lambda name: name != "AWS"),
        lambda target: _reached(target, wanted=lambda name: name == "AWS"),
    ),
    row("server-memory", _grown, lambda target: _reached(target, wanted=lambda name: name == "AWS")),
    row_of_one_run(
        "server-port",
        _port_taken,
        lambda taken: Outcome(taken["server's"], str(taken)),
        lambda taken: Outcome(taken["own"], str(taken)),
    ),
    *(
        row(
            name,
            lambda target, name=name: _fills(target, name),
            lambda target, name=name: _fills_little(target, name),
        )
        for name in ("worker-disk", "worker-disk-unlinked")
    ),
    row(
        "worker-memory",
        _allocates,
        lambda target: _used(_allocated(target, 16 * _MIB), "allocated (\\d+) bytes", 16 * _MIB),
    ),
    row(
        "others-memory",
        lambda target: _prevented(target, "others-memory", _filled_memory(target)),
        lambda target: _used(_allocated(target, 16 * _MIB), "allocated (\\d+) bytes", 16 * _MIB),
    ),
    row(
        "others-cpu",
        lambda target: _prevented(target, "others-cpu", script("others-cpu")),
        lambda target: shown_in(
            said_in(_others(target, "others-cpu", script("others-cpu"))[0]) or "", "computed in 64"
        ),
    ),
    row_of_one_run(
        "worker-left",
        _left,
        lambda left: Outcome(bool(left[1]), f"left behind: {', '.join(left[1])[:120] or 'nothing'}"),
        lambda left: Outcome("made " in left[0], left[0].replace("\n", ", ")),
    ),
    row_of_one_run(
        "worker-key",
        _searched,
        lambda outcomes: outcomes[0],
        lambda outcomes: outcomes[1],
    ),
)
