"""What a sample of mutants showed to be untested: nested unknown paths, group memberships, native properties, boundaries."""

from types import SimpleNamespace
from typing import Any

import pytest

from evaluation.resources import Resource, Stack
from evaluation.values import UNKNOWN as VALUE_UNKNOWN
from tests.policy.rows import ACCOUNT, allow, document, known, one
from tests.policy.servicer import UNKNOWN, Pack, Planned

KEY = one("kms/key", "key", isEnabled=False, customerMasterKeySpec="SYMMETRIC_DEFAULT")


def _found(*resources: Planned, **configuration: Any) -> set[tuple[str, str, str]]:
    return {(each.policy, each.check, each.name) for each in Pack(configuration).review(*resources)}


def _source(urn: str, kind: str, properties: dict[str, Any], dependencies: dict[str, list[Any]]) -> Any:
    return SimpleNamespace(
        resource_type=f"aws:{kind}:X",
        props=properties,
        urn=urn,
        name=urn,
        opts=None,
        property_dependencies=dependencies,
    )


@pytest.mark.parametrize(
    ("dependencies", "expected"), [({"block": []}, VALUE_UNKNOWN), ({"block.inner": []}, None), ({}, None)]
)
def test_nested_unknown_value_is_the_authors_if_its_top_level_property_is_recorded(
    dependencies: dict[str, list[Any]], expected: Any
) -> None:
    resource = Resource(_source("a", "x/y", {}, dependencies), "x/y")
    resource.properties = {"block": {"inner": VALUE_UNKNOWN}}
    assert resource.stated("block.inner") is expected


def test_nested_unknown_reference_leads_to_the_resource_that_its_top_level_property_depends_on() -> None:
    target = _source("key", "kms/key", {}, {})
    user = _source("user", "dynamodb/table", {"serverSideEncryption": {}}, {"serverSideEncryption": [target]})
    stack = Stack([target, user])
    (table,) = stack.of("dynamodb/table")
    table.properties = {"serverSideEncryption": {"kmsKeyArn": VALUE_UNKNOWN}}
    assert [each.urn for each in stack.linked(table, "serverSideEncryption.kmsKeyArn", "kms/key")] == ["key"]


def test_key_in_a_nested_property_is_followed_in_the_first_preview() -> None:
    table = known(
        one("dynamodb/table", "table", serverSideEncryption={"enabled": True, "kmsKeyArn": UNKNOWN}),
        serverSideEncryption=("key",),
    )
    assert ("encryption-stack", "key-resolved", "table") in _found(KEY, table)


def test_native_property_leads_to_the_key_that_the_native_block_depends_on() -> None:
    key = Planned("aws-native:kms:Key", "key", {"enabled": False, "enableKeyRotation": True})
    stream = Planned(
        "aws-native:kinesis:Stream",
        "stream",
        {"streamEncryption": {"encryptionType": "KMS", "keyId": UNKNOWN}},
        {"streamEncryption": ("key",)},
    )
    assert ("encryption-stack", "key-resolved", "stream") in _found(key, stream)


def test_default_that_is_disabled_excuses_no_disk() -> None:
    volume = one("ebs/volume", "volume", size=8)
    assert ("encryption-stack", "at-rest", "volume") in _found(
        volume, one("ebs/encryptionByDefault", "off", enabled=False)
    )
    assert ("encryption-stack", "at-rest", "volume") not in _found(volume, one("ebs/encryptionByDefault", "on"))


def test_message_names_the_whole_path_of_a_disk_of_a_template() -> None:
    template = one("ec2/launchTemplate", "hosts", blockDeviceMappings=[{"ebs": {"volumeSize": 8}}])
    (found,) = [each.message for each in Pack().review(template) if each.policy == "encryption-stack"]
    assert "Fix: set blockDeviceMappings[0].ebs.encrypted to true." in found


def test_default_of_another_region_excuses_no_disk() -> None:
    default = one("ebs/encryptionByDefault", "default", region="eu-west-1")
    disks = [one("ebs/volume", region, size=8, region=region) for region in ("eu-west-1", "us-east-1")]
    found = {name for policy, _, name in _found(default, *disks) if policy == "encryption-stack"}
    assert found == {"us-east-1"}


@pytest.mark.parametrize(("members", "expected"), [(["alice"], True), (["bob"], False)])
def test_member_of_a_group_has_the_policies_of_the_group(members: list[str], expected: bool) -> None:
    statement = allow(Action="iam:PutUserPolicy", Resource=f"arn:aws:iam::{ACCOUNT}:user/alice")
    found = _found(
        *(one("iam/user", name, name=name) for name in ("alice", "bob")),
        one("iam/group", "developers", name="developers"),
        one("iam/groupPolicy", "policy", group="developers", policy=document(statement)),
        one("iam/groupMembership", "membership", users=members, group="developers"),
    )
    assert (("role-escalation", "self-escalation", "policy") in found) is expected


@pytest.mark.parametrize(("hops", "expected"), [(1, False), (2, False), (3, True)])
def test_hop_limit_of_two_is_the_last_that_passes(hops: int, expected: bool) -> None:
    instance = one("ec2/instance", "vm", metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": hops})
    assert (("hardening", "instance-metadata", "vm") in _found(instance)) is expected


@pytest.mark.parametrize(
    ("script", "expected"), [("echo ECS_CLUSTER=ci >> /etc/ecs/ecs.config", True), ("echo hello", False)]
)
def test_group_of_an_interface_in_a_template_is_the_group_of_its_instances(script: str, expected: bool) -> None:
    template = one("ec2/launchTemplate", "hosts", userData=script, networkInterfaces=[{"securityGroups": ["sg-1"]}])
    group = one("ec2/securityGroup", "group", id="sg-1")
    rule = one("vpc/securityGroupIngressRule", "rule", securityGroupId="sg-1", ipProtocol="tcp", cidrIpv4="0.0.0.0/0")
    assert (("cidr-restriction", "ranges", "rule") in _found(template, group, rule)) is expected


def test_scaling_target_of_an_unknown_namespace_counts_as_a_target_of_ecs() -> None:
    arn = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/app:1"
    volume = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
    container = '[{"name": "a", "image": "ghcr.io/runatlantis/atlantis:v1", "mountPoints": [{"sourceVolume": "data"}]}]'
    found = _found(
        one("ecs/service", "service", name="app", cluster="ci", taskDefinition=arn, desiredCount=1),
        one("ecs/taskDefinition", "task", family="app", arn=arn, volumes=[volume], containerDefinitions=container),
        one("appautoscaling/target", "scaling", serviceNamespace=UNKNOWN, resourceId="service/ci/app", maxCapacity=3),
    )
    assert ("single-task", "autoscaling", "scaling") in found
