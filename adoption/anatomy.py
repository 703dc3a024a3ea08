"""Finds the Atlantis stack in a state: starts at its ECS service and follows the references.

Addresses and names differ between users. Every stack has an ECS service that runs a task with an Atlantis container.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adoption.containers import atlantis_container, damage, server_flags
from adoption.existing import NOTHING, Existing, load_balancer_arn
from adoption.state import OFFICIAL_PROVIDER, StateResource, TerraformState, alias_target
from components.configuration.server_configuration import variable

LOAD_BALANCERS = ("aws_lb", "aws_alb")
LISTENERS = ("aws_lb_listener", "aws_alb_listener")
RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
TARGET_GROUP = re.compile(r"arn:[\w-]+:elasticloadbalancing:[\w-]*:\d{12}:targetgroup/[\w-]+/\w+")
ARN = re.compile(r"arn:(?P<partition>aws[\w-]*):[\w-]+:(?P<region>[\w-]*):(?P<account>\d{12}):")


class AnatomyError(Exception):
    """The state doesn't contain exactly one complete Atlantis stack; the message states the reason and the fix."""


@dataclass(frozen=True)
class Anatomy:
    """The resources of a running Atlantis, found through the references of its service."""

    state: TerraformState
    service: StateResource
    task: StateResource
    partition: str
    region: str
    account: str
    existing: Existing = NOTHING
    """The parts that the stack file names as existing."""

    @cached_property
    def container(self) -> Mapping[str, Any]:
        """Atlantis' container definition."""
        return atlantis_container(self.task) or {}

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The container's plaintext environment variables, and the flags of its command as those: a flag takes precedence."""
        flags = server_flags(self.container) or {}
        variables = {item["name"]: item["value"] for item in self.container.get("environment") or []}
        return variables | {variable(flag): value for flag, value in flags.items()}

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """Maps each environment variable to the secret reference that ECS resolves."""
        return {item["name"]: item["valueFrom"] for item in self.container.get("secrets") or []}

    @cached_property
    def volume(self) -> Mapping[str, Any]:
        """The configuration of the task's EFS volume; empty if it has none."""
        for volume in self.task.items_of("volume"):
            if configuration := volume.get("efs_volume_configuration"):
                return configuration[0]
        return {}

    @cached_property
    def file_system(self) -> StateResource | None:
        return self.state.find(self.volume.get("file_system_id", ""), "aws_efs_file_system")

    @cached_property
    def access_point(self) -> StateResource | None:
        authorization = self.volume.get("authorization_config") or [{}]
        return self.state.find(authorization[0].get("access_point_id") or "", "aws_efs_access_point")

    @property
    def target_group_arn(self) -> str:
        return self.service.first("load_balancer").get("target_group_arn") or ""

    @cached_property
    def target_group(self) -> StateResource | None:
        return self.state.find(self.target_group_arn, "aws_lb_target_group", "aws_alb_target_group")

    @cached_property
    def cluster(self) -> StateResource | None:
        named = str(self.service.get("cluster", ""))
        clusters = self.state.of("aws_ecs_cluster")
        return next((found for found in clusters if named in (found.id, found.get("name"))), None)

    @property
    def task_role_arn(self) -> str:
        return str(self.task.get("task_role_arn") or "")

    @property
    def task_role(self) -> str:
        """The name of the task role; empty if the task has none."""
        return self.task_role_arn.rpartition("/")[2]

    def role(self, attribute: str) -> StateResource | None:
        """The role that an attribute of the task definition names by ARN."""
        return self.state.find(self.task.get(attribute) or "", "aws_iam_role")

    @cached_property
    def leading_rules(self) -> list[StateResource]:
        """The listener rules that lead to the target group."""
        arn = self.target_group_arn
        return [rule for rule in self.state.of(*RULES) if arn and arn in target_groups(rule.get("action"))]

    @cached_property
    def listeners(self) -> list[str]:
        """The ARNs of the listeners whose default action, or whose rules, lead to the target group."""
        arn = self.target_group_arn
        defaults = [
            listener.id
            for listener in self.state.of(*LISTENERS)
            if arn and arn in target_groups(listener.get("default_action"))
        ]
        return [*(str(rule.get("listener_arn")) for rule in self.leading_rules), *defaults]

    @cached_property
    def load_balancer(self) -> StateResource | None:
        """The load balancer of a listener that leads to the target group, or of the existing listener, if the state has it."""
        if self.existing.listener_arn:
            return self._known(load_balancer_arn(self.existing.listener_arn), *LOAD_BALANCERS)
        found = (self.state.find(arn, *LISTENERS) for arn in self.listeners)
        arns = (str(listener.get("load_balancer_arn")) for listener in found if listener)
        return next(filter(None, (self.state.find(arn, *LOAD_BALANCERS) for arn in arns)), None)

    def _known(self, arn: str, *types: str) -> StateResource | None:
        """The resource with `arn`, managed or read by a data source."""
        return next((found for found in self.state.known(*types) if arn in (found.id, found.get("arn"))), None)

    def owns(self, rule: StateResource) -> bool:
        """Whether a listener rule is Atlantis' own: it leads to Atlantis' target group only, or it leads nowhere and is part
        of the module that the service is in."""
        if found := target_groups(rule.get("action")):
            return found == {self.target_group_arn}
        module = self.service.module
        return bool(module) and rule.module == module

    @cached_property
    def https_listener(self) -> StateResource | None:
        if self.existing.listener_arn:
            return self._known(self.existing.listener_arn, *LISTENERS)
        balancer = self.load_balancer
        found = [
            listener
            for listener in self.state.of(*LISTENERS)
            if balancer and listener.get("load_balancer_arn") == balancer.id and listener.get("protocol") == "HTTPS"
        ]
        return next((listener for listener in found if listener.id in self.listeners), found[0] if found else None)

    @cached_property
    def alias_record(self) -> StateResource | None:
        """The record of the load balancer; if the state doesn't have it, that of the server's host."""
        return next(filter(self.is_alias, self.state.of("aws_route53_record")), None)

    @cached_property
    def host(self) -> str:
        """The host in the server's URL; empty if the task doesn't set it."""
        return self.environment.get("ATLANTIS_ATLANTIS_URL", "").partition("://")[2].partition("/")[0].lower()

    def is_alias(self, record: StateResource) -> bool:
        """Whether a resource is a record of the load balancer; if the state doesn't have that, of the server's host."""
        target = alias_target(self.load_balancer.get("dns_name")) if self.load_balancer else None
        return record.type == "aws_route53_record" and any(
            alias_target(alias.get("name")) == target if target else record.get("name") == self.host
            for alias in record.items_of("alias")
        )

    @cached_property
    def balancer_group(self) -> str:
        """The load balancer's security group, from which the task accepts requests; empty if the state doesn't show it."""
        tasks = self.network.get("security_groups") or []
        sources = [
            rule.get("referenced_security_group_id")
            for rule in self.state.of("aws_vpc_security_group_ingress_rule")
            if rule.get("security_group_id") in tasks
        ]
        for group in self.state.of("aws_security_group"):
            for block in group.items_of("ingress") if group.id in tasks else []:
                sources += block.get("security_groups") or []
        of_balancer = self.load_balancer.items_of("security_groups") if self.load_balancer else sources
        return next((str(source) for source in [*sources, *of_balancer] if source and source in of_balancer), "")

    def listener_settings(self, listener_arn: str) -> str:
        """The settings that leave the load balancer of a listener unchanged."""
        group = self.balancer_group or "the ID of the load balancer's security group"
        return f"Set atlantis:httpsListenerArn to {listener_arn} and atlantis:loadBalancerSecurityGroupId to {group}"

    @cached_property
    def sign_in(self) -> Mapping[str, Mapping[str, Any]]:
        """The blocks `authenticate_oidc` and `authenticate_cognito` of the actions that lead to the target group, by name."""
        listener = self.https_listener
        default = listener.items_of("default_action") if listener else []
        actions = [
            *([] if target_groups(default) - {self.target_group_arn} else default),
            *(item for rule in self.state.of(*RULES) if self.owns(rule) for item in rule.items_of("action")),
        ]
        return {
            name: action[name][0]
            for action in actions
            for name in ("authenticate_oidc", "authenticate_cognito")
            if action.get(name)
        }

    @cached_property
    def network(self) -> Mapping[str, Any]:
        """The service's network configuration."""
        return self.service.first("network_configuration")

    @property
    def base_name(self) -> str:
        """The name that the service has, and the cluster too, if it is the stack's own."""
        return str(self.service.get("name")) if self.existing.cluster_name else self.cluster_name

    @property
    def cluster_name(self) -> str:
        return str(self.service.get("cluster", "")).rpartition("/")[2]


def target_groups(actions: Any) -> set[str]:
    """The ARNs of the target groups that the actions of a listener or a rule lead to."""
    return set(TARGET_GROUP.findall(json.dumps(actions)))


def dissect(state: TerraformState, existing: Existing = NOTHING) -> Anatomy:
    """Find the Atlantis stack in `state`. Its service may run on the parts of `existing`.

    Raises:
        AnatomyError: the state contains no Atlantis stack, or several, or its task is damaged.
    """
    tasks = {task.get("arn"): task for task in state.of("aws_ecs_task_definition")}
    found = [
        (service, task)
        for service in state.of("aws_ecs_service")
        if (task := tasks.get(service.get("task_definition")) or _of_family(service, tasks.values()))
        and atlantis_container(task)
    ]
    if not found:
        raise AnatomyError(_none_found(state))
    if len(found) > 1:
        names = ", ".join(f"{service.get('name')} ({service.address})" for service, _ in found)
        raise AnatomyError(
            f"The state holds {len(found)} Atlantis stacks: {names}. A Pulumi stack adopts one: pass a copy of the state from "
            "which `terraform state rm -state=copy.tfstate <address>` removed the others"
        )
    service, task = found[0]
    place = ARN.match(str(task.get("arn")))
    if place is None:
        raise AnatomyError(f"{task.address} has no ARN: run `terraform apply -refresh-only` and pull the state again")
    if damaged := damage(atlantis_container(task) or {}):
        raise AnatomyError(f"{task.address}: {damaged}: run `terraform apply -refresh-only` and pull the state again")
    return Anatomy(state, service, task, place["partition"], place["region"], place["account"], existing)


def _none_found(state: TerraformState) -> str:
    """Why the state has no Atlantis that this program can adopt."""
    for service in state.resources:
        if service.type == "aws_ecs_service" and not service.is_aws:
            return (
                f"{service.address} is of the provider {service.provider}, and this command reads resources of the official AWS provider. "
                "If it is a mirror of that one: `terraform state replace-provider "
                f"{service.provider} {OFFICIAL_PROVIDER[0]}`, then pull the state again"
            )
    read = {task.get("arn"): task for task in state.data if task.type == "aws_ecs_task_definition"}
    for service in state.of("aws_ecs_service"):
        if task := read.get(service.get("task_definition")) or _of_family(service, read.values()):
            return (
                f"{service.address} runs a task definition that the state has as a data source only ({task.address}), without what its "
                "containers have. Import it as a resource (`terraform import aws_ecs_task_definition.<name> "
                f"{task.get('arn')}`), and pull the state again"
            )
    return (
        f"None of the state's {len(state.resources)} managed resources is an ECS service whose task runs Atlantis. Where the stack is "
        "spread over several states, move it into one first (`terraform state mv -state-out`), then pull that"
    )


def _of_family(service: StateResource, tasks: Any) -> StateResource | None:
    """Finds the task definition of a service that references an older revision than the state contains."""
    family = str(service.get("task_definition", "")).rpartition("/")[2].partition(":")[0]
    return next((task for task in tasks if task.get("family") == family), None)
