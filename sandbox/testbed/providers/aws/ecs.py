"""Clusters and task definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws import calls
from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Tagging
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties


class EcsResource(AwsResource):
    """A resource that is tagged by its ARN."""

    service = "ecs"
    tagging: ClassVar = Tagging("resourceArn")


class Cluster(EcsResource):
    """A cluster."""

    sdk_name = "aws:ecs/cluster:Cluster"

    def locate(self, import_id: str) -> Created:
        """The import id is the cluster's name."""
        return Created(self.backend.arn("ecs", f"cluster/{import_id}"))


class ClusterCapacityProviders(EcsResource):
    """The capacity providers of a cluster."""

    sdk_name = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {"capacityProviders": [], "defaultCapacityProviderStrategy": [], **self.request(inputs)}

    def describe(self, identity: str, state: Properties) -> Properties | None:
        found = super().describe(identity, state) or {}
        return found if found["capacityProviders"] or not state.get("capacityProviders") else None

    def remove(self, identity: str, state: Properties) -> None:
        if self.read(identity, state) is not None:
            self.client.put_cluster_capacity_providers(**self.parameters({"clusterName": identity}))


class TaskDefinition(EcsResource):
    """A revision of a task definition family. Every change creates a new revision."""

    sdk_name = "aws:ecs/taskDefinition:TaskDefinition"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """The provider parses the container definitions as the API's type."""
        failures = list(super().rules(inputs))
        yield from failures
        if failures or "containerDefinitions" not in inputs:
            return
        from botocore.validate import ParamValidator  # noqa: PLC0415  (only if there are containers to validate)

        api = calls.input_shape(self.client, self.operation).members["containerDefinitions"]
        report = ParamValidator().validate(json.loads(inputs["containerDefinitions"]), api)
        if report.has_errors():
            yield "containerDefinitions", report.generate_report()

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return self.request({**inputs, "containerDefinitions": json.loads(inputs["containerDefinitions"])})

    def create(self, inputs: Properties) -> Created:
        """The id is the family; the ARN distinguishes revisions."""
        made = super().create(inputs)
        return Created(inputs["family"], {"arn": made.id})

    @staticmethod
    def key(identity: str, state: Properties) -> str:
        """The ARN: all revisions of a family share the id."""
        return state.get("arn") or identity

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        super().configure(self.known["arn"], inputs, changed)

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        """The revision in the state, or the latest revision of the family."""
        return super().found(self.key(identity, state), state)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        arn = answer["taskDefinitionArn"]
        found = {"volumes": [], **super().shown_as(identity, answer, state)}
        found |= {"arn": arn, "arnWithoutRevision": arn.rpartition(":")[0]}
        found["containerDefinitions"] = self._shown_containers(answer["containerDefinitions"], state)
        return found

    def _shown_containers(self, containers: list[Any], state: Properties) -> str:
        """The program's text, if ECS added only empty defaults."""
        asked = state.get("containerDefinitions")
        if isinstance(asked, str):
            wanted = json.loads(asked)
            if len(wanted) == len(containers) and all(map(_covers, wanted, containers)):
                return asked
        return json.dumps([_plain(container) for container in containers])

    def remove(self, identity: str, state: Properties) -> None:
        """Deregister the revision. ECS keeps it as INACTIVE."""
        super().remove(self.found(identity, state)["taskDefinitionArn"], state)


def _plain(container: Mapping[str, Any]) -> dict[str, Any]:
    """The container definition without the empty values that ECS adds."""
    return {
        name: value
        for name, value in container.items()
        if value not in (None, "", [], {}) and (name, value) != ("cpu", 0)
    }


_EMPTY = (None, "", [], {}, 0, False)


def _covers(wanted: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Whether a container definition that ECS returns is equivalent to the program's."""
    unordered = ("environment", "secrets", "portMappings", "mountPoints", "ulimits")
    for name, value in wanted.items():
        other = shown.get(name)
        if name in unordered and isinstance(value, list) and isinstance(other, list):
            if len(value) != len(other) or not all(any(_within(v, o) for o in other) for v in value):
                return False
        elif not _within(value, other) and not (name not in shown and value in _EMPTY):
            return False
    return all(
        name in wanted or value in _EMPTY or (name, value) == ("essential", True) for name, value in shown.items()
    )


def _within(wanted: Any, shown: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):
        return all(_within(value, shown.get(name)) for name, value in wanted.items())
    return wanted == shown
