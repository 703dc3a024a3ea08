"""Finds the resources that use each security group of a stack."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from evaluation.aws.security_groups import GROUP_TYPES, RULE_TYPES, Ingress, Source, ingress_of
from evaluation.resources import Resource, Stack
from evaluation.values import each_at, text

LOAD_BALANCERS: Final = ("lb/loadBalancer", "elb/loadBalancer")
SERVICES: Final = ("ecs/service", "ecs/taskSet")
TASK_STARTERS: Final = ("cloudwatch/eventTarget", "scheduler/schedule", "pipes/pipe")
_INSTANCES: Final = ("ec2/instance", "ec2/launchTemplate", "ec2/launchConfiguration", "ec2/spotInstanceRequest")

# The properties in which these types name their groups; other users are found through the engine's dependencies.
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
    "ec2/networkInterface": ("securityGroups",),
    "ec2/vpcEndpoint": ("securityGroupIds",),
    "elasticache/replicationGroup": ("securityGroupIds",),
    "lambda/function": ("vpcConfig.securityGroupIds",),
    "rds/cluster": ("vpcSecurityGroupIds",),
    "rds/instance": ("vpcSecurityGroupIds",),
    "route53/resolverEndpoint": ("securityGroupIds",),
}
# A property that attaches a group. Any other property that depends on a group's ID (a parameter, an environment
# variable, an output of a component) only reads it.
_ATTACHES = re.compile(
    r"(security_?groups?(ids?)?|vpc_?(config|configuration|options|settings|access)|network_?(configuration|interfaces?|settings)"
    r"|ecsTarget|target|targetParameters|computeResources|brokerNodeGroupInfo|vpcConfigs?|ec2Attributes|clientVpcConnection"
    r"|nodeToNode|resourcesVpcConfig|endpointDetails|remoteAccess)$",
    re.IGNORECASE,
)
_ATTACHMENT: Final = "ec2/networkInterfaceSecurityGroupAttachment"
_NOT_USERS: Final = (*RULE_TYPES, "vpc/securityGroupEgressRule", _ATTACHMENT)


@dataclass(frozen=True)
class Guarded:
    """The resources that use a security group; empty if none in the stack is known."""

    users: tuple[Resource, ...]
    runs_tasks: bool = False
    """Whether they include instances that run ECS tasks."""

    @property
    def types(self) -> frozenset[str]:
        """The types of the resources."""
        return frozenset(user.type for user in self.users)

    @property
    def load_balancer(self) -> bool:
        """Whether they include a load balancer."""
        return not self.types.isdisjoint(LOAD_BALANCERS)

    @property
    def task(self) -> bool:
        """Whether they include ECS tasks: of a service, started by events or schedules, or on container instances."""
        return self.runs_tasks or not self.types.isdisjoint((*SERVICES, *TASK_STARTERS))

    @property
    def balanced_task(self) -> bool:
        """Whether they include an ECS service behind a load balancer."""
        return any(user.type in SERVICES and bool(user.at("loadBalancers")) for user in self.users)

    @property
    def file_system(self) -> bool:
        """Whether they include an EFS mount target."""
        return "efs/mountTarget" in self.types


class GroupUsers:
    """The users of each security group of a stack, computed once."""

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
        self._attachments(stack)
        self._hosts = _task_hosts(stack)

    def _attachments(self, stack: Stack) -> None:
        """Groups that a separate resource attaches to the network interface of an instance."""
        for attachment in stack.of(_ATTACHMENT):
            owners = [
                owner
                for canonical in ("ec2/networkInterface", "ec2/instance")
                for owner in stack.linked(attachment, "networkInterfaceId", canonical)
            ]
            # Without the interface in the stack, the attachment stands for it: AWS attaches no group to the interfaces
            # of a load balancer this way.
            for group in self._linked(attachment, "securityGroupId"):
                for user in owners or [attachment]:
                    self._users.setdefault(group.urn, {})[user.urn] = user
            identity = attachment.at("securityGroupId")
            if isinstance(identity, str):
                for user in owners or [attachment]:
                    self._literal_users.setdefault(identity, {})[user.urn] = user

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
        """The users of an ingress rule's group."""
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
        """The users of the group that a source names; None if the group isn't in the stack and no resource here uses it."""
        if source.kind == "self":
            return self.guarded(ingress)
        groups = self.source_groups(ingress, source)
        return self._of_groups(groups) if groups else self._of_id(source.value)

    def entrances(self) -> set[str]:
        """URNs of the groups whose members can reach a load balancer or a task: their own groups, and the groups that these admit."""
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
        """The users of a group of another stack, by its ID; None if no resource here uses it."""
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
            found |= {each.urn for each in launch_templates(stack, group)}
    return found


def launch_templates(stack: Stack, group: Resource) -> Iterator[Resource]:
    """The templates and configurations of the stack from which an instance, or a group of instances, is launched."""
    for name in ("launchTemplate", "mixedInstancesPolicy"):
        yield from stack.dependencies(group, name, "ec2/launchTemplate")
    for path in ("launchTemplate.id", "launchTemplate.name"):
        template = stack.by_identity(group.at(path), "ec2/launchTemplate")
        if template is not None:
            yield template
    yield from stack.linked(group, "launchConfiguration", "ec2/launchConfiguration")


def _joins_cluster(instance: Resource) -> bool:
    """Whether the user data of an instance registers it with an ECS cluster."""
    return any("ECS_CLUSTER" in _script(instance.at(name)) for name in ("userData", "userDataBase64"))


def _script(value: Any) -> str:
    content = (text(value) or "")[:20_000]
    try:
        return content + base64.b64decode(content, validate=True).decode("utf-8", "replace")
    except ValueError:
        return content
