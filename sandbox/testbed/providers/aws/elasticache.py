"""Replication groups and subnet groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource, only
from sandbox.testbed.providers.aws.calls import Call, Change, Tagging
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.resource import Created, names
from sandbox.testbed.providers.values import Properties

_AUTH_TOKEN = re.compile(r"[\w!&#$^<>-]{16,128}", re.ASCII)
_GROUP_NAME = re.compile(r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{0,39}(?<!-)", re.ASCII)
_MINOR_FROM = {"valkey": 7, "redis": 6}
"""First major version whose `engineVersion` consists of major and minor only; AWS chooses the patch version."""


class _ElastiCacheResource(AwsResource):
    service = "elasticache"
    tagging: ClassVar = Tagging(
        "ResourceName", tag="add_tags_to_resource", untag="remove_tags_from_resource", path="TagList"
    )

    def create(self, inputs: Properties) -> Created:
        """The id is the name, which ElastiCache converts to lower case."""
        return Created(super().create(inputs).id.lower())

    def tag_target(self, identity: str) -> str:
        return self.found(identity, {})["ARN"]


class SubnetGroup(_ElastiCacheResource):
    """The subnets in which ElastiCache creates nodes."""

    sdk_name = "aws:elasticache/subnetGroup:SubnetGroup"
    operation, named = "CreateCacheSubnetGroup", "{name}"
    described: ClassVar = Call("describe_cache_subnet_groups", "CacheSubnetGroupName", "CacheSubnetGroups[0]")
    deleted: ClassVar = Call("delete_cache_subnet_group", "CacheSubnetGroupName")
    listing: ClassVar = Listing("describe_cache_subnet_groups", "CacheSubnetGroups[].CacheSubnetGroupName")
    renamed: ClassVar = {"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription"}
    defaults: ClassVar = {"description": "Managed by Pulumi"}
    updates: ClassVar = (Change("modify_cache_subnet_group", names("description subnetIds")),)
    unordered: ClassVar = names("subnetIds")
    outputs = ("vpcId", "arn")
    shown: ClassVar = {"subnetIds": "Subnets[].SubnetIdentifier"}


class ReplicationGroup(_ElastiCacheResource):
    """A replication group with one shard: a primary and its replicas."""

    sdk_name = "aws:elasticache/replicationGroup:ReplicationGroup"
    operation, named = "CreateReplicationGroup", "{replicationGroupId}"
    described: ClassVar = Call("describe_replication_groups", "ReplicationGroupId", "ReplicationGroups[0]")
    deleted: ClassVar = Call("delete_replication_group", "ReplicationGroupId")
    listing: ClassVar = Listing("describe_replication_groups", "ReplicationGroups[].ReplicationGroupId")
    available = "Status == 'available'"
    patience = 3600
    goes_slowly = True  # deletes its nodes, without a final snapshot
    name_property = "replicationGroupId"
    renamed: ClassVar = {
        "clusterMode": "-",
        "description": "ReplicationGroupDescription",
        "ipDiscovery": "-",
        "nodeType": "CacheNodeType",
        "subnetGroupName": "CacheSubnetGroupName",
        "parameterGroupName": "CacheParameterGroupName",
        "securityGroupNames": "CacheSecurityGroupNames",
        "maintenanceWindow": "PreferredMaintenanceWindow",
        "nodeGroupConfigurations": "NodeGroupConfiguration",
    }
    limits: ClassVar = {"authTokenUpdateStrategy": "ModifyReplicationGroup.AuthTokenUpdateStrategy"}
    defaults: ClassVar = {"engine": "redis", "applyImmediately": False}
    in_place: ClassVar = names(
        "authToken autoMinorVersionUpgrade automaticFailoverEnabled description "
        "engineVersion maintenanceWindow multiAzEnabled nodeType numCacheClusters parameterGroupName securityGroupIds "
        "snapshotRetentionLimit snapshotWindow"
    )
    unordered: ClassVar = names("securityGroupIds")
    outputs = ("arn", "clusterEnabled")
    shown: ClassVar = {
        "description": "Description",
        "automaticFailoverEnabled": "contains(['enabled', 'enabling'], AutomaticFailover)",
        "multiAzEnabled": "MultiAZ == 'enabled'",
        "memberClusters": "Members",
        "numCacheClusters": "length(Members)",
        "parameterGroupName": "CacheParameterGroup.CacheParameterGroupName",
        "securityGroupIds": "SecurityGroups[].SecurityGroupId || `[]`",
        "primaryEndpointAddress": "NodeGroups[0].PrimaryEndpoint.Address",
        "readerEndpointAddress": "NodeGroups[0] | (ReaderEndpoint || PrimaryEndpoint).Address",
        "port": "NodeGroups[0].PrimaryEndpoint.Port",
    }
    secret: ClassVar = names("authToken")
    write_only: ClassVar = names("applyImmediately authTokenUpdateStrategy")

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        name = inputs.get("replicationGroupId")
        if isinstance(name, str) and not _GROUP_NAME.fullmatch(name):
            yield (
                "replicationGroupId",
                f"{name!r} must be 1 to 40 letters, digits and single hyphens, from a letter on, not ending in a hyphen",
            )
        if inputs.get("numCacheClusters", 2) < 2 and inputs.get("automaticFailoverEnabled"):
            yield "automaticFailoverEnabled", "needs numCacheClusters of 2 or more"
        if inputs.get("multiAzEnabled") and not inputs.get("automaticFailoverEnabled"):
            yield "multiAzEnabled", "needs automaticFailoverEnabled"
        if inputs.get("kmsKeyId") and not inputs.get("atRestEncryptionEnabled"):
            yield "kmsKeyId", "needs atRestEncryptionEnabled"
        yield from self._authentication(inputs)
        engine, version = inputs.get("engine", "redis"), inputs.get("engineVersion")
        if isinstance(version, str) and not re.fullmatch(
            r"[78]\.\d" if engine == "valkey" else r"[567]\.[\dx]+(\.\d+)?", version
        ):
            yield "engineVersion", f"{version!r} is no version of {engine} that can be asked for, such as 8.0 of valkey"

    def _authentication(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        token = inputs.get("authToken")
        if token is None:
            return
        if not inputs.get("transitEncryptionEnabled"):
            yield "authToken", "needs transitEncryptionEnabled"
        if inputs.get("transitEncryptionMode") == "preferred":
            yield "transitEncryptionMode", "must be required with an authToken"
        if isinstance(token, str) and not _AUTH_TOKEN.fullmatch(token):
            yield "authToken", "must be 16 to 128 letters, digits and !&#$^<>-"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        modified = changed & (self.in_place - {"numCacheClusters"})
        if modified - self.write_only:
            strategy = {"authTokenUpdateStrategy"} if "authToken" in modified else set()
            chosen = modified - {"authTokenUpdateStrategy"} | strategy
            parameters = self.request(inputs, "ModifyReplicationGroup", only=chosen)
            parameters |= {"ReplicationGroupId": identity, "ApplyImmediately": bool(inputs.get("applyImmediately"))}
            self.client.modify_replication_group(**parameters)
            self.wait_for(identity)
        if "numCacheClusters" in changed:
            self._resize(identity, int(inputs["numCacheClusters"]) - 1)
        self._verify(identity, inputs, modified)

    def _resize(self, identity: str, replicas: int) -> None:
        now = len(_nodes(self.found(identity, {}))) - 1
        if replicas != now:
            change = self.client.increase_replica_count if replicas > now else self.client.decrease_replica_count
            change(ReplicationGroupId=identity, NewReplicaCount=replicas, ApplyImmediately=True)
            self.wait_for(identity)

    def _verify(self, identity: str, inputs: Properties, modified: frozenset[str]) -> None:
        """The local AWS may accept a change without applying it; that is an error here."""
        if not inputs.get("applyImmediately"):
            return
        seen = self.describe(identity, inputs) or {}
        for name in sorted(modified & seen.keys() & inputs.keys()):
            if not self.comparison.same(name, inputs[name], seen[name]):
                raise RuntimeError(f"the local AWS accepted a change of {name} and did not carry it out")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The group's description and a node's: only nodes have the network, version and window properties."""
        group = self.found(identity, state)
        members = _nodes(group)
        node = only(self.client.describe_cache_clusters(CacheClusterId=members[0])["CacheClusters"])
        return self.shown_as(identity, {**node, **group, "Members": members}, state)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """If the local AWS doesn't return the KMS key, keep the value in the state."""
        found = super().shown_as(identity, answer, state)
        found |= _versions(answer.get("Engine", "redis"), answer["EngineVersion"])
        return found if "KmsKeyId" in answer else {**found, "kmsKeyId": state.get("kmsKeyId")}

    def remove(self, identity: str, state: Properties) -> None:
        self.wait_for(identity)
        super().remove(identity, state)


def _nodes(group: Mapping[str, Any]) -> list[str]:
    return [member["CacheClusterId"] for shard in group["NodeGroups"] for member in shard["NodeGroupMembers"]]


def _versions(engine: str, actual: str) -> Properties:
    major, _, rest = actual.partition(".")
    asked = f"{major}.{rest.partition('.')[0]}" if int(major) >= _MINOR_FROM.get(engine, 7) else actual
    return {"engineVersion": asked, "engineVersionActual": actual}
