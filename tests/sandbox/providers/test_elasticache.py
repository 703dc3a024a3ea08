"""What ElastiCache would refuse of a replication group, and what becomes of its password."""

from __future__ import annotations

import grpc
import pytest

from sandbox.testbed.local_aws import LocalAws
from tests.sandbox.providers.examples import EXAMPLES, Ids
from tests.sandbox.providers.plugin import Plugin, urn

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
TOKEN = "first-token-of-the-example"


def test_a_refused_password_is_not_shown(plugin: Plugin, objects: Ids) -> None:
    inputs = {**EXAMPLES[GROUP].inputs(objects), "authToken": "short"}
    reason = plugin.check(urn(GROUP, "short"), inputs).failures["authToken"]
    assert "16 to 128" in reason
    assert "short" not in reason


def test_the_password_is_secret_and_demanded_over_tls_by_two_nodes(plugin: Plugin, aws: LocalAws, objects: Ids) -> None:
    name = urn(GROUP, "password")
    asked = {**EXAMPLES[GROUP].inputs(objects), "replicationGroupId": "password"}
    made = plugin.create(name, plugin.check(name, asked).inputs)
    assert "authToken" in made.secrets
    group = aws.client("elasticache").describe_replication_groups(ReplicationGroupId="password")
    described = group["ReplicationGroups"][0]
    assert (described["AuthTokenEnabled"], described["TransitEncryptionMode"]) == (True, "required")
    assert (described["AutomaticFailover"], described["MultiAZ"]) == ("enabled", "enabled")
    assert len(described["NodeGroups"][0]["NodeGroupMembers"]) == 2
    plugin.delete(name, made.id, made.outputs)


def test_a_change_that_the_local_aws_only_nods_at_is_a_failure(plugin: Plugin, objects: Ids) -> None:
    name = urn(GROUP, "nodded")
    asked = {**EXAMPLES[GROUP].inputs(objects), "replicationGroupId": "nodded"}
    inputs = plugin.check(name, asked).inputs
    made = plugin.create(name, inputs)
    other = plugin.check(name, {**asked, "securityGroupIds": [objects["other_security_group"]]}, inputs).inputs
    with pytest.raises(grpc.RpcError) as failure:
        plugin.update(name, made.id, made.outputs, inputs, other)
    assert "accepted a change of securityGroupIds and did not carry it out" in str(failure.value)
    plugin.delete(name, made.id, made.outputs)
