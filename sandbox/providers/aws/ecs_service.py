"""Services: so many tasks of a definition, kept running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.ecs import EcsResource
from sandbox.providers.aws.listing import Listing, argument
from sandbox.providers.resource import Created, names
from sandbox.providers.values import Properties

_STEERING = names("waitForSteadyState forceDelete sigintRollback")


class Service(EcsResource):
    """A service."""

    sdk_name = "aws:ecs/service:Service"
    operation, made = "CreateService", "service.serviceArn"
    listing: ClassVar = Listing("list_services", "serviceArns[]", "aws:ecs/cluster:Cluster", argument("cluster"))
    renamed: ClassVar = {
        "name": "serviceName",
        "iamRole": "role",
        "capacityProviderStrategies": "capacityProviderStrategy",
        "orderedPlacementStrategies": "placementStrategy",
        "enableEcsManagedTags": "enableECSManagedTags",
        "deploymentMaximumPercent": "-",
        "deploymentMinimumHealthyPercent": "-",
    }
    defaults: ClassVar = {
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    }
    handled: ClassVar = names(
        "alarms deploymentCircuitBreaker deploymentMaximumPercent deploymentMinimumHealthyPercent"
    )
    limits: ClassVar = {
        "deploymentCircuitBreaker": "CreateService.deploymentConfiguration.deploymentCircuitBreaker",
        "alarms": "CreateService.deploymentConfiguration.alarms",
    }
    write_only: ClassVar = _STEERING | {"forceNewDeployment", "triggers"}
    in_place: ClassVar = (
        handled
        | write_only
        | names(
            "availabilityZoneRebalancing deploymentController desiredCount enableEcsManagedTags enableExecuteCommand "
            "healthCheckGracePeriodSeconds loadBalancers networkConfiguration orderedPlacementStrategies placementConstraints "
            "platformVersion propagateTags serviceConnectConfiguration serviceRegistries taskDefinition volumeConfiguration"
        )
    )
    computed: ClassVar = names(
        "availabilityZoneRebalancing cluster deploymentConfiguration deploymentController iamRole launchType platformVersion "
        "triggers"
    )
    unordered: ClassVar = frozenset({"loadBalancers", "subnets", "securityGroups", "capacityProviderStrategies"})
    delete_first = True

    @classmethod
    def replaces(cls, name: str, old: Properties, new: Properties) -> bool:
        """Another capacity provider is a new service to the official provider, unless it forces a deployment; so is the first one."""
        if name != "capacityProviderStrategies":
            return super().replaces(name, old, new)
        return not (new.get("forceNewDeployment") and old.get(name) and new.get(name))

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        maximum = inputs.get("deploymentMaximumPercent", 200)
        minimum = inputs.get("deploymentMinimumHealthyPercent", 100)
        if inputs.get("availabilityZoneRebalancing") == "ENABLED" and maximum == 100:
            yield "availabilityZoneRebalancing", "ENABLED is refused with deploymentMaximumPercent 100"
        if isinstance(maximum, int) and isinstance(minimum, int):
            if minimum >= maximum:
                yield (
                    "deploymentMinimumHealthyPercent",
                    f"{minimum} must be less than deploymentMaximumPercent ({maximum})",
                )
            if not 0 <= minimum <= 200 or not 0 <= maximum <= 400:
                yield "deploymentMaximumPercent", "percentages must be within 0 to 200 (minimum) and 400 (maximum)"
        if inputs.get("launchType") and inputs.get("capacityProviderStrategies"):
            yield "launchType", "excludes capacityProviderStrategies"
        if inputs.get("loadBalancers") == [] and inputs.get("healthCheckGracePeriodSeconds"):
            yield "healthCheckGracePeriodSeconds", "needs a load balancer"

    def parameters(self, inputs: Properties, operation: str = "") -> dict[str, Any]:
        parameters = self.request({n: v for n, v in inputs.items() if n not in self.handled}, operation)
        network = parameters.pop("networkConfiguration", None)
        if inputs.get("networkConfiguration"):
            given = inputs["networkConfiguration"]
            network = {"subnets": given["subnets"], "securityGroups": given.get("securityGroups") or []}
            network["assignPublicIp"] = "ENABLED" if given.get("assignPublicIp") else "DISABLED"
            parameters["networkConfiguration"] = {"awsvpcConfiguration": network}
        deployment: dict[str, Any] = parameters.get("deploymentConfiguration") or {}
        for name, api in _DEPLOYMENT.items():
            if inputs.get(name) is not None:
                deployment[api] = inputs[name]
        if inputs.get("deploymentCircuitBreaker"):
            deployment["deploymentCircuitBreaker"] = dict(inputs["deploymentCircuitBreaker"])
        if inputs.get("alarms"):
            alarms = inputs["alarms"]
            deployment["alarms"] = {k: alarms[k] for k in ("alarmNames", "enable", "rollback") if k in alarms}
        parameters["deploymentConfiguration"] = deployment
        return parameters

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """One call for all of it, and no wait unless the program asks for one."""
        described = self._service(identity, inputs)
        if described is None:
            raise LookupError(f"{identity} is gone")
        if changed & self.in_place - _STEERING - self.handled or changed & self.handled - self._as_made(
            described, inputs
        ):
            parameters = self.parameters(inputs, "UpdateService")
            controller = described.get("deploymentController", {}).get("type", "ECS")
            if parameters.get("deploymentController", {}).get("type") == controller:
                parameters.pop("deploymentController")
            cluster = {"cluster": inputs["cluster"]} if inputs.get("cluster") else {}
            forced = {"forceNewDeployment": True} if inputs.get("forceNewDeployment") else {}
            self.client.update_service(**{**parameters, **cluster, **forced, "service": identity})
        if "tags" in changed:
            self.retag(identity, inputs)
        if inputs.get("waitForSteadyState"):
            self.backend.wait(f"steady state of {identity}", lambda: self._steady(identity, inputs), limit=600)

    def locate(self, import_id: str) -> Created:
        return Created(self.backend.arn("ecs", f"service/{import_id}"))

    def _as_made(self, described: Mapping[str, Any], inputs: Properties) -> frozenset[str]:
        """Those of `handled` that the service has already, because its creation sent them along."""
        shown = self._shown_deployment(described)
        wanted = {name: inputs.get(name) for name in self.handled}
        return frozenset(name for name, value in wanted.items() if value is None or shown.get(name) == value)

    def _steady(self, identity: str, state: Properties) -> bool:
        service = self._service(identity, state) or {}
        return len(service.get("deployments", [])) == 1 and service.get("runningCount") == service.get("desiredCount")

    def _service(self, identity: str, state: Properties) -> Mapping[str, Any] | None:
        cluster = state.get("cluster") or identity.rpartition("/")[0].rpartition("/")[2]
        answer = self.client.describe_services(cluster=cluster, services=[identity], include=["TAGS"])
        return next((s for s in answer["services"] if s["status"] not in ("INACTIVE", "DRAINING")), None)

    def _shown_deployment(self, service: Mapping[str, Any]) -> Properties:
        deployment = service.get("deploymentConfiguration", {})
        found = {name: deployment.get(api) for name, api in _DEPLOYMENT.items() if api in deployment}
        breaker = deployment.get("deploymentCircuitBreaker")
        if breaker:
            found["deploymentCircuitBreaker"] = {key: breaker[key] for key in ("enable", "rollback")}
        return found

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """ECS shows a deleted service as inactive for a while."""
        service = self._service(identity, state)
        if service is None:
            return None
        hidden = ("networkConfiguration", "deploymentConfiguration", "roleArn")
        found = self.properties({key: value for key, value in service.items() if key not in hidden})
        found |= self._shown_deployment(service)
        network = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
        if network:
            found["networkConfiguration"] = {
                "subnets": network["subnets"],
                "securityGroups": network.get("securityGroups", []),
                "assignPublicIp": network.get("assignPublicIp") == "ENABLED",
            }
        for name, reference in (("cluster", "clusterArn"), ("taskDefinition", "taskDefinition")):
            found[name] = _as_written(state.get(name), service[reference])
        if state.get("iamRole") is None:
            found.pop("iamRole", None)
        return {**found, "arn": identity, "tags": self.tags_of(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """Scaled to nothing, then deleted, then waited for."""
        service = self._service(identity, state)
        if service is None:
            return
        named = {"cluster": service["clusterArn"], "service": identity}
        if service.get("schedulingStrategy", "REPLICA") == "REPLICA":
            self.client.update_service(**named, desiredCount=0)
        self.client.delete_service(**named, force=bool(state.get("forceDelete")))
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)


_DEPLOYMENT = {
    "deploymentMaximumPercent": "maximumPercent",
    "deploymentMinimumHealthyPercent": "minimumHealthyPercent",
}


def _as_written(asked: Any, actual: str) -> str:
    """A name or `family:revision` where the program wrote that, and AWS' ARN means the same."""
    return asked if isinstance(asked, str) and actual.rpartition("/")[2] == asked else actual
