"""Who stands behind each security group of a stack."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from rules.resources import Resource, Stack
from rules.security_groups import GROUP_TYPES, RULE_TYPES, Ingress, Source, ingress_of
from rules.values import each_at, text

__all__ = ["GroupUsers", "Guarded"]

LOAD_BALANCERS: Final = ("lb/loadBalancer", "elb/loadBalancer")
SERVICES: Final = ("ecs/service", "ecs/taskSet")
TASK_STARTERS: Final = ("cloudwatch/eventTarget", "scheduler/schedule", "pipes/pipe")
_INSTANCES: Final = ("ec2/instance", "ec2/launchTemplate", "ec2/launchConfiguration", "ec2/spotInstanceRequest")

# Where the types that matter to the rules name their groups; other users are found by the engine's record.
_GROUP_PROPERTIES: Final = {
    "lb/loadBalancer": ("securityGroups",),
    "elb/loadBalancer": ("securityGroups",),
    "ecs/service": ("networkConfiguration.securityGroups",),
    "ecs/taskSet": ("networkConfiguration.securityGroups",),
    "cloudwatch/eventTarget": ("ecsTarget.networkConfiguration.securityGroups",),
    "scheduler/schedule": ("target.ecsParameters.networkConfiguration.securityGroups",),
    "pipes/pipe": ("targetParameters.ecsTaskParameters.networkConfiguration.awsVpcConfiguration.securityGroups",),
    "efs/mountTarget": ("securityGroups",),
    "ec2/instance": ("vpcSecurityGroupIds", "securityGroups", "networkInterfaces.securityGroups"),
    "ec2/launchTemplate": ("vpcSecurityGroupIds", "networkInterfaces.securityGroups"),
    "ec2/launchConfiguration": ("securityGroups",),
    "ec2/spotInstanceRequest": ("vpcSecurityGroupIds",),
    "apigatewayv2/vpcLink": ("securityGroupIds",),
}
# A property that attaches a group. Anything else that was computed from a group's id (a parameter, an environment
# variable, an output of a component) only reads it, and says nothing about what the group protects.
_ATTACHES = re.compile(
    r"(security_?groups?(ids?)?|vpc_?(config|configuration|options|settings|access)|network_?(configuration|interfaces?|settings)"
    r"|ecsTarget|target|targetParameters|computeResources|brokerNodeGroupInfo|vpcConfigs?|ec2Attributes|clientVpcConnection"
    r"|nodeToNode|resourcesVpcConfig|endpointDetails|remoteAccess)$",
    re.IGNORECASE,
)
_NOT_USERS: Final = (*RULE_TYPES, "vpc/securityGroupEgressRule", "ec2/networkInterfaceSecurityGroupAttachment")


@dataclass(frozen=True)
class Guarded:
    """The resources that use a security group; empty where nothing in the stack is known to."""

    users: tuple[Resource, ...]
    runs_tasks: bool = False
    """Whether instances that run ECS tasks are among them."""

    @property
    def types(self) -> frozenset[str]:
        """Their types."""
        return frozenset(user.type for user in self.users)

    @property
    def load_balancer(self) -> bool:
        """Whether a load balancer is among them."""
        return not self.types.isdisjoint(LOAD_BALANCERS)

    @property
    def task(self) -> bool:
        """Whether ECS tasks are among them: of a service, started by events or schedules, or on their instances."""
        return self.runs_tasks or not self.types.isdisjoint((*SERVICES, *TASK_STARTERS))

    @property
    def balanced_task(self) -> bool:
        """Whether an ECS service that a load balancer forwards to is among them."""
        return any(user.type in SERVICES and bool(user.at("loadBalancers")) for user in self.users)

    @property
    def file_system(self) -> bool:
        """Whether an EFS mount target is among them."""
        return "efs/mountTarget" in self.types


class GroupUsers:
    """The users of each security group of a stack, worked out once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._users: dict[str, dict[str, Resource]] = {}
        self._literal_users: dict[str, dict[str, Resource]] = {}
        for group in stack.of(*GROUP_TYPES):
            self._users[group.urn] = {
                user.urn: user
                for name, user in stack.dependents.get(group.urn, ())
                if user.type not in _NOT_USERS and _ATTACHES.search(name)
            }
        for canonical, paths in _GROUP_PROPERTIES.items():
            for user in stack.of(canonical):
                for path in paths:
                    self._note(user, path)
        self._hosts = _task_hosts(stack)

    def _note(self, user: Resource, path: str) -> None:
        for value in each_at(user.properties, path):
            if not isinstance(value, str):
                continue
            self._literal_users.setdefault(value, {})[user.urn] = user
            for canonical in GROUP_TYPES:
                group = self._stack.by_identity(value, canonical)
                if group is not None:
                    self._users.setdefault(group.urn, {})[user.urn] = user

    def guarded(self, ingress: Ingress) -> Guarded:
        """What the group of an ingress rule stands in front of."""
        groups = self.groups_of(ingress)
        if groups:
            return self._of_groups(groups)
        return self._of_id(ingress.carrier.at("securityGroupId")) or Guarded(())

    def groups_of(self, ingress: Ingress) -> list[Resource]:
        """The groups of the stack that an ingress rule belongs to."""
        if ingress.carrier.type in GROUP_TYPES:
            return [ingress.carrier]
        return self._linked(ingress.carrier, "securityGroupId")

    def _linked(self, resource: Resource, path: str) -> list[Resource]:
        return [group for canonical in GROUP_TYPES for group in self._stack.linked(resource, path, canonical)]

    def source_groups(self, ingress: Ingress, source: Source) -> list[Resource]:
        """The groups of the stack that a source names."""
        if isinstance(source.value, str):
            known = [self._stack.by_identity(source.value, canonical) for canonical in GROUP_TYPES]
            found = [group for group in known if group is not None]
            if found or source.value in self._literal_users:
                return found
        return [
            group
            for canonical in GROUP_TYPES
            for group in self._stack.dependencies(ingress.carrier, source.property, canonical)
        ]

    def behind(self, ingress: Ingress, source: Source) -> Guarded | None:
        """Who uses the group that a source names; None where the group is not in the stack and no one here uses it."""
        if source.kind == "self":
            return self.guarded(ingress)
        groups = self.source_groups(ingress, source)
        return self._of_groups(groups) if groups else self._of_id(source.value)

    def entrances(self) -> set[str]:
        """URNs of the groups whose members may reach a load balancer or a task: theirs, and those that theirs let in."""
        admitted: dict[str, set[str]] = {}
        reached: set[str] = set()
        for carrier in self._stack.of(*RULE_TYPES):
            for ingress in ingress_of(carrier):
                guarded = self.guarded(ingress)
                owners = {group.urn for group in self.groups_of(ingress)}
                if guarded.load_balancer or guarded.task:
                    reached |= owners
                for source in ingress.sources:
                    if source.kind == "group":
                        let_in = {group.urn for group in self.source_groups(ingress, source)}
                        for owner in owners:
                            admitted.setdefault(owner, set()).update(let_in)
        waiting = list(reached)
        while waiting:
            new = admitted.get(waiting.pop(), set()) - reached
            reached |= new
            waiting += new
        return reached

    def _of_id(self, identity: Any) -> Guarded | None:
        """Who uses a group of another stack, by its id; None where no one here does."""
        users = self._literal_users.get(identity) if isinstance(identity, str) else None
        return self._made(users.values()) if users else None

    def _of_groups(self, groups: list[Resource]) -> Guarded:
        return self._made(user for group in groups for user in self._users.get(group.urn, {}).values())

    def _made(self, users: Iterable[Resource]) -> Guarded:
        found = tuple(users)
        return Guarded(found, any(user.urn in self._hosts for user in found))


def _task_hosts(stack: Stack) -> set[str]:
    """URNs of the instances and their templates that run ECS tasks."""
    found = {each.urn for each in stack.of(*_INSTANCES) if _joins_cluster(each)}
    for provider in stack.of("ecs/capacityProvider"):
        path = "autoScalingGroupProvider.autoScalingGroupArn"
        groups = [each for each in [stack.by_identity(provider.at(path), "autoscaling/group")] if each is not None]
        for group in groups or stack.dependencies(provider, "autoScalingGroupProvider", "autoscaling/group"):
            found |= {each.urn for each in _templates(stack, group)}
    return found


def _templates(stack: Stack, group: Resource) -> Iterator[Resource]:
    for name in ("launchTemplate", "mixedInstancesPolicy"):
        yield from stack.dependencies(group, name, "ec2/launchTemplate")
    for path in ("launchTemplate.id", "launchTemplate.name"):
        template = stack.by_identity(group.at(path), "ec2/launchTemplate")
        if template is not None:
            yield template
    yield from stack.linked(group, "launchConfiguration", "ec2/launchConfiguration")


def _joins_cluster(instance: Resource) -> bool:
    """Whether the start script of an instance registers it with a cluster."""
    return any("ECS_CLUSTER" in _script(instance.at(name)) for name in ("userData", "userDataBase64"))


def _script(value: Any) -> str:
    content = (text(value) or "")[:20_000]
    try:
        return content + base64.b64decode(content, validate=True).decode("utf-8", "replace")
    except ValueError:
        return content
