"""One server on one data directory, whatever happens: deployments, failures, crashes, a second server."""

import fcntl
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.atlantis import (
    build,
    diagnosis,
    lifecycle,
    operator,
)
from sandbox.testbed import processes
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from tests.sandbox.atlantis.conftest import eventually, seen_by, server_environment, server_process, status
from tests.sandbox.atlantis.local_service import LocalService, variable
from tests.sandbox.harness import begin_to_stop


def _bring_up(local: LocalService) -> None:
    lifecycle.bring_up(local.deployment, clean_environment())


def _events(local: LocalService) -> list[str]:
    return [line.partition(" ")[2] for line in status(local).events]


def test_a_second_server_on_the_same_data_directory_ends_with_the_lock_message(
    running: LocalService, tmp_path: Path
) -> None:
    environment = server_environment(running)
    for name in ("ATLANTIS_DATA_DIR", "SSL_CERT_FILE"):
        environment[name] = str(seen_by(server_process(running), environment[name]))
    environment |= {"HOME": str(tmp_path), "ATLANTIS_PORT": "0"}
    second = subprocess.run(
        [build.executable(), "server"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert "starting BoltDB: timeout" in second.stderr + second.stdout
    assert "one server at a time" in diagnosis.explain_exit(second.stderr + second.stdout)
    assert server_process(running).alive


def test_a_deployment_stops_the_old_task_before_it_starts_the_new_one(running: LocalService) -> None:
    old, before = status(running), len(_events(running))
    running.deploy(running.register(variable("ATLANTIS_LOG_LEVEL", "warn")))
    _bring_up(running)
    new = status(running)
    assert new.task != old.task
    assert old.task is not None
    assert new.task is not None
    steps = [line.split(" of ")[0] for line in _events(running)[before:]]
    assert steps == [
        f"stopping task {old.task[:8]}: a new deployment replaces it",
        f"task {old.task[:8]} has stopped",
        f"task {new.task[:8]}",
        f"task {new.task[:8]} is healthy and registered with the load balancer",
    ]
    targets = running.aws.client("elbv2").describe_target_health(TargetGroupArn=running.target_group)
    assert [item["Target"]["Port"] for item in targets["TargetHealthDescriptions"]] == [new.port]


def test_a_new_definition_that_can_not_start_is_rolled_back_and_the_reason_is_said(running: LocalService) -> None:
    good = status(running).definition
    running.deploy(running.register(variable("ATLANTIS_GH_APP_SLUGG", "typo")))
    with pytest.raises(SandboxError) as failure:
        _bring_up(running)
    message = str(failure.value)
    assert "ATLANTIS_GH_APP_SLUGG: Atlantis doesn't have this variable" in message
    assert "did you mean ATLANTIS_GH_APP_SLUG?" in message
    assert "rolled the service back" in message
    eventually("the rollback", lambda: status(running).state == "healthy")
    assert status(running).definition == good
    described = running.aws.client("ecs").describe_services(cluster="atlantis-local", services=["atlantis-local"])
    assert described["services"][0]["taskDefinition"] == good
    assert entrance(running.deployment).request("GET", "/healthz").status == 200


def test_a_rollback_that_ends_before_up_looks_at_the_agent_is_told_all_the_same(
    running: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = processes.find(running.deployment.state, f"task-agent-{running.deployment.name}")
    assert agent is not None
    client = running.aws.client("secretsmanager")
    good = client.get_secret_value(SecretId=running.app_secret)["SecretString"]
    client.put_secret_value(SecretId=running.app_secret, SecretString="just text")
    set_up_app = operator.set_up_app

    def outlast_the_rollback(*arguments: Any) -> bool:
        os.kill(agent.pid, signal.SIGCONT)
        eventually("the failure of the rollback too", lambda: status(running).state == "failed")
        return set_up_app(*arguments)

    os.kill(agent.pid, signal.SIGSTOP)
    monkeypatch.setattr(operator, "set_up_app", outlast_the_rollback)
    running.deploy(running.register(variable("ATLANTIS_LOG_LEVEL", "info")))
    try:
        with pytest.raises(SandboxError, match="is not a JSON object") as failure:
            _bring_up(running)
    finally:
        monkeypatch.undo()
        client.put_secret_value(SecretId=running.app_secret, SecretString=good)
    assert "rolled the service back" in str(failure.value)
    _bring_up(running)
    assert status(running).state == "healthy"


def test_a_definition_that_something_else_deploys_meanwhile_ends_the_wait(
    running: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = status(running).definition
    assert good is not None
    other = running.register(variable("ATLANTIS_LOG_LEVEL", "info"))
    set_up_app = operator.set_up_app

    def deploy_in_between(*arguments: Any) -> bool:
        running.deploy(good)
        return set_up_app(*arguments)

    running.deploy(other)
    monkeypatch.setattr(operator, "set_up_app", deploy_in_between)
    with pytest.raises(SandboxError, match="the service was changed out of band"):
        _bring_up(running)
    monkeypatch.undo()
    _bring_up(running)
    assert status(running).definition == good


def test_a_new_definition_whose_server_ends_is_tried_three_times_then_rolled_back(running: LocalService) -> None:
    good, before = status(running).definition, len(_events(running))
    broken = running.register(variable("ATLANTIS_LOG_LEVEL", "deafening"))
    running.deploy(broken)
    with pytest.raises(SandboxError, match="invalid log level"):
        _bring_up(running)
    eventually("the rollback", lambda: status(running).state == "healthy")
    failed = f"{broken.rpartition('/')[2]} failed:"
    assert sum(line.startswith(failed) for line in _events(running)[before:]) == 3
    assert status(running).definition == good


def test_up_right_after_a_crash_waits_for_the_new_server(running: LocalService) -> None:
    crashed = server_process(running)
    agent = processes.find(running.deployment.state, f"task-agent-{running.deployment.name}")
    assert agent is not None
    # Stopped, so that its status says healthy when the command looks.
    os.kill(agent.pid, signal.SIGSTOP)
    threading.Timer(2, os.kill, (agent.pid, signal.SIGCONT)).start()
    os.kill(crashed.pid, signal.SIGKILL)
    _bring_up(running)
    assert server_process(running).pid != crashed.pid
    assert entrance(running.deployment).request("GET", "/healthz").status == 200


def test_a_desired_count_of_zero_runs_nothing_and_a_data_directory_that_another_server_holds_is_explained(
    running: LocalService,
) -> None:
    definition = status(running).definition
    assert definition is not None
    running.deploy(definition, count=0)
    eventually("the end of the task", lambda: status(running).state == "idle")
    assert processes.find(running.deployment.state, running.deployment.name) is None
    # Nothing is to run, so there is nothing to wait for.
    _bring_up(running)
    assert status(running).state == "idle"
    database = next((running.deployment.state / "efs").rglob("atlantis.db"))
    with database.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        running.deploy(definition, count=1)
        with pytest.raises(SandboxError, match="another Atlantis server has locked the data directory"):
            _bring_up(running)
    _bring_up(running)
    assert status(running).state == "healthy"


def test_an_agent_of_another_version_of_the_sandbox_is_replaced(running: LocalService) -> None:
    deployment = running.deployment
    before = processes.find(deployment.state, f"task-agent-{deployment.name}")
    assert before is not None
    _bring_up(running)
    assert processes.find(deployment.state, f"task-agent-{deployment.name}") == before
    (version,) = deployment.state.rglob(f"{deployment.name}.version")
    version.write_text("another", encoding="utf-8")
    _bring_up(running)
    after = processes.find(deployment.state, f"task-agent-{deployment.name}")
    assert after is not None
    assert after.pid != before.pid
    assert status(running).state == "healthy"


def test_an_agent_that_was_killed_leaves_nothing_that_the_next_one_does_not_end(running: LocalService) -> None:
    left = server_process(running)
    agent = processes.find(running.deployment.state, f"task-agent-{running.deployment.name}")
    assert agent is not None
    os.kill(agent.pid, signal.SIGKILL)
    eventually("the agent's end", lambda: not agent.alive)
    if bubblewrap.why_not():
        assert left.alive
    else:
        # Containers end with the agent.
        eventually("the container's end", lambda: not left.alive)
    _bring_up(running)
    eventually("a new task", lambda: status(running).state == "healthy" and status(running).task is not None)
    assert not left.alive
    roots = list((running.deployment.state / "tasks" / running.deployment.name).iterdir())
    assert [root.name for root in roots] == [status(running).task]


def test_an_agent_that_is_being_stopped_is_followed_by_another(running: LocalService) -> None:
    name = f"task-agent-{running.deployment.name}"
    ending = processes.find(running.deployment.state, name)
    begin_to_stop(running.deployment.state, name)
    _bring_up(running)
    agent = processes.find(running.deployment.state, name)
    assert ending is not None
    assert agent is not None
    assert (ending.alive, agent.lasting) == (False, True)
    assert server_process(running).alive


def test_taking_it_down_stops_the_server_in_order(running: LocalService) -> None:
    process = server_process(running)
    assert lifecycle.take_down(running.deployment)
    assert not process.alive
    log = (running.deployment.state / "logs" / f"{running.deployment.name}.log").read_text()
    assert "All in-progress operations complete, shutting down" in log
    targets = running.aws.client("elbv2").describe_target_health(TargetGroupArn=running.target_group)
    assert targets["TargetHealthDescriptions"] == []
    assert list((running.deployment.state / "tasks" / running.deployment.name).iterdir()) == []
    assert not lifecycle.take_down(running.deployment)


def test_a_service_that_is_deleted_takes_its_task_with_it(running: LocalService) -> None:
    process = server_process(running)
    running.aws.client("ecs").delete_service(cluster="atlantis-local", service="atlantis-local", force=True)
    eventually("the end of the task", lambda: status(running).state == "idle")
    assert not process.alive
    assert _events(running)[-1] == "nothing runs: the service doesn't exist"
    with pytest.raises(SandboxError, match="There is no service atlantis-local in the local AWS; `make up` deploys it"):
        _bring_up(running)
