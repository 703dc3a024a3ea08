"""Clusters and task definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import (
    Tagging,
    mapped,
)
from sandbox.testbed.providers.aws.listing import Listing, output
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties

_FARGATE: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""CPU units and the memory sizes in MiB that Fargate supports for them."""


class EcsResource(AwsResource):
    """A resource that is tagged by its ARN."""

    service = "ecs"
    tagging: ClassVar = Tagging("resourceArn")


class Cluster(EcsResource):
    """A cluster."""

    sdk_name = "aws:ecs/cluster:Cluster"
    listing: ClassVar = Listing("list_clusters", "clusterArns[]", known=output("arn"))

    def locate(self, import_id: str) -> Created:
        """The import id is the cluster's name."""
        return Created(self.backend.arn("ecs", f"cluster/{import_id}"))


class ClusterCapacityProviders(EcsResource):
    """The capacity providers of a cluster."""

    sdk_name = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        has = inputs.get("capacityProviders")
        for index, item in enumerate(inputs.get("defaultCapacityProviderStrategies") or []):
            name = item.get("capacityProvider")
            if isinstance(has, list) and name not in has:
                yield (
                    f"defaultCapacityProviderStrategies[{index}].capacityProvider",
                    f"{name!r} is not among capacityProviders",
                )

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
    listing: ClassVar = Listing(
        "list_task_definitions", "taskDefinitionArns[]", arguments={"status": "ACTIVE"}, known=output("arn")
    )

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        if "FARGATE" in (inputs.get("requiresCompatibilities") or []):
            yield from self._fargate(inputs)
        yield from self._containers(inputs)

    def _fargate(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        for name in ("cpu", "memory"):
            if name not in inputs:
                yield name, "missing: Fargate needs it for the task"
        if inputs.get("networkMode", "awsvpc") != "awsvpc":
            yield "networkMode", f"{inputs['networkMode']!r}: Fargate knows awsvpc only"
        cpu, memory = str(inputs.get("cpu", "")), str(inputs.get("memory", ""))
        if cpu.isdigit() and int(cpu) not in _FARGATE:
            yield "cpu", f"{cpu} is not one of {', '.join(map(str, _FARGATE))}"
        elif cpu.isdigit() and memory.isdigit() and int(memory) not in _FARGATE[int(cpu)]:
            allowed = ", ".join(map(str, _FARGATE[int(cpu)]))
            yield "memory", f"{memory} does not go with cpu {cpu} on Fargate; it takes {allowed}"

    def _containers(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        try:
            containers = json.loads(inputs.get("containerDefinitions", "[{}]"))
        except (TypeError, json.JSONDecodeError):
            return  # reported as invalid JSON already
        if not isinstance(containers, list) or not containers or not all(isinstance(c, dict) for c in containers):
            yield "containerDefinitions", "must be a JSON list of at least one container definition"
            return
        from botocore.validate import ParamValidator  # noqa: PLC0415  (only if there are containers to validate)

        api = self.client.meta.service_model.operation_model(self.operation).input_shape.members["containerDefinitions"]
        report = ParamValidator().validate(containers, api)
        if report.has_errors():
            yield "containerDefinitions", report.generate_report()
        known = api.member.members
        volumes = {volume.get("name") for volume in inputs.get("volumes") or [] if isinstance(volume, dict)}
        for container in containers:
            for name in container.keys() - known.keys():
                yield "containerDefinitions", f"container {container.get('name')!r}: unknown property {name!r}"
            for mount in container.get("mountPoints", []):
                if "volumes" in inputs and mount.get("sourceVolume") not in volumes:
                    yield (
                        "containerDefinitions",
                        f"mount point of volume {mount.get('sourceVolume')!r}, which volumes lacks",
                    )

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

    def tags_in(self, identity: str, answer: Mapping[str, Any]) -> dict[str, str]:
        return mapped(answer["tags"])

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        arn = answer["taskDefinitionArn"]
        shown = {"arn": arn, "arnWithoutRevision": arn.rpartition(":")[0], "volumes": []}
        shown["containerDefinitions"] = self._shown_containers(answer["containerDefinitions"], state)
        return {
            **shown,
            **super().shown_as(identity, answer, state),
            "containerDefinitions": shown["containerDefinitions"],
        }

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
