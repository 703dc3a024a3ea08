"""What an operator gets to read when the task's environment, its secrets or its roles are wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.atlantis import build, diagnosis, operator
from sandbox.atlantis.container import TaskNetwork
from sandbox.atlantis.launcher import Launcher
from sandbox.testbed.certificates import issue
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.github import app
from sandbox.testbed.github.store import Store
from tests.sandbox.atlantis.local_service import TRUST, LocalService, variable
from tests.tables import table

_APP = app.make_values()


@pytest.fixture(scope="module")
def known() -> frozenset[str]:
    return diagnosis.known_variables()


@pytest.mark.parametrize(("name", "said"), table(__file__, "variables"))
def test_a_variable_that_atlantis_does_not_have_is_reported(known: frozenset[str], name: str, said: str) -> None:
    (problem,) = diagnosis.unknown_variables({name: "x", "ATLANTIS_PORT": "4141", "HOME": "/"}, known)
    assert said in problem


@pytest.fixture
def launcher(local: LocalService, tmp_path: Path) -> Launcher:
    """Starts tasks; none of the tests here gets as far as a process."""
    service = local.deployment.require_service()
    operator.push_image(local.deployment, service)
    operator.set_up_app(local.deployment, service, Store(local.deployment.state / "github"))
    certificates = issue(tmp_path / "tls")
    proxy = "http://127.0.0.1:1"
    network = TaskNetwork(local.deployment.endpoint, local.deployment.region, proxy, certificates.bundle)
    return Launcher(local.deployment, build.executable(), network, certificates)


def _problems(local: LocalService, launcher: Launcher, change: Callable[[dict[str, Any]], None] | None) -> str:
    local.deploy(local.register(change))
    with pytest.raises(TaskStartError) as failure:
        launcher.start(local.deployment.require_service(), "0" * 32)
    return str(failure.value)


def _secret(local: LocalService, name: str, value_from: str) -> Callable[[dict[str, Any]], None]:
    def change(container: dict[str, Any]) -> None:
        container["secrets"] = [item for item in container["secrets"] if item["name"] != name]
        container["secrets"].append({"name": name, "valueFrom": value_from.format(local=local)})

    return change


@pytest.mark.parametrize(
    ("value_from", "said"),
    table(__file__, "references"),
)
def test_a_wrong_reference_to_a_secret_is_explained(
    local: LocalService, launcher: Launcher, value_from: str, said: str
) -> None:
    message = _problems(local, launcher, _secret(local, "ATLANTIS_GH_APP_KEY", value_from))
    assert message.startswith("ATLANTIS_GH_APP_KEY: ")
    assert said in message


@pytest.mark.parametrize(
    ("text", "said"),
    table(__file__, "values"),
)
def test_a_wrong_value_of_a_secret_is_explained(local: LocalService, launcher: Launcher, text: str, said: str) -> None:
    client = local.aws.client("secretsmanager")
    client.put_secret_value(SecretId=local.app_secret, SecretString=text)
    try:
        assert said in _problems(local, launcher, None)
    finally:
        client.put_secret_value(SecretId=local.app_secret, SecretString=json.dumps(_APP))


def test_an_empty_secret_is_explained_with_the_command_that_fills_it(local: LocalService, launcher: Launcher) -> None:
    empty = local.aws.client("secretsmanager").create_secret(Name="local-empty")["ARN"]
    local.allow_reading(empty)
    message = _problems(local, launcher, _secret(local, "ATLANTIS_GH_WEBHOOK_SECRET", empty))
    assert "has no value yet" in message
    assert "aws secretsmanager put-secret-value --secret-id local-empty" in message


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda container: container.__setitem__(key, value)


def _group(container: dict[str, Any]) -> None:
    container["logConfiguration"]["options"]["awslogs-group"] = "/ecs/nowhere"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (variable("ATLANTIS_GH_HOSTNAME", "git.example.com"), "stands in for github.com only"),
        (_set("healthCheck", {"command": []}), "the health check's command must begin with CMD or CMD-SHELL"),
        (_set("firelensConfiguration", {"type": "fluentbit"}), "atlantis.firelensConfiguration is set"),
        (_set("logConfiguration", {"logDriver": "splunk"}), "logDriver is 'splunk'"),
        (_group, "stream atlantis/atlantis/"),
    ],
    ids=["host", "health", "unknown", "driver", "group"],
)
def test_a_task_definition_that_can_not_run_is_explained(
    local: LocalService, launcher: Launcher, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    assert said in _problems(local, launcher, change)


def test_a_role_that_ecs_may_not_assume_is_explained(local: LocalService, launcher: Launcher) -> None:
    role = local.aws.client("iam").create_role(RoleName="short-lived", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    definition = local.register(execution_role=role)
    local.aws.client("iam").delete_role(RoleName="short-lived")
    local.deploy(definition)
    with pytest.raises(TaskStartError) as failure:
        launcher.start(local.deployment.require_service(), "0" * 32)
    message = str(failure.value)
    assert "ECS can't assume" in message
    assert "ecs-tasks.amazonaws.com" in message


@pytest.mark.parametrize(
    ("last_words", "said"),
    table(__file__, "last_words"),
)
def test_the_last_words_of_a_server_are_explained(last_words: str, said: str) -> None:
    assert said in diagnosis.explain_exit(last_words)


def test_an_empty_token_gets_a_value_once(local: LocalService) -> None:
    secrets = local.aws.client("secretsmanager")
    token = secrets.create_secret(Name="token")["ARN"]
    local.allow_reading(token)

    def replace(container: dict[str, Any]) -> None:
        container["secrets"] = [{"name": "ATLANTIS_GITLAB_TOKEN", "valueFrom": f"{token}:token::"}]

    local.deploy(local.register(replace))
    service = local.deployment.require_service()
    assert operator.set_up_token(local.deployment, service, "throw-away")
    stored = secrets.get_secret_value(SecretId=token)["SecretString"]
    assert json.loads(stored) == {"token": "throw-away"}
    assert not operator.set_up_token(local.deployment, service, "throw-away")
    assert secrets.get_secret_value(SecretId=token)["SecretString"] == stored
