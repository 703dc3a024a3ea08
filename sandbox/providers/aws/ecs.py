"""Clusters and the definitions of tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import SCHEMAS, AwsResource, mapped, pairs, rename_tags
from sandbox.providers.aws.listing import Listing, output
from sandbox.providers.aws.mapping import from_api, to_api
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_FARGATE: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""CPU units to the MiB of memory that Fargate takes with them."""


class EcsResource(AwsResource):
    """A resource that is tagged through its ARN."""

    service = "ecs"

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """The parameter that tags the object as it is made."""
        return {"tags": pairs(inputs["tags"], "key", "value")} if inputs.get("tags") else {}

    def tags_of(self, arn: str) -> dict[str, str]:
        """The object's tags."""
        return mapped(self.client.list_tags_for_resource(resourceArn=arn)["tags"], "key", "value")

    def retag(self, arn: str, inputs: Properties) -> None:
        """Set the object's tags to those of the inputs."""
        added, removed = rename_tags(self.tags_of(arn), inputs.get("tags") or {})
        if added:
            self.client.tag_resource(resourceArn=arn, tags=pairs(added, "key", "value"))
        if removed:
            self.client.untag_resource(resourceArn=arn, tagKeys=removed)


class Cluster(EcsResource):
    """A cluster."""

    sdk_name = "aws:ecs/cluster:Cluster"
    operation = "CreateCluster"
    listing: ClassVar = Listing("list_clusters", "clusterArns[]", known=output("arn"))
    renamed: ClassVar = {"name": "clusterName"}
    in_place: ClassVar = frozenset({"configuration", "serviceConnectDefaults", "settings"})
    computed: ClassVar = frozenset({"settings"})
    unordered: ClassVar = frozenset({"settings"})

    def locate(self, import_id: str) -> Created:
        """An import takes the cluster's name."""
        return Created(self.backend.arn("ecs", f"cluster/{import_id}"))

    def create(self, inputs: Properties) -> Created:
        """The id is the ARN."""
        answer = self.client.create_cluster(**self.request(inputs), **self.tag_parameter(inputs))
        return Created(answer["cluster"]["clusterArn"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """One call for all of it."""
        if changed & self.in_place:
            parameters = self.request(inputs, "UpdateCluster", only=self.in_place)
            self.client.update_cluster(cluster=identity, **parameters)
        if "tags" in changed:
            self.retag(identity, inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """ECS shows a deleted cluster as inactive for a while."""
        del state
        answer = self.client.describe_clusters(clusters=[identity], include=["SETTINGS", "CONFIGURATIONS", "TAGS"])
        for cluster in answer["clusters"]:
            if cluster["status"] not in ("INACTIVE", "DEPROVISIONING"):
                found = self.properties(cluster)
                return {**found, "arn": identity, "tags": self.tags_of(identity)}
        return None

    def remove(self, identity: str, state: Properties) -> None:
        """Once nothing runs in it."""
        self.client.delete_cluster(cluster=identity)
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)


class ClusterCapacityProviders(EcsResource):
    """What a cluster's tasks run on."""

    sdk_name = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
    operation = "PutClusterCapacityProviders"
    renamed: ClassVar = {
        "clusterName": "cluster",
        "defaultCapacityProviderStrategies": "defaultCapacityProviderStrategy",
    }
    in_place: ClassVar = frozenset({"capacityProviders", "defaultCapacityProviderStrategies"})
    computed: ClassVar = in_place
    unordered: ClassVar = in_place

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A strategy may name only what the cluster has."""
        has = inputs.get("capacityProviders")
        for index, item in enumerate(inputs.get("defaultCapacityProviderStrategies") or []):
            name = item.get("capacityProvider")
            if isinstance(has, list) and name not in has:
                yield (
                    f"defaultCapacityProviderStrategies[{index}].capacityProvider",
                    f"{name!r} is not among capacityProviders",
                )

    def _put(self, name: str, inputs: Properties) -> None:
        parameters = {"capacityProviders": [], "defaultCapacityProviderStrategy": [], **self.request(inputs)}
        self.client.put_cluster_capacity_providers(**{**parameters, "cluster": name})

    def create(self, inputs: Properties) -> Created:
        """The id is the cluster's name."""
        self._put(inputs["clusterName"], inputs)
        return Created(inputs["clusterName"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Put them again."""
        if changed & self.in_place:
            self._put(identity, inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As the cluster says; without any they are gone."""
        for cluster in self.client.describe_clusters(clusters=[identity])["clusters"]:
            if cluster["status"] == "ACTIVE" and (
                cluster.get("capacityProviders") or not state.get("capacityProviders")
            ):
                return {**self.properties(cluster), "clusterName": cluster["clusterName"]}
        return None

    def remove(self, identity: str, state: Properties) -> None:
        """None."""
        if self.read(identity, state) is not None:
            self._put(identity, {})


class TaskDefinition(EcsResource):
    """A revision of a task family. Every change is another revision."""

    sdk_name = "aws:ecs/taskDefinition:TaskDefinition"
    operation = "RegisterTaskDefinition"
    listing: ClassVar = Listing(
        "list_task_definitions", "taskDefinitionArns[]", arguments={"status": "ACTIVE"}, known=output("arn")
    )
    handled: ClassVar = frozenset({"containerDefinitions", "volumes"})
    limits: ClassVar = {"volumes": "RegisterTaskDefinition.volumes"}
    defaults: ClassVar = {"skipDestroy": False, "trackLatest": False}
    nested_defaults: ClassVar = {"volumes.*.efsVolumeConfiguration.rootDirectory": "/"}
    write_only: ClassVar = frozenset({"skipDestroy", "trackLatest"})
    in_place: ClassVar = write_only
    computed: ClassVar = frozenset({"networkMode", "enableFaultInjection"})
    unordered: ClassVar = frozenset({"requiresCompatibilities", "volumes", "environment", "secrets", "ulimits"})
    documents: ClassVar = frozenset({"containerDefinitions"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """What Fargate takes, and what a container definition has."""
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
            return  # said already
        if not isinstance(containers, list) or not containers or not all(isinstance(c, dict) for c in containers):
            yield "containerDefinitions", "must be a JSON list of at least one container definition"
            return
        from botocore.validate import ParamValidator  # noqa: PLC0415  (only where there is something to judge)

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

    def create(self, inputs: Properties) -> Created:
        """The id is the family; it is the ARN that tells revisions apart."""
        api = self.client.meta.service_model.operation_model(self.operation).input_shape
        parameters = self.request({n: v for n, v in inputs.items() if n not in self.handled})
        parameters["containerDefinitions"] = json.loads(inputs["containerDefinitions"])
        if inputs.get("volumes"):
            parameters["volumes"] = [
                self._volume(volume, api.members["volumes"].member) for volume in inputs["volumes"]
            ]
        answer = self.client.register_task_definition(**parameters, **self.tag_parameter(inputs))
        definition = answer["taskDefinition"]
        return Created(inputs["family"], {"arn": definition["taskDefinitionArn"]})

    def _volume(self, volume: Mapping[str, Any], api: Any) -> dict[str, Any]:
        parameters = to_api(
            {name: value for name, value in volume.items() if name != "hostPath"}, api, self.renamed, "*."
        )
        return {**parameters, **({"host": {"sourcePath": volume["hostPath"]}} if volume.get("hostPath") else {})}

    @staticmethod
    def key(identity: str, state: Properties) -> str:
        """All revisions of a family have the family as their id."""
        return state.get("arn") or identity

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Only tags can change."""
        if "tags" in changed:
            self.retag(self.known.get("arn") or self._latest(identity), inputs)

    def _latest(self, family: str) -> str:
        return self.client.describe_task_definition(taskDefinition=family)["taskDefinition"]["taskDefinitionArn"]

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The revision that the state names, or the family's latest."""
        answer = self.client.describe_task_definition(taskDefinition=state.get("arn") or identity, include=["TAGS"])
        definition = answer["taskDefinition"]
        if definition["status"] == "INACTIVE":
            return None
        found = self.properties(definition, "revision")
        found["arn"] = definition["taskDefinitionArn"]
        found["arnWithoutRevision"] = definition["taskDefinitionArn"].rpartition(":")[0]
        found["containerDefinitions"] = self._shown_containers(definition["containerDefinitions"], state)
        found["volumes"] = [self._shown_volume(volume) for volume in definition.get("volumes", [])]
        return {**found, "tags": mapped(answer.get("tags"), "key", "value")}

    def _shown_containers(self, containers: list[Any], state: Properties) -> str:
        """The program's own text where AWS has added no more than empty defaults."""
        asked = state.get("containerDefinitions")
        if isinstance(asked, str):
            wanted = json.loads(asked)
            if len(wanted) == len(containers) and all(
                _covers(own, shown) for own, shown in zip(wanted, containers, strict=True)
            ):
                return asked
        return json.dumps([_plain(container) for container in containers])

    def _shown_volume(self, volume: Mapping[str, Any]) -> Properties:
        element = SCHEMAS[self.sdk_name].inputs.properties["volumes"].element
        found = from_api(volume, element, self.renamed, "*.") if element else {}
        if volume.get("host", {}).get("sourcePath"):
            found["hostPath"] = volume["host"]["sourcePath"]
        return found

    def remove(self, identity: str, state: Properties) -> None:
        """Deregistered: AWS keeps the revision as inactive."""
        if not state.get("skipDestroy"):
            self.client.deregister_task_definition(taskDefinition=state.get("arn") or self._latest(identity))


def _plain(container: Mapping[str, Any]) -> dict[str, Any]:
    """Without the empty values that ECS fills in."""
    return {
        name: value
        for name, value in container.items()
        if value not in (None, "", [], {}) and (name, value) != ("cpu", 0)
    }


_EMPTY = (None, "", [], {}, 0, False)


def _covers(wanted: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Whether a container definition as ECS shows it says what the program wrote."""
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
