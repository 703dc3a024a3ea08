"""The program as a whole: what it tells operators, and that it registers nothing before its settings are right."""

import subprocess
import sys
from typing import Any

import pytest

from sandbox.testbed.paths import CHECKOUT
from tests.unit.recording import ACCOUNT, REGION, refusal
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


@pytest.mark.parametrize(
    ("key", "arn"),
    [
        ("acmCertificateArn", f"arn:aws:acm:{REGION}:{OTHER}:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
        ("webAclArn", f"arn:aws:wafv2:{REGION}:{OTHER}:regional/webacl/a/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
        ("alarmTopicArns", [f"arn:aws:sns:{REGION}:{OTHER}:on-call"]),
        ("secretReaderArns", [f"arn:aws:iam::{OTHER}:role/deployer"]),
    ],
)
def test_what_must_be_of_the_stack_s_account_ends_the_run_before_an_aws_resource(key: str, arn: Any) -> None:
    message, registered = refusal(**{key: arn})
    assert [resource.type for resource in registered] == ["atlantis:index:Atlantis"]
    assert f"atlantis:{key} = " in message
    assert f"must be in account {ACCOUNT}, to which the stack is deployed, not in {OTHER}" in message


def test_a_boundary_of_another_account_than_the_other_arns_ends_the_run_before_the_account_is_known() -> None:
    message, registered = refusal(permissionsBoundaryArn=f"arn:aws:iam::{OTHER}:policy/boundary")
    assert registered == []
    assert f"must be in the account of the other ARNs, {ACCOUNT}, not in {OTHER}" in message


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
