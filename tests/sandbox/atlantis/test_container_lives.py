"""Containers of a task: when they start, restart and end, how, and what they may use."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sandbox.testbed import processes
from sandbox.testbed.containers import control_group, task_disk
from sandbox.testbed.containers.container_definition import Condition, Dependency, MountPoint, RestartPolicy
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.health import Health
from sandbox.testbed.paths import CHECKOUT
from tests.needs import needs_containers
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.containers import ContainerScratch, container, process_of

contained = needs_containers()
each_mode = pytest.mark.parametrize("in_containers", [False, pytest.param(True, marks=contained)])


@contained
@pytest.mark.parametrize("user", ["0", "100:1000"])
def test_a_container_ends_with_what_started_it_even_if_that_is_killed(tmp_path: Path, user: str) -> None:
    script = f"""
from pathlib import Path
from tests.sandbox.atlantis.containers import ContainerScratch, container
task = ContainerScratch(Path({str(tmp_path)!r})).task(container("server", "sleep 900 & echo ready; exec sleep 900", user={user!r}))
task.tick()
print(task.server.process.pid, flush=True)
task.server.process.alive and __import__("time").sleep(60)
"""
    log = tmp_path / "logs" / "task.log"
    with subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        started = processes.start_time(pid)
        assert started is not None
        # While the container starts, its processes don't end with their parents yet.
        eventually("its start", lambda: "ready" in log.read_text())
        starter.send_signal(signal.SIGKILL)
    eventually("its end", lambda: processes.start_time(pid) != started)


@contained
def test_a_container_that_ignores_sigterm_is_killed_with_its_children_after_its_timeout(
    scratch: ContainerScratch,
) -> None:
    task = scratch.task(container("server", "trap '' TERM; sleep 71 & echo ready; wait"))
    task.tick()
    eventually("its start", lambda: "ready" in scratch.log("task"))
    process = process_of(task, "server")
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    task.stop()
    assert (process.alive, processes.start_time(int(child))) == (False, None)


@contained
def test_a_program_that_the_image_has_not_is_an_error_of_the_task(scratch: ContainerScratch) -> None:
    task = scratch.task(container("server", entry_point=["no-such-program"], command=[]))
    task.tick()
    failure = eventually("its end", task.failure)
    assert "no-such-program" in failure.problems[0]


@each_mode
def test_containers_start_and_stop_in_the_order_of_their_dependencies(
    scratch: ContainerScratch, in_containers: bool
) -> None:
    def waits(on: str, condition: Condition) -> dict[str, Any]:
        return {"dependencies": (Dependency(on, condition),)}

    stops = "echo began; trap 'sleep 0.3; echo ended; exit 0' TERM; while :; do sleep 0.05; done"
    task = scratch.task(
        container("server", stops, stop_seconds=10, **waits("once", Condition.SUCCESS)),
        container("once", "sleep 0.2; exit 0", essential=False, **waits("base", Condition.START)),
        container("base", "trap 'exit 0' TERM; while :; do sleep 0.05; done", essential=False),
        in_containers=in_containers,
    )
    assert task.tick() is Health.UNKNOWN
    assert task.server.process is None
    assert eventually("health", lambda: task.tick() is Health.HEALTHY)
    eventually("the server", lambda: "began" in scratch.log("task"))
    base = process_of(task, "base")
    task.server.stop()
    assert (base.alive, "ended" in scratch.log("task")) == (True, True)


@each_mode
@pytest.mark.parametrize(
    ("script", "condition", "said"),
    [
        ("echo broken; exit 3", Condition.SUCCESS, "waits until first is SUCCESS, but it ended: broken"),
        ("exec sleep 60", Condition.COMPLETE, "which took longer than its start timeout of 0.2 s"),
    ],
)
def test_a_dependency_that_can_not_be_met_stops_the_task(
    scratch: ContainerScratch, in_containers: bool, script: str, condition: Condition, said: str
) -> None:
    task = scratch.task(
        container("server", dependencies=(Dependency("first", condition),)),
        container("first", script, essential=False, start_seconds=0.2),
        in_containers=in_containers,
    )

    def failure() -> Any:
        task.tick()
        return task.failure()

    assert said in eventually("the failure", failure).problems[0]


@each_mode
def test_the_task_fails_when_an_essential_container_ends_and_only_then(
    scratch: ContainerScratch, in_containers: bool
) -> None:
    ends = "sleep 0.3; echo out of luck; exit 4"
    lasting = scratch.task(
        container("server"), container("sidecar", ends, essential=False), in_containers=in_containers
    )
    lasting.tick()
    eventually("its end", lambda: not process_of(lasting, "sidecar").alive)
    assert lasting.failure() is None
    failing = scratch.task(container("server"), container("sidecar", ends), in_containers=in_containers, name="other")
    failing.tick()
    failure = eventually("the failure", failing.failure)
    assert failure.problems == ["the container sidecar, which is essential, ended: out of luck"]


@each_mode
@pytest.mark.parametrize(
    ("policy", "runs"),
    [(RestartPolicy(0.0), 2), (None, 1), (RestartPolicy(0.0, frozenset({7})), 1), (RestartPolicy(60.0), 1)],
)
def test_a_container_is_started_again_when_its_policy_says_so(
    scratch: ContainerScratch, in_containers: bool, policy: RestartPolicy | None, runs: int
) -> None:
    once = "echo began; sleep 0.3; exit 7"
    sidecar = container("sidecar", once, essential=False, restart=policy)
    task = scratch.task(container("server"), sidecar, in_containers=in_containers)
    task.tick()
    eventually("its end", lambda: "began" in scratch.log("task.sidecar") and not process_of(task, "sidecar").alive)

    def began() -> bool:
        task.tick()
        return scratch.log("task.sidecar").count("began") == runs

    eventually("what its policy says", began)


@each_mode
def test_what_an_agent_left_running_next_to_a_task_is_stopped(scratch: ContainerScratch, in_containers: bool) -> None:
    for name in ("task", "task-2", "task-plan"):
        scratch.task(container("server"), container("sidecar"), in_containers=in_containers, name=name).tick()
    DeployedService(scratch.state, "", "", "", "task").stop_processes(5)
    assert [process.name for process in processes.recorded(scratch.state)] == ["task-plan", "task-plan.sidecar"]


@contained
@pytest.mark.parametrize(("number", "code"), [(None, 3), (signal.SIGKILL, 137)])
def test_the_exit_code_of_a_killed_container_has_the_number_of_the_signal(
    scratch: ContainerScratch, number: int | None, code: int
) -> None:
    task = scratch.task(container("server", "sleep 60" if number else "exit 3"))
    task.tick()
    server = process_of(task, "server")
    if number:
        # Process 1 ignores the signals of its own container, so the kill comes from the machine, as that of the kernel.
        os.kill(server.pid, number)
    eventually("its end", lambda: processes.exit_code(server) is not None)
    assert processes.exit_code(server) == code


_limited = pytest.mark.skipif(bool(control_group.why_not()), reason=f"no limits: {control_group.why_not()}")


@contained
@_limited
def test_a_container_that_takes_more_memory_than_its_limit_is_killed_and_the_others_go_on(
    scratch: ContainerScratch,
) -> None:
    greedy = "head -c 200M /dev/zero | tail -c 200M | wc -c; echo over"
    task = scratch.task(
        container("server"),
        container("limited", f"{greedy}; exec sleep 60", memory_mib=64, essential=False),
        container("free", f"{greedy}; exec sleep 60", memory_mib=400, essential=False),
    )
    task.tick()
    eventually("the end of both", lambda: all("over" in scratch.log(f"task.{name}") for name in ("limited", "free")))
    assert "209715200" in scratch.log("task.free")
    assert "209715200" not in scratch.log("task.limited")
    assert process_of(task, "server").alive


@contained
@_limited
def test_the_containers_of_a_task_together_have_its_memory(scratch: ContainerScratch) -> None:
    keeps = "head -c 150M /dev/zero | tail -c 150M | (sleep 2; wc -c); echo over; exec sleep 60"
    task = scratch.task(container("server", keeps), container("sidecar", keeps), memory_mib=200)
    task.tick()
    eventually("the end of both", lambda: all("over" in scratch.log(name) for name in ("task", "task.sidecar")))
    kept = [name for name in ("task", "task.sidecar") if "157286400" in scratch.log(name)]
    assert len(kept) <= 1


@contained
@_limited
def test_a_busy_task_gets_the_share_of_the_cpu_that_its_units_give(scratch: ContainerScratch) -> None:
    count = "i=0; trap 'echo counted $i; exit' TERM; while :; do i=$((i+1)); done"
    busy = f'for i in $(seq $(nproc)); do ({count}) & all="$all $!"; done; sleep 2; kill $all; wait; echo over'
    for name, cpu in (("large", 4096), ("small", 512)):
        scratch.task(container("server", busy, essential=False), name=name, cpu=cpu).tick()
    eventually("both", lambda: all("over" in scratch.log(name) for name in ("large", "small")))
    large, small = (sum(map(int, re.findall(r"counted (\d+)", scratch.log(name)))) for name in ("large", "small"))
    assert large > 3 * small > 0


@contained
@pytest.mark.skipif(bool(task_disk.why_not()), reason=f"no limit: {task_disk.why_not()}")
def test_the_containers_of_a_task_together_have_its_disk(scratch: ContainerScratch) -> None:
    fills = """
    exec 3>/data/unlinked.{0}; rm /data/unlinked.{0}
    fallocate -l 600M /proc/self/fd/3; echo over; exec sleep 60
    """
    mounts = (MountPoint("/data", "data"),)
    names = ("server", "sidecar")
    task = scratch.task(*(container(name, fills.format(name), user="0", mounts=mounts) for name in names), disk_gib=1)
    task.tick()
    logs = ("task", "task.sidecar")
    eventually("the end of both", lambda: all("over" in scratch.log(name) for name in logs))
    assert "No space left on device" in "".join(map(scratch.log, logs))
    task.stop()
    assert not (scratch.state / "tasks" / "task").exists()


@contained
def test_a_task_with_a_separate_network_reaches_what_is_named_and_is_reached_at_its_port(
    scratch: ContainerScratch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as named, socket.create_server(("127.0.0.1", 0)) as other:
        asks = "\n".join(
            f"curl -s -m 5 telnet://127.0.0.1:{each.getsockname()[1]} </dev/null; echo {name} $?"
            for name, each in (("named", named), ("other", other))
        )
        task = scratch.task(container("server", f"{asks}\nexec python3 -m http.server 4141"), outward=[named])
        task.tick()
        named.settimeout(10)
        named.accept()[0].close()
        eventually("both answers", lambda: "other" in scratch.log("task"))
        assert re.findall(r"(\w+) (\d+)", scratch.log("task"))[:2] == [("named", "0"), ("other", "7")]
    assert eventually("its port", lambda: _answers(task.address, task.port))
    # No other address leads to it, and it ends with the task.
    assert not _answers("127.0.0.1", task.port)
    task.stop()
    assert not _answers(task.address, task.port)


def _answers(address: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
