"""Replication groups, and the subnets that their nodes are in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, only
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created, names
from sandbox.providers.values import Properties

_AUTH_TOKEN = re.compile(r"[\w!&#$^<>-]{16,128}", re.ASCII)
_GROUP_NAME = re.compile(r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{0,39}(?<!-)", re.ASCII)
_MINOR_FROM = {"valkey": 7, "redis": 6}
"""The first major version whose engineVersion names a minor one only: patches are AWS' own affair."""


class _ElastiCacheResource(AwsResource):
    service = "elasticache"
    tagging: ClassVar = Tagging(
        "ResourceName", tag="add_tags_to_resource", untag="remove_tags_from_resource", path="TagList"
    )

    def create(self, inputs: Properties) -> Created:
        """The id is the name, which ElastiCache writes in lower case."""
        return Created(super().create(inputs).id.lower())

    def tag_target(self, identity: str) -> str:
        return self.found(identity)["ARN"]


class SubnetGroup(_ElastiCacheResource):
    """The subnets, in one zone each, that nodes are put into."""

    sdk_name = "aws:elasticache/subnetGroup:SubnetGroup"
    operation, named = "CreateCacheSubnetGroup", "{name}"
    described: ClassVar = Call("describe_cache_subnet_groups", "CacheSubnetGroupName", "CacheSubnetGroups[0]")
    deleted: ClassVar = Call("delete_cache_subnet_group", "CacheSubnetGroupName")
    listing: ClassVar = Listing("describe_cache_subnet_groups", "CacheSubnetGroups[].CacheSubnetGroupName")
    renamed: ClassVar = {"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription"}
    defaults: ClassVar = {"description": "Managed by Pulumi"}
    in_place: ClassVar = frozenset({"description", "subnetIds"})
    unordered: ClassVar = frozenset({"subnetIds"})

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.modify_cache_subnet_group(**self.request(inputs, "ModifyCacheSubnetGroup"))

    def describe(self, identity: str, state: Properties) -> Properties | None:
        group = self.found(identity)
        return {
            **self.properties(group, "vpcId"),
            "arn": group["ARN"],
            "subnetIds": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
            "tags": self.tags_of(identity),
        }


class ReplicationGroup(_ElastiCacheResource):
    """A primary with its replicas, of one shard."""

    sdk_name = "aws:elasticache/replicationGroup:ReplicationGroup"
    operation, named = "CreateReplicationGroup", "{replicationGroupId}"
    described: ClassVar = Call("describe_replication_groups", "ReplicationGroupId", "ReplicationGroups[0]")
    deleted: ClassVar = Call("delete_replication_group", "ReplicationGroupId")
    listing: ClassVar = Listing("describe_replication_groups", "ReplicationGroups[].ReplicationGroupId")
    available = ("Status", "available")
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
        "applyImmediately authToken authTokenUpdateStrategy autoMinorVersionUpgrade automaticFailoverEnabled description "
        "engineVersion maintenanceWindow multiAzEnabled nodeType numCacheClusters parameterGroupName securityGroupIds "
        "snapshotRetentionLimit snapshotWindow"
    )
    computed: ClassVar = names(
        "atRestEncryptionEnabled autoMinorVersionUpgrade engineVersion maintenanceWindow numCacheClusters parameterGroupName "
        "securityGroupIds snapshotWindow transitEncryptionEnabled transitEncryptionMode"
    )
    unordered: ClassVar = frozenset({"securityGroupIds"})
    secret: ClassVar = frozenset({"authToken"})
    write_only: ClassVar = frozenset({"applyImmediately", "authTokenUpdateStrategy"})

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

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Available first: whoever needs the endpoint needs a group that answers."""
        self._wait(identity)
        modified = changed & (self.in_place - {"numCacheClusters"})
        if modified - self.write_only:
            strategy = {"authTokenUpdateStrategy"} if "authToken" in modified else set()
            parameters = self.request(
                inputs, "ModifyReplicationGroup", only=modified - {"authTokenUpdateStrategy"} | strategy
            )
            parameters |= {"ReplicationGroupId": identity, "ApplyImmediately": bool(inputs.get("applyImmediately"))}
            self.client.modify_replication_group(**parameters)
            self._wait(identity)
        if "numCacheClusters" in changed:
            self._resize(identity, int(inputs["numCacheClusters"]) - 1)
        if "tags" in changed:
            self.retag(identity, inputs)
        self._verify(identity, inputs, modified)

    def _wait(self, identity: str) -> None:
        self.wait_for(identity, limit=3600)

    def _resize(self, identity: str, replicas: int) -> None:
        now = len(_nodes(self.found(identity))) - 1
        if replicas != now:
            change = self.client.increase_replica_count if replicas > now else self.client.decrease_replica_count
            change(ReplicationGroupId=identity, NewReplicaCount=replicas, ApplyImmediately=True)
            self._wait(identity)

    def _verify(self, identity: str, inputs: Properties, modified: frozenset[str]) -> None:
        """Not every local AWS carries out what it accepts: a change that it only nods at is a failure here."""
        if not inputs.get("applyImmediately"):
            return
        seen = self.describe(identity, inputs) or {}
        for name in sorted(modified & seen.keys() & inputs.keys()):
            if _plain(seen[name]) != _plain(inputs[name]):
                raise RuntimeError(f"the local AWS accepted a change of {name} and did not carry it out")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The group's own answer, completed by that of a node: only nodes tell of network, versions and windows."""
        group = self.found(identity)
        members = _nodes(group)
        node = only(self.client.describe_cache_clusters(CacheClusterId=members[0])["CacheClusters"])
        found = self.properties(node) | self.properties(group, "clusterEnabled")
        found |= {
            "arn": group["ARN"],
            "description": group["Description"],
            "automaticFailoverEnabled": group["AutomaticFailover"] in ("enabled", "enabling"),
            "multiAzEnabled": group["MultiAZ"] == "enabled",
            "memberClusters": members,
            "numCacheClusters": len(members),
            "parameterGroupName": node["CacheParameterGroup"]["CacheParameterGroupName"],
            "securityGroupIds": [item["SecurityGroupId"] for item in node.get("SecurityGroups", [])],
            **_versions(group.get("Engine", "redis"), node["EngineVersion"]),
            **_endpoints(group["NodeGroups"][0]),
        }
        if "KmsKeyId" not in group:  # the local AWS forgets it: what the state says stands then
            found["kmsKeyId"] = state.get("kmsKeyId")
        return {**found, "tags": self.tags_of(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """Gone with its nodes; without a last snapshot."""
        self._wait(identity)
        self.client.delete_replication_group(ReplicationGroupId=identity)
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None, limit=3600)


def _nodes(group: Mapping[str, Any]) -> list[str]:
    return [member["CacheClusterId"] for shard in group["NodeGroups"] for member in shard["NodeGroupMembers"]]


def _versions(engine: str, actual: str) -> Properties:
    major, _, rest = actual.partition(".")
    asked = f"{major}.{rest.partition('.')[0]}" if int(major) >= _MINOR_FROM.get(engine, 7) else actual
    return {"engineVersion": asked, "engineVersionActual": actual}


def _endpoints(node_group: Mapping[str, Any]) -> Properties:
    primary = node_group["PrimaryEndpoint"]
    reader = node_group.get("ReaderEndpoint", primary)
    return {
        "primaryEndpointAddress": primary["Address"],
        "readerEndpointAddress": reader["Address"],
        "port": primary["Port"],
    }


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else str(value).lower()
