"""`up` ends as the deployment does: it fails with ECS' reason where the task doesn't run, and the next one heals it."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator

import pytest

from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.local_aws.task_status import StatusFile
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.served import service_of
from tests.sandbox.harness import Scratch

_MISSING_IMAGE = re.compile(r"task \w{8} stopped: CannotPullContainerError: .*v9\.9\.9")
APP_SECRET = "local-atlantis-github-app"
STASH = "pulumi:index:Stash"


@pytest.fixture(scope="module")
def scratch(module_scratch: Scratch) -> Scratch:
    return module_scratch


def _service(scratch: Scratch) -> DeployedService:
    return service_of(scratch.with_server())


def _running(scratch: Scratch) -> str | None:
    """The task definition that a healthy task runs."""
    service = _service(scratch)
    status = StatusFile(service.state, service.name).read()
    return status.definition if status.state == "healthy" else None


def _failure(capfd: pytest.CaptureFixture[str], sandbox: Sandbox) -> str:
    capfd.readouterr()
    with pytest.raises(EngineError):
        sandbox.up()
    return capfd.readouterr().out


def test_a_first_deployment_of_an_image_that_does_not_exist_fails_with_that_reason(
    scratch: Scratch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = _failure(capfd, scratch.with_server(imageTag="v9.9.9"))
    assert "atlantis-local:1 does not run: no task runs, as there was nothing to roll back to." in said
    assert _MISSING_IMAGE.search(said), said
    assert [resource for resource in scratch.with_server().resources() if resource["type"] == STASH] == []


def test_the_next_up_heals_it(scratch: Scratch) -> None:
    scratch.with_server().up()
    assert _running(scratch) == _service(scratch).require_service().definition
    (stash,) = [resource for resource in scratch.with_server().resources() if resource["type"] == STASH]
    assert stash["inputs"]["input"]["taskDefinition"] == _running(scratch)


def test_a_changed_image_that_does_not_exist_is_rolled_back_and_up_fails(
    scratch: Scratch, capfd: pytest.CaptureFixture[str]
) -> None:
    good = _running(scratch)
    said = _failure(capfd, scratch.with_server(imageTag="v9.9.9"))
    assert good is not None
    assert f"does not run: ECS rolled the service back to {good.rpartition('/')[2]}." in said
    assert _MISSING_IMAGE.search(said), said
    eventually("the old task", lambda: _running(scratch) == good)
    # Without another change the failure isn't forgotten.
    assert "deploying it again" in (said := _failure(capfd, scratch.with_server(imageTag="v9.9.9")))
    assert _MISSING_IMAGE.search(said), said


@contextlib.contextmanager
def _unanswered_health_check(scratch: Scratch) -> Iterator[None]:
    """The load balancer asks new tasks for a page that the server doesn't have; a task fails that within seconds."""
    service = _service(scratch)
    ecs, elb = service.client("ecs"), service.client("elbv2")
    running = service.require_service()
    (group,) = elb.describe_target_groups(TargetGroupArns=[running.target_group])["TargetGroups"]
    names = ("HealthCheckPath", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "UnhealthyThresholdCount")
    changed = dict(zip(names, ("/no-such-page", 5, 2, 2), strict=True))

    def end_grace() -> None:
        """The deployment itself sets the grace period, of a minute for each task."""
        eventually("the deployment", lambda: service.require_service().definition != running.definition)
        ecs.update_service(cluster=service.cluster, service=service.name, healthCheckGracePeriodSeconds=1)

    elb.modify_target_group(TargetGroupArn=running.target_group, **changed)
    ending = threading.Thread(target=end_grace)
    ending.start()
    try:
        yield
    finally:
        ending.join()
        elb.modify_target_group(TargetGroupArn=running.target_group, **{name: group[name] for name in names})


def test_a_health_check_that_never_succeeds_fails_with_that_reason_and_is_rolled_back(
    scratch: Scratch, capfd: pytest.CaptureFixture[str]
) -> None:
    good = _service(scratch).require_service().definition
    with _unanswered_health_check(scratch):
        said = _failure(capfd, scratch.with_server(logLevel="error"))
    assert f"does not run: ECS rolled the service back to {good.rpartition('/')[2]}." in said
    assert re.search(r"task \w{8} stopped: .*health check failed 2 times: .*GET /no-such-page answered 4", said), said


def test_an_empty_secret_fails_with_that_reason_and_up_heals_it_without_a_change(
    scratch: Scratch, capfd: pytest.CaptureFixture[str]
) -> None:
    client = _service(scratch).client("secretsmanager")
    good = client.get_secret_value(SecretId=APP_SECRET)["SecretString"]
    client.put_secret_value(SecretId=APP_SECRET, SecretString=json.dumps({}))
    said = _failure(capfd, scratch.with_server(logLevel="warn"))
    assert "does not run" in said
    assert "app_id" in said
    client.put_secret_value(SecretId=APP_SECRET, SecretString=good)
    scratch.with_server(logLevel="warn").up()
    service = _service(scratch)
    assert _running(scratch) == service.require_service().definition
    assert service.variables(service.require_service().definition)["ATLANTIS_LOG_LEVEL"] == "warn"


def test_up_without_a_change_asks_ecs_for_nothing_and_leaves_the_task_alone(
    scratch: Scratch, capfd: pytest.CaptureFixture[str]
) -> None:
    service = _service(scratch)
    before, status = service.require_service().deployment, StatusFile(service.state, service.name).read()
    scratch.with_server(logLevel="warn").up()
    after = StatusFile(service.state, service.name).read()
    assert service.require_service().deployment == before
    assert (after.task, after.events) == (status.task, status.events)
    assert "unchanged" in capfd.readouterr().out


def test_a_check_that_is_switched_off_waits_for_nothing(scratch: Scratch) -> None:
    scratch.with_server(logLevel="warn", deploymentTimeoutMinutes=0).up()
    assert [resource for resource in scratch.with_server().resources() if resource["type"] == STASH] == []
