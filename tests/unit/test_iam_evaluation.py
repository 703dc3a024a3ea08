"""What AWS asks of IAM for an API call, with the condition keys that it has, and the evaluator's answers; no AWS needed."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.testbed import npm
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.iam_evaluation import evaluator as evaluator_module
from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import authorizations, decide
from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from sandbox.testbed.iam_evaluation.supplied_keys import SUPPLIED, unsupplied
from tests.tables import table

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
EMPTY = ExistingResources(ACCOUNT, REGION)
ROLE, BOUNDARY = f"arn:aws:iam::{ACCOUNT}:role/fileflow-api", f"arn:aws:iam::{ACCOUNT}:policy/boundary"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def of(service: str, operation: str, /, **parameters: Any) -> ApiCall:
    return ApiCall(service, operation, parameters)


ASKED = {
    name: (ApiCall(*row["call"]), {(action, resource) for action, resource in row["asked"]})
    for name, row in table(__file__, "asked").items()
}


@pytest.mark.parametrize(("call", "expected"), ASKED.values(), ids=ASKED)
def test_a_call_asks_for_each_action_on_each_resource(
    evaluator: Evaluator, call: ApiCall, expected: set[tuple[str, str]]
):
    asked = authorizations(evaluator.reference, call, EMPTY)
    assert {(item.action, item.resource) for item in asked} == expected
    everything = principal({"Effect": "Allow", "Action": "*", "Resource": "*"})
    for item, decision in decide(evaluator, everything, call, EMPTY):
        assert decision.allowed
        assert set(decision.ignored_keys) <= {"aws:RequestedRegion"}, item


def principal(*statements: dict[str, Any], **limits: Any) -> Principal:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis/task", {"policy": policy}, **limits)


def results(evaluator: Evaluator, who: Principal, call: ApiCall, existing: ExistingResources = EMPTY) -> list[str]:
    return [decision.result for _, decision in decide(evaluator, who, call, existing)]


UNDER_BOUNDARY = principal(
    {
        "Effect": "Allow",
        "Action": ["iam:CreateRole", "iam:PutRolePolicy"],
        "Resource": ROLE,
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}},
    }
)


def test_the_boundary_that_a_new_role_is_given_is_seen(evaluator: Evaluator):
    create = {"RoleName": "fileflow-api", "PermissionsBoundary": BOUNDARY}
    assert results(evaluator, UNDER_BOUNDARY, of("iam", "CreateRole", **create)) == ["Allowed"]
    assert results(evaluator, UNDER_BOUNDARY, of("iam", "CreateRole", RoleName="fileflow-api")) == ["ImplicitlyDenied"]


def test_the_boundary_that_a_role_has_is_seen(evaluator: Evaluator):
    put = of("iam", "PutRolePolicy", RoleName="fileflow-api", PolicyName="a", PolicyDocument="{}")
    existing = ExistingResources(ACCOUNT, REGION, boundary_of={ROLE: BOUNDARY}.get)
    assert results(evaluator, UNDER_BOUNDARY, put, existing) == ["Allowed"]
    assert results(evaluator, UNDER_BOUNDARY, put) == ["ImplicitlyDenied"]


def test_tags_of_a_resource_and_the_statement_that_denies_are_seen(evaluator: Evaluator):
    who = principal(
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {
            "Sid": "KeepOwn",
            "Effect": "Deny",
            "Action": "ec2:DeleteSecurityGroup",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/Service": "atlantis"}},
        },
    )
    delete = of("ec2", "DeleteSecurityGroup", GroupId="sg-1")
    ((_, decision),) = decide(
        evaluator, who, delete, ExistingResources(ACCOUNT, REGION, tags=lambda _: {"Service": "atlantis"})
    )
    assert (decision.result, decision.denied_by) == ("ExplicitlyDenied", ("policy: KeepOwn",))
    assert results(evaluator, who, delete) == ["Allowed"]


def test_a_boundary_and_a_session_policy_limit_what_the_identity_may(evaluator: Evaluator):
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    only_roles = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}
    call = of("ecs", "CreateCluster", clusterName="fileflow")
    assert results(evaluator, principal(everything), call) == ["Allowed"]
    assert results(evaluator, principal(everything, boundary=only_roles), call) == ["ImplicitlyDenied"]
    assert results(evaluator, principal(everything, session=only_roles), call) == ["ImplicitlyDenied"]


PASSING = [(ApiCall(*call), recipient) for call, recipient in table(__file__, "passing")]
"""Calls that pass `ROLE` by each kind of parameter, and the services that receive it."""


@pytest.mark.parametrize(("call", "recipient"), PASSING, ids=lambda value: getattr(value, "operation", value))
def test_a_role_is_passed_to_the_service_that_receives_it(evaluator: Evaluator, call: ApiCall, recipient: str):
    def trusting(*services: str) -> ExistingResources:
        names = [f"{service}.amazonaws.com" for service in services]
        return ExistingResources(ACCOUNT, REGION, trusted_services=lambda _: names, roles_in=lambda _: [ROLE])

    def passed(existing: ExistingResources) -> list[tuple[str, Any]]:
        asked = authorizations(evaluator.reference, call, existing)
        return [(item.resource, item.keys["iam:PassedToService"]) for item in asked if item.action == "iam:PassRole"]

    assert passed(trusting("other", recipient)) == [(ROLE, f"{recipient}.amazonaws.com")]
    assert passed(trusting("monitoring")) == [(ROLE, "monitoring.amazonaws.com")]


@pytest.mark.parametrize(
    "call",
    [
        of("kms", "CreateGrant", KeyId="a", GranteePrincipal=ROLE),
        of("lambda", "AddPermission", FunctionName="a", Principal=ROLE),
        of("eks", "CreateAccessEntry", clusterName="a", principalArn=ROLE),
        of("sts", "AssumeRole", RoleArn=ROLE),
        of("iam", "GetRole", RoleName="fileflow-api"),
        of("lambda", "ListFunctions", Role=ROLE),
        of("quicksight", "UpdateUser", UserName="a", Role="READER"),
    ],
    ids=lambda call: call.operation,
)
def test_a_role_that_is_only_named_is_not_passed(evaluator: Evaluator, call: ApiCall):
    assert "iam:PassRole" not in {item.action for item in authorizations(evaluator.reference, call, EMPTY)}


SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis/task"
ATLANTIS = f"arn:aws:iam::{ACCOUNT}:role/atlantis"
BUCKET = "arn:aws:s3:::fileflow"
OBJECTS = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
NOTHING_OF_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def sparing(*principals: str) -> dict[str, Any]:
    return policy({"Effect": "Deny", "NotPrincipal": {"AWS": list(principals)}, "Action": "s3:*", "Resource": "*"})


def granting(principal_arn: str) -> dict[str, Any]:
    return policy({**OBJECTS, "Principal": {"AWS": principal_arn}})


def of_address(block: str) -> dict[str, Any]:
    return policy({**OBJECTS, "Condition": {"IpAddress": {"aws:SourceIp": block}}})


VARIABLE = {**OBJECTS, "Resource": "arn:aws:s3:::${aws:PrincipalTag/Team}"}
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.parametrize(
    ("identity", "limits", "resource", "expected"),
    [
        (policy(VARIABLE), {}, None, "Allowed"),
        (policy(VARIABLE, version="2008-10-17"), {}, None, "ImplicitlyDenied"),
        (of_address("2001:db8::7"), {}, None, "Allowed"),
        (of_address("2001:0DB8:0::7"), {}, None, "Allowed"),
        (of_address("2001:db8::8"), {}, None, "ImplicitlyDenied"),
        (policy(OBJECTS), {}, sparing(ROOT), "ExplicitlyDenied"),
        (policy(OBJECTS), {}, sparing(ROOT, ATLANTIS), "ExplicitlyDenied"),
        (policy(OBJECTS), {}, sparing(ROOT, ATLANTIS, SESSION), "Allowed"),
        (NOTHING_OF_S3, {"session": NOTHING_OF_S3}, granting(SESSION), "Allowed"),
        (NOTHING_OF_S3, {"boundary": NOTHING_OF_S3}, granting(SESSION), "Allowed"),
        (NOTHING_OF_S3, {"session": NOTHING_OF_S3}, granting(ATLANTIS), "ImplicitlyDenied"),
        (policy(OBJECTS), {"session": NOTHING_OF_S3}, granting(f"{SESSION}-2"), "ImplicitlyDenied"),
        (policy({**OBJECTS, "Effect": "Deny"}), {"session": NOTHING_OF_S3}, granting(SESSION), "ExplicitlyDenied"),
    ],
)
def test_a_rule_of_iam(
    evaluator: Evaluator, identity: dict[str, Any], limits: dict[str, Any], resource: Any, expected: str
):
    keys = {"aws:SourceIp": "2001:db8::7", "aws:PrincipalTag/Team": "fileflow"}
    who = Principal(SESSION, {"policy": identity}, keys=keys, **limits)
    assert evaluator.decide(who, "s3:ListBucket", BUCKET, {}, resource).result == expected


@pytest.mark.parametrize(
    ("action", "resource", "reason"),
    [
        ("ecs:MakeCluster", "*", "invalid.action"),
        ("ecs:CreateCluster", ROLE, "no.resource.types"),
        ("ec2:DescribeSubnets", arn("ec2", "subnet/subnet-1"), "must.use.wildcard"),
    ],
)
def test_a_question_that_aws_would_never_ask_is_an_error(evaluator: Evaluator, action: str, resource: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        evaluator.decide(principal(), action, resource, {})


def test_a_policy_that_iam_would_not_accept_is_an_error(evaluator: Evaluator):
    with pytest.raises(ValueError, match=r"policy\.errors"):
        evaluator.decide(
            principal({"Effect": "Permit", "Action": "*", "Resource": "*"}), "ec2:DescribeSubnets", "*", {}
        )


def test_a_registry_that_can_not_be_reached_is_tried_twice_and_then_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(npm, "CACHE", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections and never answers
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        monkeypatch.setattr(npm, "_SILENCE_SECONDS", 1)
        started = time.monotonic()
        with pytest.raises(SandboxError, match="can't be installed from npm") as first:
            evaluator_module.install()
    assert time.monotonic() - started >= 2
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("npm was asked again"))
    with pytest.raises(SandboxError) as second:
        evaluator_module.install()
    assert second.value is first.value


def test_the_statement_that_allows_is_named(evaluator: Evaluator):
    who = principal({"Sid": "Clusters", "Effect": "Allow", "Action": "ecs:CreateCluster", "Resource": "*"})
    ((_, decision),) = decide(evaluator, who, of("ecs", "CreateCluster", clusterName="fileflow"), EMPTY)
    assert (decision.result, decision.allowed_by) == ("Allowed", ("policy: Clusters",))


def test_a_key_by_an_alias_that_does_not_exist_yet_is_not_named(evaluator: Evaluator):
    (asked,) = authorizations(evaluator.reference, of("kms", "DescribeKey", KeyId="alias/aws/dynamodb"), EMPTY)
    assert (asked.action, asked.resource) == ("kms:DescribeKey", arn("kms", "key/unnamed"))


OF_THE_SESSION = {
    "aws:SourceIp": "127.0.0.1",
    "aws:SecureTransport": "true",
    "aws:PrincipalTag/Repository": "my-organization/shop",
}
"""What `enforcement` adds to each principal. That AWS' value is in it is a test of the running local AWS."""


PROPERTIES = {
    arn("ec2", "security-group/sg-1"): {"ec2:Vpc": arn("ec2", "vpc/vpc-1")},
    arn("kms", "key/a"): {"kms:ResourceAliases": ["alias/b"]},
}
EXISTING = ExistingResources(
    ACCOUNT, REGION, tags=lambda _: {"Owner": "team"}, properties=lambda name: PROPERTIES.get(name, {})
)


CREATE = of("ecs", "CreateCluster", clusterName="a", tags=[{"key": "Service", "value": "a"}])
DELETE = of("ecs", "DeleteCluster", cluster="a")
DECIDING: dict[str, tuple[ApiCall, str, str]] = {
    "aws:PrincipalAccount": (DELETE, ACCOUNT, "999999999999"),
    "aws:PrincipalArn": (DELETE, ATLANTIS, f"{ATLANTIS}-other"),
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
        caller = Principal(SESSION, {"policy": policy}, keys=OF_THE_SESSION)
        return {decision.result for _, decision in decide(evaluator, caller, call, EXISTING)}

    assert decisions(fulfilled) == {"Allowed"}
    assert decisions(other) == {"ImplicitlyDenied"}


@pytest.mark.parametrize(
    ("call", "key", "value"), [(ApiCall(*call), key, value) for call, key, value in table(__file__, "supplied")]
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
    caller = Principal(SESSION, {})
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
