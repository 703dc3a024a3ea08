"""The program as a whole: what it tells operators, and that it registers nothing before its settings are right."""

import subprocess
import sys

import pytest

from sandbox.testbed.paths import CHECKOUT
from tests.unit.recording import REGION, refusal
from tests.unit.stacks import stack

OTHER = "210987654321"


def test_settings_that_are_wrong_end_the_run_before_anything_is_registered() -> None:
    message, registered = refusal(url="http://atlantis.example.com", vpcID="x", imageTag="latest", memory=100)
    assert registered == []
    assert [line.split(" = ")[0].split(": unknown")[0].strip() for line in message.splitlines()[1:]] == [
        "- atlantis:vpcID",
        "- atlantis:url",
        "- atlantis:imageTag",
        "- atlantis:memory",
    ]


def test_what_may_be_of_any_account_is_accepted() -> None:
    stack(
        permissionsBoundaryArn="arn:aws:iam::aws:policy/PowerUserAccess",
        assumableRoleArns=[f"arn:aws:iam::{OTHER}:role/deployer"],
        terraformStateBuckets=["shared-state"],
        terraformStateKeyArns=[f"arn:aws:kms:{REGION}:{OTHER}:key/0a1b2c3d-0000-4000-8000-0123456789ab"],
    )


def test_the_stack_s_name_stands_in_for_an_environment() -> None:
    message, registered = refusal(stack="My_Stack")
    assert registered == []
    assert "Fix Pulumi.My_Stack.yaml" in message
    assert "atlantis:environment = 'My_Stack'" in message


@pytest.mark.parametrize(
    "changes", [{"url": "http://s3cr3t.example.com"}, {"image": "s3cr3t/runatlantis/atlantis:v0.40.0"}]
)
def test_a_value_that_the_stack_file_encrypts_is_not_shown(changes: dict[str, str]) -> None:
    message, registered = refusal(secret_keys=list(changes), **changes)
    assert registered == []
    assert f"atlantis:{next(iter(changes))} = [secret]" in message
    assert "s3cr3t" not in message


def test_the_objects_of_the_sdk_are_not_collected_while_they_are_imported_and_at_the_end() -> None:
    program = """if True:
        import gc, runpy, sys, pulumi
        from components import adoption
        collected = []
        gc.callbacks.append(lambda phase, _: collected.append(phase) if "pulumi_aws" in sys.modules else None)
        pulumi.get_stack = lambda: "dev"
        adoption.register = lambda _: exit(f"{len(collected)} {gc.get_freeze_count() > 100_000} {gc.isenabled()}")
        runpy.run_path("__main__.py")
    """
    ended = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ended.stderr == "0 True True\n"
