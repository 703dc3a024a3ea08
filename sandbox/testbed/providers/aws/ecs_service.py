"""Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.aws.ecs import EcsResource
from sandbox.testbed.providers.resource import Created, names
from sandbox.testbed.providers.values import Properties

_DEPLOYMENT = {
    "deploymentMaximumPercent": "maximumPercent",
    "deploymentMinimumHealthyPercent": "minimumHealthyPercent",
    "deploymentCircuitBreaker": "deploymentCircuitBreaker",
}
"""Properties that the API combines in `deploymentConfiguration`."""
_STEERING = names("waitForSteadyState forceDelete sigintRollback")


class Service(EcsResource):
    """A service. ECS returns a deleted one as INACTIVE for some time."""

    sdk_name = "aws:ecs/service:Service"

    @classmethod
    def replaces(cls, name: str, old: Properties, new: Properties) -> bool:
        """As in the official provider, a change of capacity provider strategies replaces the service.

        `forceNewDeployment` permits the change in place if both the old and the new inputs have strategies.
        """
        if name != "capacityProviderStrategies":
            return super().replaces(name, old, new)
        return not (new.get("forceNewDeployment") and old.get(name) and new.get(name))

    def parameters(self, inputs: Properties, operation: str = "") -> dict[str, Any]:
        parameters = self.request({n: v for n, v in inputs.items() if n not in self.handled}, operation)
        if inputs.get("networkConfiguration"):
            network = {"assignPublicIp": False, "securityGroups": [], **inputs["networkConfiguration"]}
            parameters |= self.request({"networkConfiguration": {"awsvpcConfiguration": network}})
        given = {api: inputs[name] for name, api in _DEPLOYMENT.items() if inputs.get(name) is not None}
        parameters.setdefault("deploymentConfiguration", {}).update(given)
        return parameters

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """All changes in one call. Waits for a steady state only with `waitForSteadyState`."""
        if changed & self.in_place - _STEERING:
            self.update(identity, inputs, changed & self.in_place - _STEERING)
        if "tags" in changed:
            self.retag(identity, inputs)
        if inputs.get("waitForSteadyState"):
            self.backend.wait(f"steady state of {identity}", lambda: self._steady(identity, inputs), limit=600)

    def _steady(self, identity: str, state: Properties) -> bool:
        service = self.found(identity, state)
        return len(service.get("deployments", [])) == 1 and service.get("runningCount") == service.get("desiredCount")

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Does nothing if the service already has the values, for example from its creation."""
        described = self.found(identity, inputs)
        shown = self.shown_as(identity, described, inputs)
        if changed <= self.handled and all(self.comparison.same(n, inputs.get(n), shown.get(n)) for n in changed):
            return
        parameters = self.parameters(inputs, "UpdateService")
        controller = described.get("deploymentController", {}).get("type", "ECS")
        if parameters.get("deploymentController", {}).get("type") == controller:
            parameters.pop("deploymentController")
        forced = {"forceNewDeployment": True} if inputs.get("forceNewDeployment") else {}
        self.client.update_service(**{**parameters, **forced, "service": identity})

    def locate(self, import_id: str) -> Created:
        return Created(self.backend.arn("ecs", f"service/{import_id}"))

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        cluster = state.get("cluster") or identity.rpartition("/")[0].rpartition("/")[2]
        service = super().found(identity, {"cluster": cluster, "services": [identity]})
        network = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
        return {**service, **({"networkConfiguration": network} if network else {})}

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The references to cluster and task definition have the form that the program uses."""
        found = super().shown_as(identity, answer, state)
        for name, reference in (("cluster", "clusterArn"), ("taskDefinition", "taskDefinition")):
            found[name] = _as_written(state.get(name), answer[reference])
        found.pop("deploymentConfiguration", None)
        if state.get("iamRole") is None:
            found.pop("iamRole", None)
        return found

    def remove(self, identity: str, state: Properties) -> None:
        """Scale to zero, delete, and wait for the deletion."""
        service = self.found(identity, state)
        named = {"cluster": service["clusterArn"], "service": identity}
        if service.get("schedulingStrategy", "REPLICA") == "REPLICA":
            self.client.update_service(**named, desiredCount=0)
        self.client.delete_service(**named, force=bool(state.get("forceDelete")))
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)


def _as_written(asked: Any, actual: str) -> str:
    """The program's name or `family:revision` if it refers to AWS' ARN; otherwise the ARN."""
    return asked if isinstance(asked, str) and actual.rpartition("/")[2] == asked else actual
