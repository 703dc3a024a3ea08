"""The condition keys that a call has in the sandbox, decided with policies that depend on them, and those that are missing."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import authorizations, decide
from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from sandbox.testbed.iam_evaluation.supplied_keys import SUPPLIED, unsupplied
from tests.needs import iam_evaluator

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
ROLE, BOUNDARY = f"arn:aws:iam::{ACCOUNT}:role/fileflow-api", f"arn:aws:iam::{ACCOUNT}:policy/boundary"
CALLER = f"arn:aws:iam::{ACCOUNT}:role/atlantis"
OF_THE_SESSION = {
    "aws:SourceIp": "127.0.0.1",
    "aws:SecureTransport": "true",
    "aws:PrincipalTag/Repository": "my-organization/shop",
}
"""What `enforcement` adds to each principal. That AWS' value is in it is a test of the running local AWS."""


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


PROPERTIES = {
    arn("ec2", "security-group/sg-1"): {"ec2:Vpc": arn("ec2", "vpc/vpc-1")},
    arn("kms", "key/a"): {"kms:ResourceAliases": ["alias/b"]},
}
EXISTING = ExistingResources(
    ACCOUNT, REGION, tags=lambda _: {"Owner": "team"}, properties=lambda name: PROPERTIES.get(name, {})
)


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    iam_evaluator()
    with Evaluator() as started:
        yield started


def of(service: str, operation: str, /, **parameters: Any) -> ApiCall:
    return ApiCall(service, operation, parameters)


CREATE = of("ecs", "CreateCluster", clusterName="a", tags=[{"key": "Service", "value": "a"}])
DELETE = of("ecs", "DeleteCluster", cluster="a")
DECIDING: dict[str, tuple[ApiCall, str, str]] = {
    "aws:PrincipalAccount": (DELETE, ACCOUNT, "999999999999"),
    "aws:PrincipalArn": (DELETE, CALLER, f"{CALLER}-other"),
    "aws:PrincipalTag/*": (DELETE, "my-organization/shop", "my-organization/other"),
    "aws:RequestTag/*": (CREATE, "a", "b"),
    "aws:RequestedRegion": (DELETE, REGION, "eu-west-1"),
    "aws:ResourceTag/*": (DELETE, "team", "other"),
    "aws:SecureTransport": (DELETE, "true", "false"),
    "aws:SourceIp": (DELETE, "127.0.0.0/8", "10.0.0.0/8"),
    "aws:TagKeys": (CREATE, "Service", "Owner"),
}
"""A call, a value that allows it, and one that doesn't, by the key in `SUPPLIED`."""
NAMES = {
    "aws:PrincipalTag/*": "aws:PrincipalTag/Repository",
    "aws:RequestTag/*": "aws:RequestTag/Service",
    "aws:ResourceTag/*": "aws:ResourceTag/Owner",
}
OPERATORS = {"aws:SecureTransport": "Bool", "aws:SourceIp": "IpAddress", "aws:TagKeys": "ForAllValues:StringEquals"}


@pytest.mark.parametrize("key", SUPPLIED)
def test_every_supplied_key_decides(evaluator: Evaluator, key: str):
    call, fulfilled, other = DECIDING[key]

    def decisions(value: str) -> set[str]:
        condition = {OPERATORS.get(key, "StringEquals"): {NAMES.get(key, key): value}}
        statement = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*", "Condition": condition}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis/task"
        caller = Principal(session, {"policy": policy}, keys=OF_THE_SESSION)
        return {decision.result for _, decision in decide(evaluator, caller, call, EXISTING)}

    assert decisions(fulfilled) == {"Allowed"}
    assert decisions(other) == {"ImplicitlyDenied"}


@pytest.mark.parametrize(
    ("call", "key", "value"),
    [
        (CREATE, "aws:TagKeys", ["Service"]),
        (of("iam", "CreateRole", RoleName="a", PermissionsBoundary=BOUNDARY), "iam:PermissionsBoundary", BOUNDARY),
        (of("iam", "AttachRolePolicy", RoleName="a", PolicyArn=BOUNDARY), "iam:PolicyARN", BOUNDARY),
        (
            of("ecs", "RegisterTaskDefinition", family="a", taskRoleArn=ROLE),
            "iam:PassedToService",
            "ecs-tasks.amazonaws.com",
        ),
        (of("ecs", "RunTask", cluster="a", taskDefinition="b:1"), "ecs:cluster", arn("ecs", "cluster/a")),
        (of("ec2", "DeleteSecurityGroup", GroupId="sg-1"), "ec2:Region", REGION),
        (of("ec2", "DeleteSecurityGroup", GroupId="sg-1"), "ec2:Vpc", arn("ec2", "vpc/vpc-1")),
        (of("ec2", "CreateSecurityGroup", GroupName="a", VpcId="vpc-2"), "ec2:Vpc", arn("ec2", "vpc/vpc-2")),
        (of("kms", "Encrypt", KeyId="a", EncryptionContext={"aws:x": "b"}), "kms:EncryptionContext:aws:x", "b"),
        (of("kms", "Encrypt", KeyId="a", EncryptionContext={"aws:x": "b"}), "kms:EncryptionContextKeys", ["aws:x"]),
        (of("kms", "Encrypt", KeyId=arn("kms", "alias/a")), "kms:RequestAlias", "alias/a"),
        (of("kms", "Encrypt", KeyId="a"), "kms:ResourceAliases", ["alias/b"]),
        (
            of(
                "ec2",
                "CreateSecurityGroup",
                GroupName="a",
                VpcId="vpc-1",
                TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}],
            ),
            "ec2:CreateAction",
            "CreateSecurityGroup",
        ),
    ],
)
def test_a_call_supplies_the_keys_of_its_service(evaluator: Evaluator, call: ApiCall, key: str, value: Any):
    assert value in [item.keys.get(key) for item in authorizations(evaluator.reference, call, EXISTING)]


def test_a_denied_encryption_context_is_enforced(evaluator: Evaluator):
    condition = {"StringEquals": {"kms:EncryptionContext:aws:logs:arn": "a"}}
    everything = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    key_policy = {
        "Version": "2012-10-17",
        "Statement": [everything, {**everything, "Effect": "Deny", "Condition": condition}],
    }
    existing = ExistingResources(ACCOUNT, REGION, resource_policy=lambda _: key_policy)
    caller = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis/task", {})
    for value, expected in (("a", "ExplicitlyDenied"), ("b", "Allowed")):
        call = of("kms", "Encrypt", KeyId="a", EncryptionContext={"aws:logs:arn": value})
        assert [item.result for _, item in decide(evaluator, caller, call, existing)] == [expected]


def asking(action: str | list[str], element: str = "Action", **keys: str) -> dict[str, Any]:
    condition = {"StringEquals": {name.replace("__", ":"): value for name, value in keys.items()}}
    statement = {"Effect": "Deny", element: action, "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": statement}


@pytest.mark.parametrize(
    "key",
    ["kms:ViaService", "kms:CallerAccount", "ec2:Vpc", "aws:SourceVpc", "aws:MultiFactorAuthPresent", "aws:sourcevpce"],
)
def test_a_key_that_the_call_lacks_is_named(key: str):
    assert unsupplied(
        [asking("*", **{key: "a"})], "kms:Decrypt", ["aws:RequestedRegion", "kms:EncryptionAlgorithm"]
    ) == [key]


@pytest.mark.parametrize("key", [*SUPPLIED, "aws:securetransport", "ECS:Cluster"])
def test_a_key_that_the_call_has_is_not_named(key: str):
    assert unsupplied([asking("*", **{key.replace("*", "Owner"): "a"})], "ecs:RunTask", ["ecs:cluster"]) == []


@pytest.mark.parametrize(
    ("action", "element", "expected"),
    [
        ("kms:*", "Action", []),
        (["kms:Decrypt", "SQS:Create*"], "Action", ["kms:ViaService"]),
        ("sqs:CreateQueue", "NotAction", []),
        ("kms:*", "NotAction", ["kms:ViaService"]),
    ],
)
def test_only_statements_about_the_call_count(action: str | list[str], element: str, expected: list[str]):
    assert unsupplied([asking(action, element, kms__ViaService="a")], "sqs:CreateQueue", []) == expected
