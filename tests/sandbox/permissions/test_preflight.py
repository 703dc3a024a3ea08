"""The preflight of a stack that is deployed: it knows what is the stack's own, and sees what people still have to do."""

import boto3
import pytest

from preflight.aws import Aws
from preflight.check import Result, run_checks
from preflight.command import CHECKS
from preflight.deployment import Deployment, read_stack_file
from preflight.errors import Status
from sandbox.sandbox import Sandbox
from sandbox.testbed.local_aws import REGION


@pytest.fixture(scope="module")
def results(sandbox: Sandbox) -> dict[str, Result]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.aws.environment().items():
            patch.setenv(name, value)
        settings = read_stack_file(sandbox.workspace.stack_file("prod"), "prod")
        deployment = Deployment("prod", settings, Aws(REGION, boto3.Session()))
        return {f"{result.subject}: {result.title}": result for result in run_checks(CHECKS, deployment)}


def test_what_the_deployment_made_is_known_as_its_own(results: dict[str, Result]):
    own = {name: result for name, result in results.items() if name.startswith("names: ")}
    assert {name: result.message for name, result in own.items() if result.status is not Status.OK} == {}
    taken = {name for name, result in own.items() if "this stack" in result.message}
    # Endpoints have no names, and without Redis there is no locking database.
    assert taken == set(own) - {"names: VPC endpoints", "names: locking database"}


def test_image_and_app_secret_are_what_is_left_to_people(results: dict[str, Result]):
    failed = {name: result.message for name, result in results.items() if result.status is Status.FAILED}
    assert failed == {
        "image: exists": "the image atlantis:v0.47.1 does not exist in account 123456789012, ap-northeast-2",
        "secrets: credentials exist": "prod-atlantis-github-app exists, but has no value",
    }
