"""Containers of a task: what they see of each other and of the machine."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.container_definition import HealthCheck, MountPoint, capabilities
from sandbox.testbed.containers.health import Health
from sandbox.testbed.paths import CHECKOUT
from tests.needs import needs_containers
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.containers import ContainerScratch, container, process_of

contained = needs_containers()


@contained
def test_a_container_is_process_1_of_separate_processes_as_its_user(scratch: ContainerScratch) -> None:
    said = scratch.says("echo $$ $(id -u):$(id -g) $(id -G); ls -d /proc/[0-9]* | wc -l; umask", user="100:1000")
    pid, processes_seen, umask = said.splitlines()[:3]
    assert (pid, umask) == ("1 100:1000 1000", "0022")
    assert int(processes_seen) <= 4


@contained
@pytest.mark.parametrize(
    ("user", "dropped", "kept"),
    [("0", ["ALL"], 0), ("0", ["CHOWN", "MKNOD"], None), ("100:1000", [], 0)],
)
def test_a_process_has_the_capabilities_that_its_definition_leaves(
    scratch: ContainerScratch, user: str, dropped: list[str], kept: int | None
) -> None:
    left = capabilities([], dropped)
    said = scratch.says("grep CapEff /proc/self/status; touch f; chown 7 f", user=user, capabilities=left)
    effective = int(said.split()[1], 16)
    # CHOWN is the capability 0, MKNOD is 27, KILL is 5.
    assert (effective if kept is not None else effective & (1 << 0 | 1 << 27 | 1 << 5)) == (
        1 << 5 if kept is None else 0
    )
    assert "Operation not permitted" in said


@contained
def test_a_container_sees_nothing_of_the_machine_but_its_programs(scratch: ContainerScratch) -> None:
    paths = [
        # The checkout itself can have a mirror of Terraform providers, which a container sees.
        *(str(CHECKOUT / name) for name in ("Pulumi.yaml", ".git", ".venv")),
        str(scratch.state),
        str(Path.home() / ".aws"),
        "/etc/shadow",
        "/etc/ssh",
        "/var/lib",
        "/sys/fs",
    ]
    said = scratch.says(f"ls -d {' '.join(paths)} 2>/dev/null; ls -d /usr/bin /home/atlantis; ls /tmp /home", user="0")
    found = ["/home/atlantis", "/usr/bin", "/home:", "atlantis", "", "/tmp:", "the end"]  # noqa: S108 - output of ls
    assert said.splitlines() == found


@contained
def test_a_read_only_root_leaves_only_the_volumes_writable(scratch: ContainerScratch) -> None:
    script = """
    for place in / /tmp /home/atlantis /etc /usr/local/bin /run /data; do
      touch $place/file 2>/dev/null && echo "$place"
    done
    """
    mounts = (MountPoint("/data", "data"),)
    assert scratch.says(script, user="0", mounts=mounts, read_only_root=True) == "/data\nthe end\n"


@contained
def test_a_writable_root_is_writable_where_the_user_may_write(scratch: ContainerScratch) -> None:
    script = "for place in / /tmp /home/atlantis /etc; do touch $place/file 2>/dev/null && echo $place; done"
    assert scratch.says(script, user="100:1000").split() == ["/tmp", "/home/atlantis", "the", "end"]  # noqa: S108


@contained
def test_containers_share_a_volume_at_their_own_paths(scratch: ContainerScratch) -> None:
    read = "until [ -e /in/word ]; do sleep 0.05; done; cat /in/word; touch /in/mine || echo refused; exec sleep 60"
    task = scratch.task(
        container("server", "echo hello >/out/word; exec sleep 60", user="0", mounts=(MountPoint("/out", "v"),)),
        container("reader", read, user="0", mounts=(MountPoint("/in", "v", read_only=True),)),
    )
    task.tick()
    said = str(eventually("the word", lambda: "refused" in scratch.log("task.reader") and scratch.log("task.reader")))
    assert said.splitlines()[0] == "hello"
    assert "Read-only file system" in said
    task.stop()
    assert not (scratch.state / "tasks" / "task").exists()


@contained
def test_a_container_can_not_signal_the_processes_of_another(scratch: ContainerScratch) -> None:
    task = scratch.task(container("server", user="0"), container("sidecar", "kill -9 -1; echo survived", user="0"))
    task.tick()
    eventually("its end", task.failure)
    assert "survived" in scratch.log("task.sidecar")
    assert process_of(task, "server").alive


@contained
def test_a_health_check_runs_in_the_container_with_its_environment(scratch: ContainerScratch) -> None:
    check = HealthCheck(["CMD-SHELL", 'test "$(cat /tmp/is)" = "$WANTED" && id -u'], interval=0.05, retries=1)
    script = "echo ready >/tmp/is; exec sleep 60"
    task = scratch.task(container("server", script, user="100", environment={"WANTED": "ready"}, health_check=check))
    assert eventually("health", lambda: task.tick() is Health.HEALTHY)
    Path(f"/proc/{process_of(task, 'server').pid}/root/tmp/is").write_text("broken")
    assert eventually("the failure", lambda: task.tick() is Health.UNHEALTHY)
    failure = task.failure()
    assert failure is not None
    assert failure.reason == "it is unhealthy"


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
