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
ROLE, SESSION = f"arn:aws:iam::{ACCOUNT}:role/fileflow-api", f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis/task"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


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


def document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def principal(*statements: dict[str, Any], **limits: Any) -> Principal:
    return Principal(SESSION, {"policy": document([*statements])} if statements else {}, **limits)


@pytest.mark.parametrize("row", table(__file__, "decisions").values(), ids=table(__file__, "decisions"))
def test_a_call_is_decided_by_the_policies_and_by_what_exists(evaluator: Evaluator, row: dict[str, Any]):
    limits = {kind: document(row[kind]) for kind in ("boundary", "session") if kind in row}
    found = row.get("existing", {})
    existing = ExistingResources(
        ACCOUNT,
        REGION,
        tags=lambda _: found.get("tags", {}),
        boundary_of={ROLE: found.get("boundary")}.get,
        resource_policy=lambda _: document(found["policy"]) if "policy" in found else None,
    )
    who = principal(*row["statements"], **limits)
    ((_, decision),) = decide(evaluator, who, ApiCall(*row["call"]), existing)
    assert decision.result == row["result"]
    assert row.get("by") in (None, *(decision.denied_by or decision.allowed_by))


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


@pytest.mark.parametrize("named", table(__file__, "named"), ids=lambda named: named[1])
def test_a_role_that_is_only_named_is_not_passed(evaluator: Evaluator, named: list[Any]):
    asked = authorizations(evaluator.reference, ApiCall(*named), EMPTY)
    assert "iam:PassRole" not in {item.action for item in asked}


NOTHING_OF_S3 = document([{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}])


@pytest.mark.parametrize(("identity", "limits", "statement", "expected"), table(__file__, "rules"))
def test_a_rule_of_iam(
    evaluator: Evaluator, identity: dict[str, Any], limits: list[str], statement: dict[str, Any] | None, expected: str
):
    keys = {"aws:SourceIp": "2001:db8::7", "aws:PrincipalTag/Team": "fileflow"}
    policies = {"policy": {"Version": "2012-10-17"} | identity}
    who = Principal(SESSION, policies, keys=keys, **dict.fromkeys(limits, NOTHING_OF_S3))
    resource = document([statement]) if statement else None
    assert evaluator.decide(who, "s3:ListBucket", "arn:aws:s3:::fileflow", {}, resource).result == expected


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


def test_a_key_by_an_alias_that_does_not_exist_yet_is_not_named(evaluator: Evaluator):
    (asked,) = authorizations(
        evaluator.reference, ApiCall("kms", "DescribeKey", {"KeyId": "alias/aws/dynamodb"}), EMPTY
    )
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


@pytest.mark.parametrize("key", SUPPLIED)
def test_every_supplied_key_decides(evaluator: Evaluator, key: str):
    row = table(__file__, "deciding")[key]

    def decisions(value: str) -> set[str]:
        condition = {row.get("operator", "StringEquals"): {row.get("key", key): value}}
        caller = principal(
            {"Effect": "Allow", "Action": "ecs:*", "Resource": "*", "Condition": condition}, keys=OF_THE_SESSION
        )
        return {decision.result for _, decision in decide(evaluator, caller, ApiCall(*row["call"]), EXISTING)}

    assert decisions(row["fulfilled"]) == {"Allowed"}
    assert decisions(row["other"]) == {"ImplicitlyDenied"}


@pytest.mark.parametrize(
    ("call", "key", "value"), [(ApiCall(*call), key, value) for call, key, value in table(__file__, "supplied")]
)
def test_a_call_supplies_the_keys_of_its_service(evaluator: Evaluator, call: ApiCall, key: str, value: Any):
    assert value in [item.keys.get(key) for item in authorizations(evaluator.reference, call, EXISTING)]


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
