"""Parts of the task runner by themselves: the health monitor, mapped paths and ports, the image's tools, the build."""

import json
import os
import shutil
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.atlantis import build, flags, image_tools, locking_database
from sandbox.atlantis.container import TaskNetwork, TaskParts, prepare
from sandbox.testbed.containers.container_definition import (
    ContainerDefinition,
    EfsVolume,
    HealthCheck,
    MountPoint,
    TaskDefinition,
)
from sandbox.testbed.containers.health import Health, HealthMonitor, container_probe
from sandbox.testbed.containers.task_user import TaskUser
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import private_directory
from sandbox.testbed.ports import free_port
from tests.sandbox.harness import Scratch

_DATA = "/home/atlantis/.atlantis"


def _parts(tmp_path: Path, container: ContainerDefinition, *, contained: bool) -> TaskParts:
    tmp_path.joinpath("trusted.pem").touch()
    return TaskParts(
        TaskDefinition("arn", "X86_64", "execution", "task", {"data": EfsVolume("fs-1", None)}, (container,)),
        volumes={"data": tmp_path / "efs"},
        network=TaskNetwork("http://127.0.0.1:4566", "ap-northeast-2", "http://127.0.0.1:1", tmp_path / "trusted.pem"),
        credentials_url="http://127.0.0.1:2/secret-path",
        agent_url="http://127.0.0.1:3/api/secret-path",
        database={},
        port=5151,
        image=tmp_path / "image",
        tools=tmp_path / "tools",
        contained=contained,
    )


@pytest.mark.parametrize("contained", [False, True])
def test_only_the_port_is_mapped_and_without_a_container_the_paths_on_the_volume(
    tmp_path: Path, contained: bool
) -> None:
    environment = {
        "ATLANTIS_DATA_DIR": _DATA,
        "ATLANTIS_MARKDOWN_TEMPLATE_OVERRIDES_DIR": f"{_DATA}/templates",
        "ATLANTIS_REPO_ALLOWLIST": "github.com/4141/*",
        "OTHER": f"{_DATA}-not",
        "STATUS": "http://localhost:4141/status",
        "ATLANTIS_PORT": "4141",
    }
    definition = ContainerDefinition(
        "atlantis",
        "image",
        {},
        port=4141,
        environment=environment,
        mounts=(MountPoint(_DATA, "data"),),
        health_check=HealthCheck(["CMD-SHELL", "curl -f http://localhost:4141/healthz || exit 1"]),
    )
    root = private_directory(tmp_path / "root")
    container = prepare(_parts(tmp_path, definition, contained=contained), definition, {"SECRET": "s"}, root)
    directory = _DATA if contained else str(tmp_path / "efs")
    assert {name: container.environment[name] for name in environment} == environment | {
        "ATLANTIS_DATA_DIR": directory,
        "ATLANTIS_MARKDOWN_TEMPLATE_OVERRIDES_DIR": f"{directory}/templates",
        "STATUS": "http://localhost:5151/status",
        "ATLANTIS_PORT": "5151",
    }
    assert container.environment["SECRET"] == "s"
    assert container.health_command[1] == "curl -f http://localhost:5151/healthz || exit 1"
    if contained:
        assert str(tmp_path) not in json.dumps(container.environment)
    else:
        assert (container.directory / ".atlantis").readlink() == tmp_path / "efs"


def test_the_preferred_port_is_taken_where_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler):
        assert free_port(port) != port


def test_a_missing_redis_server_is_reported_before_a_stack_that_needs_it_is_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SandboxError, match=r"Nothing was deployed: .* no redis-server: install it"):
        Scratch(tmp_path).with_server(lockingDatabase="redis")._starting_the_task()
    locking_database.require_server({"atlantis:lockingDatabase": "boltdb"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")
def test_a_volume_whose_files_are_deleted_meanwhile_gets_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, deleted = tmp_path / "repos" / "kept", tmp_path / "repos" / "deleted"
    for folder in (kept, deleted):
        folder.mkdir(parents=True)
        (folder / "main.tf").touch()
    changed, own = [], os.chown

    def chown(path: Path, *ids: int, **options: bool) -> None:
        if path == tmp_path:
            (deleted / "main.tf").unlink()
        own(path, *ids, **options)
        changed.append(path)

    monkeypatch.setattr(os, "chown", chown)
    monkeypatch.setattr(os, "walk", lambda _: [(str(deleted), [], ["main.tf"]), (str(kept), [], ["main.tf"])])
    TaskUser(os.geteuid(), os.getegid()).own(tmp_path)
    assert changed == [tmp_path, kept / "main.tf"]


def test_failures_in_the_start_period_do_not_count_and_a_success_ends_it(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    check = HealthCheck(["CMD", "test", "-e", str(ready)], interval=0.05, timeout=1, retries=2, start_period=0.4)
    monitor = HealthMonitor(check, container_probe(check.command, {"PATH": "/usr/bin:/bin"}))
    assert monitor.tick() is Health.UNKNOWN
    ready.touch()
    assert _settled(monitor, Health.UNKNOWN) is Health.HEALTHY
    ready.unlink()
    assert _settled(monitor, Health.HEALTHY) is Health.UNHEALTHY


def test_a_check_that_hangs_has_failed_after_its_timeout() -> None:
    check = HealthCheck(["CMD-SHELL", "sleep 30"], interval=0.05, timeout=0.2, retries=1)
    monitor = HealthMonitor(check, container_probe(check.command, {"PATH": "/usr/bin:/bin"}))
    started = time.monotonic()
    assert monitor.tick() is Health.UNKNOWN
    assert _settled(monitor, Health.UNKNOWN) is Health.UNHEALTHY
    assert time.monotonic() - started < 5
    assert monitor.last_output == "no answer within 0.2 s"


def _settled(monitor: HealthMonitor, before: Health) -> Health:
    deadline = time.monotonic() + 10
    while monitor.tick() is before and time.monotonic() < deadline:
        time.sleep(0.02)
    return monitor.health


def test_a_missing_terraform_has_a_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not image_tools.write_tools(tmp_path / "tools")
    terraform = str(tmp_path / "tools" / "terraform")
    assert (
        subprocess.run([terraform, "version"], capture_output=True, text=True, check=True).stdout
        == "Terraform v1.11.4\n"
    )
    plan = subprocess.run([terraform, "plan"], capture_output=True, text=True, check=False)
    assert plan.returncode == 1
    assert "There is no terraform on this machine" in plan.stderr


def test_the_build_changes_one_line_and_refuses_sources_without_it(tmp_path: Path) -> None:
    source = tmp_path / "server.go"
    source.write_text('server := &http.Server{Addr: fmt.Sprintf(":%d", s.Port), Handler: n}\n')
    build.listen_on_loopback(source)
    assert source.read_text() == 'server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", s.Port), Handler: n}\n'
    with pytest.raises(SandboxError, match="listens differently"):
        build.listen_on_loopback(source)


def test_the_recorded_flags_are_those_of_the_built_server() -> None:
    recorded = json.loads(flags.LIST.read_text(encoding="utf-8"))["flags"]
    assert flags.flags_of(build.executable()) == recorded, "python -m sandbox.atlantis.flags"
