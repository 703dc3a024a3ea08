"""Containers of a task: what they see of each other and of the machine, and when they start, restart and end."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import processes
from sandbox.atlantis import bubblewrap, image_tools
from sandbox.atlantis.container import TaskNetwork, TaskParts, prepare
from sandbox.atlantis.container_definition import (
    Condition,
    ContainerDefinition,
    Dependency,
    HealthCheck,
    MountPoint,
    RestartPolicy,
    TaskDefinition,
    capabilities,
)
from sandbox.atlantis.health import Health, HealthMonitor
from sandbox.atlantis.running_container import RunningContainer, process_name, stop_leftovers
from sandbox.atlantis.task import Task
from sandbox.atlantis.volumes import own_volumes
from sandbox.paths import CHECKOUT, private_directory
from tests.needs import needs_containers
from tests.sandbox.atlantis.conftest import eventually

contained = needs_containers()
each_mode = pytest.mark.parametrize("in_containers", [False, pytest.param(True, marks=contained)])

_SLEEP = "echo began; exec sleep 60"


class _Logs:
    """CloudWatch Logs, where only the number of lines matters."""

    def put_log_events(self, **batch: Any) -> None:
        assert batch["logEvents"]


def _container(name: str, script: str = _SLEEP, **values: Any) -> ContainerDefinition:
    port = 4141 if name == "server" else None
    given: dict[str, Any] = {"entry_point": ["/bin/sh", "-c"], "command": [script], "port": port, "stop_seconds": 0.3}
    return ContainerDefinition(name, "image", {}, **{**given, **values})


class Ground:
    """A folder with the parts of tasks, and the tasks that a test has made in it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._image, self._tools = private_directory(state / "image"), private_directory(state / "tools")
        image_tools.write_tools(self._tools)
        image_tools.write_image(self._image, Path("/bin/true"))
        (state / "trusted.pem").touch()
        self._tasks: list[Task] = []

    def task(self, *containers: ContainerDefinition, in_containers: bool = True, name: str = "task") -> Task:
        """A task that hasn't started anything yet; a volume is on its disk. The first container is its server."""
        own: dict[str, Any] = dict.fromkeys(point.volume for item in containers for point in item.mounts)
        definition = TaskDefinition("arn", "X86_64", "execution", "task", own, containers)
        root = private_directory(self.state / "tasks" / name)
        nowhere = "http://127.0.0.1:1"
        parts = TaskParts(
            definition,
            volumes=own_volumes(definition, root / "volumes"),
            network=TaskNetwork(nowhere, "ap-northeast-2", nowhere, self.state / "trusted.pem"),
            credentials_url=f"{nowhere}/credentials",
            agent_url=nowhere,
            database={},
            port=4141,
            image=self._image,
            tools=self._tools,
            contained=in_containers,
        )
        running = [
            RunningContainer(
                self.state,
                process_name(name, item.name, "server"),
                prepare(parts, item, {}, private_directory(root / "containers" / item.name)),
                _Logs(),
                ("group", "stream"),
            )
            for item in containers
        ]
        healthy = HealthMonitor(HealthCheck([]), lambda _seconds: None)
        task = Task(name, None, definition, running, 4141, None, healthy, root, contextlib.ExitStack())  # type: ignore[arg-type]
        self._tasks.append(task)
        return task

    def log(self, name: str) -> str:
        """What the process ``name`` has written."""
        file = self.state / "logs" / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def says(self, script: str, **values: Any) -> str:
        """The whole output of ``script`` as the server's container."""
        task = self.task(_container("server", f"{script}\necho the end", **values))
        task.tick()
        return str(eventually("its end", lambda: "the end" in self.log("task") and self.log("task")))

    def stop(self) -> None:
        """Stop every task."""
        for task in self._tasks:
            task.stop()
        assert processes.recorded(self.state) == []


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.stop()


def _process(task: Task, name: str) -> processes.Process:
    found = next(container.process for container in task.containers if container.definition.name == name)
    assert found is not None
    return found


@contained
def test_a_container_is_process_1_of_its_own_processes_as_its_user(ground: Ground) -> None:
    said = ground.says("echo $$ $(id -u):$(id -g) $(id -G); ls -d /proc/[0-9]* | wc -l; umask", user="100:1000")
    pid, processes_seen, umask = said.splitlines()[:3]
    assert (pid, umask) == ("1 100:1000 1000", "0022")
    assert int(processes_seen) <= 4


@contained
@pytest.mark.parametrize(
    ("user", "dropped", "kept"),
    [("0", ["ALL"], 0), ("0", ["CHOWN", "MKNOD"], None), ("100:1000", [], 0)],
)
def test_a_process_has_the_capabilities_that_its_definition_leaves(
    ground: Ground, user: str, dropped: list[str], kept: int | None
) -> None:
    left = capabilities([], dropped)
    said = ground.says("grep CapEff /proc/self/status; touch f; chown 7 f", user=user, capabilities=left)
    effective = int(said.split()[1], 16)
    # CHOWN is the capability 0, MKNOD is 27, KILL is 5.
    assert (effective if kept is not None else effective & (1 << 0 | 1 << 27 | 1 << 5)) == (
        1 << 5 if kept is None else 0
    )
    assert "Operation not permitted" in said


@contained
def test_a_container_sees_nothing_of_the_machine_but_its_programs(ground: Ground) -> None:
    paths = [
        str(CHECKOUT),
        str(ground.state),
        str(Path.home() / ".aws"),
        "/etc/shadow",
        "/etc/ssh",
        "/var/lib",
        "/sys/fs",
    ]
    said = ground.says(f"ls -d {' '.join(paths)} 2>/dev/null; ls -d /usr/bin /home/atlantis; ls /tmp /home", user="0")
    found = ["/home/atlantis", "/usr/bin", "/home:", "atlantis", "", "/tmp:", "the end"]  # noqa: S108 - output of ls
    assert said.splitlines() == found


@contained
def test_a_read_only_root_leaves_only_the_volumes_writable(ground: Ground) -> None:
    script = """
    for place in / /tmp /home/atlantis /etc /usr/local/bin /run /data; do
      touch $place/file 2>/dev/null && echo "$place"
    done
    """
    mounts = (MountPoint("/data", "data"),)
    assert ground.says(script, user="0", mounts=mounts, read_only_root=True) == "/data\nthe end\n"


@contained
def test_a_writable_root_is_writable_where_the_user_may_write(ground: Ground) -> None:
    script = "for place in / /tmp /home/atlantis /etc; do touch $place/file 2>/dev/null && echo $place; done"
    assert ground.says(script, user="100:1000").split() == ["/tmp", "/home/atlantis", "the", "end"]  # noqa: S108


@contained
def test_containers_share_a_volume_at_their_own_paths(ground: Ground) -> None:
    read = "until [ -e /in/word ]; do sleep 0.05; done; cat /in/word; touch /in/mine || echo refused; exec sleep 60"
    task = ground.task(
        _container("server", "echo hello >/out/word; exec sleep 60", user="0", mounts=(MountPoint("/out", "v"),)),
        _container("reader", read, user="0", mounts=(MountPoint("/in", "v", read_only=True),)),
    )
    task.tick()
    said = str(eventually("the word", lambda: "refused" in ground.log("task.reader") and ground.log("task.reader")))
    assert said.splitlines()[0] == "hello"
    assert "Read-only file system" in said
    task.stop()
    assert not (ground.state / "tasks" / "task").exists()


@contained
def test_a_container_can_not_signal_the_processes_of_another(ground: Ground) -> None:
    task = ground.task(_container("server", user="0"), _container("beside", "kill -9 -1; echo survived", user="0"))
    task.tick()
    eventually("its end", lambda: "survived" in ground.log("task.beside"))
    assert task.failure() is not None
    assert _process(task, "server").alive


@contained
def test_a_health_check_runs_in_the_container_with_its_environment(ground: Ground) -> None:
    check = HealthCheck(["CMD-SHELL", 'test "$(cat /tmp/is)" = "$WANTED" && id -u'], interval=0.05, retries=1)
    script = "echo ready >/tmp/is; exec sleep 60"
    task = ground.task(_container("server", script, user="100", environment={"WANTED": "ready"}, health_check=check))
    assert eventually("health", lambda: task.tick() is Health.HEALTHY)
    Path(f"/proc/{_process(task, 'server').pid}/root/tmp/is").write_text("broken")
    assert eventually("the failure", lambda: task.tick() is Health.UNHEALTHY)
    failure = task.failure()
    assert failure is not None
    assert failure.reason == "it is unhealthy"


@contained
@pytest.mark.parametrize("user", ["0", "100:1000"])
def test_a_container_ends_with_what_started_it_even_if_that_is_killed(tmp_path: Path, user: str) -> None:
    script = f"""
from pathlib import Path
from tests.sandbox.atlantis.test_containers import Ground, _container
task = Ground(Path({str(tmp_path)!r})).task(_container("server", "sleep 70 & exec sleep 60", user={user!r}))
task.tick()
print(task.server.process.pid, flush=True)
task.server.process.alive and __import__("time").sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        started = processes.start_time(pid)
        assert started is not None
        starter.send_signal(signal.SIGKILL)
    eventually("its end", lambda: processes.start_time(pid) != started, seconds=5)


@contained
def test_a_container_that_ignores_sigterm_is_killed_with_its_children_after_its_timeout(ground: Ground) -> None:
    task = ground.task(_container("server", "trap '' TERM; sleep 71 & echo ready; wait"))
    task.tick()
    eventually("its start", lambda: "ready" in ground.log("task"))
    process = _process(task, "server")
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    task.stop()
    assert (process.alive, processes.start_time(int(child))) == (False, None)


@contained
def test_a_program_that_the_image_has_not_is_an_error_of_the_task(ground: Ground) -> None:
    task = ground.task(_container("server", entry_point=["no-such-program"], command=[]))
    task.tick()
    failure = eventually("its end", task.failure)
    assert "no-such-program" in failure.problems[0]


@each_mode
def test_containers_start_and_stop_in_the_order_of_their_dependencies(ground: Ground, in_containers: bool) -> None:
    def waits(on: str, condition: Condition) -> dict[str, Any]:
        return {"dependencies": (Dependency(on, condition),)}

    stops = "echo began; trap 'sleep 0.3; echo ended; exit 0' TERM; while :; do sleep 0.05; done"
    task = ground.task(
        _container("server", stops, stop_seconds=10, **waits("once", Condition.SUCCESS)),
        _container("once", "sleep 0.2; exit 0", essential=False, **waits("base", Condition.START)),
        _container("base", "trap 'exit 0' TERM; while :; do sleep 0.05; done", essential=False),
        in_containers=in_containers,
    )
    assert task.tick() is Health.UNKNOWN
    assert task.server.process is None
    assert eventually("health", lambda: task.tick() is Health.HEALTHY)
    eventually("the server", lambda: "began" in ground.log("task"))
    base = _process(task, "base")
    task.server.stop()
    assert (base.alive, "ended" in ground.log("task")) == (True, True)


@each_mode
@pytest.mark.parametrize(
    ("script", "condition", "said"),
    [
        ("echo broken; exit 3", Condition.SUCCESS, "waits until first is SUCCESS, but it ended: broken"),
        ("exec sleep 60", Condition.COMPLETE, "which took longer than its start timeout of 0.2 s"),
    ],
)
def test_a_dependency_that_can_not_be_met_stops_the_task(
    ground: Ground, in_containers: bool, script: str, condition: Condition, said: str
) -> None:
    task = ground.task(
        _container("server", dependencies=(Dependency("first", condition),)),
        _container("first", script, essential=False, start_seconds=0.2),
        in_containers=in_containers,
    )

    def failure() -> Any:
        task.tick()
        return task.failure()

    assert said in eventually("the failure", failure).problems[0]


@each_mode
def test_the_task_fails_when_an_essential_container_ends_and_only_then(ground: Ground, in_containers: bool) -> None:
    ends = "echo out of luck; exit 4"
    lasting = ground.task(
        _container("server"), _container("beside", ends, essential=False), in_containers=in_containers
    )
    lasting.tick()
    eventually("its end", lambda: not _process(lasting, "beside").alive)
    assert lasting.failure() is None
    failing = ground.task(_container("server"), _container("beside", ends), in_containers=in_containers, name="other")
    failing.tick()
    failure = eventually("the failure", failing.failure)
    assert failure.problems == ["the container beside, which is essential, ended: out of luck"]


@each_mode
@pytest.mark.parametrize(
    ("policy", "runs"),
    [(RestartPolicy(0.0), 2), (None, 1), (RestartPolicy(0.0, frozenset({7})), 1), (RestartPolicy(60.0), 1)],
)
def test_a_container_is_started_again_when_its_policy_says_so(
    ground: Ground, in_containers: bool, policy: RestartPolicy | None, runs: int
) -> None:
    once = "echo began; sleep 0.3; exit 7"
    beside = _container("beside", once, essential=False, restart=policy)
    task = ground.task(_container("server"), beside, in_containers=in_containers)
    task.tick()
    eventually("its end", lambda: "began" in ground.log("task.beside") and not _process(task, "beside").alive)
    task.tick()
    eventually("what its policy says", lambda: ground.log("task.beside").count("began") == runs, seconds=5)


@each_mode
def test_what_an_agent_left_running_beside_a_task_is_stopped(ground: Ground, in_containers: bool) -> None:
    for name in ("task", "task-2"):
        ground.task(_container("server"), _container("beside"), in_containers=in_containers, name=name).tick()
    stop_leftovers(ground.state, "task")
    assert [process.name for process in processes.recorded(ground.state)] == ["task", "task-2", "task-2.beside"]


def _without_programs(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PATH", "/nowhere")


def _another_user(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    patch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda patch: patch.setattr(sys, "platform", "darwin"), "containers need Linux"),
        (_without_programs, "has no bwrap: install it"),
        (_another_user, "only root can start processes of several users"),
    ],
)
def test_a_machine_without_containers_says_why(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None], said: str
) -> None:
    change(monkeypatch)
    assert said in bubblewrap.why_not.__wrapped__()
