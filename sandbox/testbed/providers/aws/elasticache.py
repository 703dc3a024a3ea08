"""Replication groups and subnet groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Tagging
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties

_MINOR_FROM = {"valkey": 7, "redis": 6}
"""First major version whose `engineVersion` consists of major and minor only; AWS chooses the patch version."""


class ElastiCacheResource(AwsResource):
    service = "elasticache"
    tagging: ClassVar = Tagging(
        "ResourceName", tag="add_tags_to_resource", untag="remove_tags_from_resource", path="TagList", by="ARN"
    )

    def create(self, inputs: Properties) -> Created:
        """The id is the name, which ElastiCache converts to lower case."""
        return Created(super().create(inputs).id.lower())


class ReplicationGroup(ElastiCacheResource):
    """A replication group with one shard: a primary and its replicas."""

    sdk_name = "aws:elasticache/replicationGroup:ReplicationGroup"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """The provider has a pattern for versions that can be requested."""
        engine, version = inputs.get("engine", "redis"), inputs.get("engineVersion")
        if isinstance(version, str) and not re.fullmatch(
            r"[78]\.\d" if engine == "valkey" else r"[567]\.[\dx]+(\.\d+)?", version
        ):
            yield "engineVersion", f"{version!r} is no version of {engine} that can be asked for, such as 8.0 of valkey"

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
        (node,) = self.client.describe_cache_clusters(CacheClusterId=members[0])["CacheClusters"]
        return self.shown_as(identity, {**node, **group, "Members": members}, state)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        found = super().shown_as(identity, answer, state)
        return found | _versions(answer.get("Engine", "redis"), answer["EngineVersion"])

    def remove(self, identity: str, state: Properties) -> None:
        self.wait_for(identity)
        super().remove(identity, state)


def _nodes(group: Mapping[str, Any]) -> list[str]:
    return [member["CacheClusterId"] for shard in group["NodeGroups"] for member in shard["NodeGroupMembers"]]


def _versions(engine: str, actual: str) -> Properties:
    major, _, rest = actual.partition(".")
    asked = f"{major}.{rest.partition('.')[0]}" if int(major) >= _MINOR_FROM.get(engine, 7) else actual
    return {"engineVersion": asked, "engineVersionActual": actual}
