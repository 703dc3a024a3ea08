"""Secrets stay secret, previews know what they can know, and a look at AWS finds what has changed there."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.proto.provider_pb2 import DiffResponse

from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.values import UNKNOWN, decode, encode
from tests.sandbox.providers.examples import EXAMPLES, Ids
from tests.sandbox.providers.plugin import Plugin, urn

VERSION, SECRET = "aws:secretsmanager/secretVersion:SecretVersion", "aws:secretsmanager/secret:Secret"
VALUE = '{"webhook_secret": "hunter2"}'


def test_a_secret_input_is_a_secret_output(plugin: Plugin, objects: Ids) -> None:
    name = urn("aws:ecs/taskDefinition:TaskDefinition", "secret")
    inputs = plugin.check(name, EXAMPLES["aws:ecs/taskDefinition:TaskDefinition"].inputs(objects)).inputs
    secret = {"containerDefinitions", "tags"}
    assert plugin.create(name, inputs, secret, preview=True).secrets == secret | {"tagsAll"}
    made = plugin.create(name, inputs, secret)
    assert made.secrets == secret | {"tagsAll"}
    request = provider_pb2.ReadRequest(
        urn=name, id=made.id, inputs=encode(inputs, secret), properties=encode(made.outputs, made.secrets)
    )
    response = plugin.stub.Read(request)
    assert decode(response.inputs)[1] == secret
    assert decode(response.properties)[1] == secret | {"tagsAll"}
    plugin.delete(name, made.id, made.outputs)


def test_a_secrets_value_is_secret_whatever_the_program_says(plugin: Plugin, objects: Ids) -> None:
    name = urn(VERSION, "value")
    inputs = plugin.check(name, {"secretId": objects["secret"], "secretString": VALUE}).inputs
    made = plugin.create(name, inputs)
    assert "secretString" in made.secrets
    response = plugin.stub.Read(provider_pb2.ReadRequest(urn=name, id=made.id))
    assert decode(response.properties)[0]["secretString"] == VALUE
    assert decode(response.properties)[1] >= {"secretString"}
    assert decode(response.inputs)[1] >= {"secretString"}


def test_a_checked_secret_stays_one(plugin: Plugin, objects: Ids) -> None:
    news = encode({"secretId": objects["secret"], "secretString": VALUE}, {"secretString"})
    response = plugin.stub.Check(provider_pb2.CheckRequest(urn=urn(VERSION, "kept"), news=news))
    assert decode(response.inputs) == ({"secretId": objects["secret"], "secretString": VALUE}, {"secretString"})


def test_no_secret_is_left_in_the_record_of_pending_creations(
    plugin: Plugin, provider_state: Any, objects: Ids
) -> None:
    name = urn(VERSION, "journal")
    inputs = plugin.check(name, {"secretId": objects["secret"], "secretString": VALUE}).inputs
    plugin.create(name, inputs, {"secretString"})
    written = [file.read_text() for file in (provider_state / "providers").rglob("*.json")]
    assert any(name in text for text in written)
    assert not any("hunter2" in text for text in written)


def test_a_preview_knows_the_inputs_and_nothing_else(plugin: Plugin, aws: LocalAws) -> None:
    name = urn("aws:ecr/repository:Repository", "preview")
    inputs = plugin.check(name, {"name": "preview", "tags": {"a": "b"}}).inputs
    made = plugin.create(name, inputs, preview=True)
    assert made.outputs["name"] == "preview"
    assert made.outputs["tagsAll"] == {"a": "b"}
    assert made.outputs["repositoryUrl"] is UNKNOWN
    assert made.outputs["arn"] is UNKNOWN
    names = [item["repositoryName"] for item in aws.client("ecr").describe_repositories()["repositories"]]
    assert "preview" not in names


def test_a_preview_of_an_update_changes_nothing(plugin: Plugin, aws: LocalAws) -> None:
    name = urn("aws:cloudwatch/logGroup:LogGroup", "preview")
    old = plugin.check(name, {"name": "/preview", "retentionInDays": 7}).inputs
    made = plugin.create(name, old)
    new = plugin.check(name, {"name": "/preview", "retentionInDays": 30}, old).inputs
    request = provider_pb2.UpdateRequest(
        urn=name, id=made.id, olds=encode(made.outputs), news=encode(new), old_inputs=encode(old), preview=True
    )
    outputs, _ = decode(plugin.stub.Update(request).properties)
    assert (outputs["retentionInDays"], outputs["arn"]) == (30, made.outputs["arn"])
    group = aws.client("logs").describe_log_groups(logGroupNamePrefix="/preview")["logGroups"][0]
    assert group["retentionInDays"] == 7
    plugin.delete(name, made.id, made.outputs)


def test_an_unknown_value_is_a_change(plugin: Plugin) -> None:
    name = urn("aws:cloudwatch/logGroup:LogGroup", "unknown")
    old = plugin.check(name, {"name": "/unknown"}).inputs
    difference = plugin.diff(name, "/unknown", old, old, {**old, "kmsKeyId": UNKNOWN})
    assert list(difference.diffs) == ["kmsKeyId"]
    assert difference.detailedDiff["kmsKeyId"].kind == provider_pb2.PropertyDiff.ADD


def test_ignored_changes_are_ignored(plugin: Plugin) -> None:
    name = urn("aws:cloudwatch/logGroup:LogGroup", "ignored")
    old = plugin.check(name, {"name": "/ignored", "retentionInDays": 7}).inputs
    request = provider_pb2.DiffRequest(
        urn=name,
        id="/ignored",
        olds=encode(old),
        news=encode({**old, "retentionInDays": 30}),
        old_inputs=encode(old),
        ignoreChanges=["retentionInDays"],
    )
    assert plugin.stub.Diff(request).changes == DiffResponse.DIFF_NONE


DOCUMENTS = [
    ('{"Statement": [{"Action": ["a", "b"]}]}', '{"Statement":{"Action":["b","a"]}}', True),
    ('{"Statement": [{"Action": "a"}]}', '{"Statement": [{"Action": ["a"]}]}', True),
    ('{"Statement": [{"Action": "a"}]}', '{"Statement": [{"Action": "b"}]}', False),
    ('{"Statement": [{"Action": "a"}]}', '{"Statement": [{"Action": "a", "Sid": "x"}]}', False),
]


@pytest.mark.parametrize(("old", "new", "same"), DOCUMENTS)
def test_policies_are_compared_by_meaning(plugin: Plugin, old: str, new: str, *, same: bool) -> None:
    name = urn("aws:s3/bucketPolicy:BucketPolicy", "meaning")
    inputs = {"bucket": "b", "policy": old}
    difference = plugin.diff(name, "b", inputs, inputs, {**inputs, "policy": new})
    assert (difference.changes == DiffResponse.DIFF_NONE) is same


def test_finds_drift_and_repairs_it(plugin: Plugin, aws: LocalAws, objects: Ids) -> None:
    name = urn("aws:iam/role:Role", "drift")
    inputs = plugin.check(name, {**EXAMPLES["aws:iam/role:Role"].inputs(objects), "name": "drift"}).inputs
    made = plugin.create(name, inputs)
    iam = aws.client("iam")
    iam.update_role(RoleName="drift", Description="Changed by hand", MaxSessionDuration=7200)
    iam.tag_role(RoleName="drift", Tags=[{"Key": "by", "Value": "hand"}])
    _, found, outputs = plugin.read(name, made.id, inputs, made.outputs)
    assert (found["description"], found["maxSessionDuration"]) == ("Changed by hand", 7200)
    difference = plugin.diff(name, made.id, outputs, found, inputs)
    assert set(difference.diffs) == {"description", "maxSessionDuration", "tags", "tagsAll"}
    plugin.update(name, made.id, outputs, found, inputs)
    role = iam.get_role(RoleName="drift")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("Example", 3600)
    assert iam.list_role_tags(RoleName="drift")["Tags"] == [{"Key": "Name", "Value": "role"}]
    plugin.delete(name, made.id, made.outputs)


def test_finds_rules_added_to_a_closed_group(plugin: Plugin, aws: LocalAws, objects: Ids) -> None:
    name = urn("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "drift")
    inputs = plugin.check(name, {"vpcId": objects["vpc"], "ingress": [], "egress": []}).inputs
    made = plugin.create(name, inputs)
    opened = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    aws.client("ec2").authorize_security_group_ingress(GroupId=made.id, IpPermissions=opened)
    _, found, outputs = plugin.read(name, made.id, inputs, made.outputs)
    assert list(plugin.diff(name, made.id, outputs, found, inputs).diffs) == ["ingress"]
    plugin.update(name, made.id, outputs, found, inputs)
    group = aws.client("ec2").describe_security_groups(GroupIds=[made.id])["SecurityGroups"][0]
    assert group["IpPermissions"] == []


def test_says_that_what_was_deleted_by_hand_is_gone(plugin: Plugin, aws: LocalAws) -> None:
    name = urn(SECRET, "gone")
    inputs = plugin.check(name, {"name": "gone", "recoveryWindowInDays": 0}).inputs
    made = plugin.create(name, inputs)
    aws.client("secretsmanager").delete_secret(SecretId=made.id, ForceDeleteWithoutRecovery=True)
    assert plugin.read(name, made.id, inputs, made.outputs) == ("", {}, {})
    plugin.delete(name, made.id, made.outputs)


def test_a_secret_in_its_recovery_window_is_gone(plugin: Plugin, aws: LocalAws) -> None:
    name = urn(SECRET, "window")
    made = plugin.create(name, plugin.check(name, {"name": "window"}).inputs)
    plugin.delete(name, made.id, made.outputs)
    assert aws.client("secretsmanager").describe_secret(SecretId=made.id)["DeletedDate"]
    assert plugin.read(name, made.id)[0] == ""


def test_a_value_that_comes_back_is_current_again(plugin: Plugin, aws: LocalAws, objects: Ids) -> None:
    name = urn(VERSION, "back")
    for value in ("one", "two", "one"):
        plugin.create(name, plugin.check(name, {"secretId": objects["other_secret"], "secretString": value}).inputs)
        current = aws.client("secretsmanager").get_secret_value(SecretId=objects["other_secret"])
        assert current["SecretString"] == value


REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"


def test_a_change_that_the_local_aws_only_nods_at_is_a_failure(plugin: Plugin, objects: Ids) -> None:
    name = urn(REPLICATION_GROUP, "nodded")
    asked = {**EXAMPLES[REPLICATION_GROUP].inputs(objects), "replicationGroupId": "nodded"}
    inputs = plugin.check(name, asked).inputs
    made = plugin.create(name, inputs)
    other = plugin.check(name, {**asked, "securityGroupIds": [objects["other_security_group"]]}, inputs).inputs
    with pytest.raises(grpc.RpcError) as failure:
        plugin.update(name, made.id, made.outputs, inputs, other)
    assert "accepted a change of securityGroupIds and did not carry it out" in str(failure.value)
    plugin.delete(name, made.id, made.outputs)
