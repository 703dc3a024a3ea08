"""Finds the Atlantis stack in a state: starts at its ECS service and follows the references.

Addresses and names differ between users. Every stack has an ECS service that runs a task with an Atlantis container.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adoption.shapes import MAXIMUM_DEPTH, depth
from adoption.state import StateResource, TerraformState

__all__ = ["LISTENERS", "RULES", "Anatomy", "AnatomyError", "containers", "dissect", "target_groups"]

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

    @cached_property
    def container(self) -> Mapping[str, Any]:
        """Atlantis' container definition."""
        return _atlantis_container(self.task) or {}

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The container's plaintext environment variables."""
        return {item["name"]: item["value"] for item in self.container.get("environment") or []}

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """Maps each environment variable to the secret reference that ECS resolves."""
        return {item["name"]: item["valueFrom"] for item in self.container.get("secrets") or []}

    @cached_property
    def volume(self) -> Mapping[str, Any]:
        """The configuration of the task's EFS volume; empty if it has none."""
        for volume in self.task.attributes.get("volume") or []:
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
        return (self.service.attributes.get("load_balancer") or [{}])[0].get("target_group_arn") or ""

    @cached_property
    def target_group(self) -> StateResource | None:
        return self.state.find(self.target_group_arn, "aws_lb_target_group", "aws_alb_target_group")

    @cached_property
    def cluster(self) -> StateResource | None:
        named = str(self.service.attributes.get("cluster", ""))
        clusters = self.state.of("aws_ecs_cluster")
        return next((found for found in clusters if named in (found.id, found.attributes.get("name"))), None)

    def role(self, attribute: str) -> StateResource | None:
        """The role that an attribute of the task definition names by ARN."""
        return self.state.find(self.task.attributes.get(attribute) or "", "aws_iam_role")

    @cached_property
    def load_balancer(self) -> StateResource | None:
        """The load balancer of a listener whose actions, or whose rules' actions, reference the target group."""
        arn = self.target_group_arn
        leading = [
            rule for rule in self.state.of(*RULES) if arn and arn in target_groups(rule.attributes.get("action"))
        ]
        listeners = [
            *(self.state.find(str(rule.attributes.get("listener_arn")), *LISTENERS) for rule in leading),
            *(
                listener
                for listener in self.state.of(*LISTENERS)
                if arn and arn in target_groups(listener.attributes.get("default_action"))
            ),
        ]
        balancers = (
            self.state.find(str(listener.attributes.get("load_balancer_arn")), "aws_lb", "aws_alb")
            for listener in listeners
            if listener
        )
        return next((balancer for balancer in balancers if balancer), None)

    def owns(self, rule: StateResource) -> bool:
        """Whether a listener rule is Atlantis' own: it leads to Atlantis' target group only, or it leads nowhere and is part
        of the module that the service is in."""
        if found := target_groups(rule.attributes.get("action")):
            return found == {self.target_group_arn}
        module = self.service.module
        return bool(module) and rule.module == module

    @cached_property
    def https_listener(self) -> StateResource | None:
        balancer = self.load_balancer
        return next(
            (
                listener
                for listener in self.state.of(*LISTENERS)
                if balancer
                and listener.attributes.get("load_balancer_arn") == balancer.id
                and listener.attributes.get("protocol") == "HTTPS"
            ),
            None,
        )

    @cached_property
    def sign_in(self) -> Mapping[str, Mapping[str, Any]]:
        """The blocks `authenticate_oidc` and `authenticate_cognito` of the actions that lead to the target group, by name."""
        listener = self.https_listener
        actions = [
            *((listener.attributes.get("default_action") or []) if listener else []),
            *(
                item
                for rule in self.state.of(*RULES)
                if self.owns(rule)
                for item in rule.attributes.get("action") or []
            ),
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
        return (self.service.attributes.get("network_configuration") or [{}])[0]

    @property
    def cluster_name(self) -> str:
        return str(self.service.attributes.get("cluster", "")).rpartition("/")[2]


def target_groups(actions: Any) -> set[str]:
    """The ARNs of the target groups that the actions of a listener or a rule lead to."""
    return set(TARGET_GROUP.findall(json.dumps(actions)))


def dissect(state: TerraformState) -> Anatomy:
    """Find the Atlantis stack in `state`.

    Raises:
        AnatomyError: the state contains no Atlantis stack or several, lacks a resource that the service uses, or is the
            result of an unfinished apply.
    """
    tasks = {task.attributes.get("arn"): task for task in state.of("aws_ecs_task_definition")}
    found = [
        (service, task)
        for service in state.of("aws_ecs_service")
        if (task := tasks.get(service.attributes.get("task_definition")) or _of_family(service, tasks.values()))
        and _atlantis_container(task)
    ]
    if not found:
        count = len(state.resources)
        raise AnatomyError(
            f"None of the state's {count} managed resources is an ECS service whose task runs Atlantis. Where the stack is "
            "spread over several states, move it into one first (`terraform state mv -state-out`), then pull that"
        )
    if len(found) > 1:
        names = ", ".join(f"{service.attributes.get('name')} ({service.address})" for service, _ in found)
        raise AnatomyError(
            f"The state holds {len(found)} Atlantis stacks: {names}. A Pulumi stack adopts one: pass a copy of the state from "
            "which `terraform state rm -state=copy.tfstate <address>` removed the others"
        )
    service, task = found[0]
    place = ARN.match(str(task.attributes.get("arn")))
    if place is None:
        raise AnatomyError(f"{task.address} has no ARN: run `terraform apply -refresh-only` and pull the state again")
    if damage := _damaged(_atlantis_container(task) or {}):
        raise AnatomyError(f"{task.address}: {damage}: run `terraform apply -refresh-only` and pull the state again")
    anatomy = Anatomy(state, service, task, place["partition"], place["region"], place["account"])
    _require_whole(anatomy)
    return anatomy


def _require_whole(anatomy: Anatomy) -> None:
    """Reject a state without a resource that the service uses, because the program would create it a second time."""
    unfinished = [
        f"{resource.address} is {resource.unfinished}" for resource in anatomy.state.resources if resource.unfinished
    ]
    if unfinished:
        raise AnatomyError(
            f"Terraform did not finish its last apply: {', '.join(unfinished)}. Finish it (`terraform apply`), then pull again"
        )
    missing = [
        f"{what} {identity}"
        for what, identity, found in (
            ("the file system", anatomy.volume.get("file_system_id"), anatomy.file_system),
            ("the cluster", anatomy.service.attributes.get("cluster"), anatomy.cluster),
            (
                "the execution role",
                anatomy.task.attributes.get("execution_role_arn"),
                anatomy.role("execution_role_arn"),
            ),
            ("the task role", anatomy.task.attributes.get("task_role_arn"), anatomy.role("task_role_arn")),
            ("the target group", anatomy.target_group_arn, anatomy.target_group),
            ("the load balancer of the target group", anatomy.target_group_arn, anatomy.load_balancer),
        )
        if identity and found is None
    ]
    outside = _rule_outside(anatomy) if anatomy.load_balancer is None else None
    if outside is not None:
        raise AnatomyError(
            f"{outside.address} is a rule of the listener {outside.attributes.get('listener_arn')}, which this state doesn't hold: "
            "another state manages the load balancer, and others may use it. This program manages its load balancer as a whole. "
            "Give Atlantis one of its own in Terraform, or, if only Atlantis uses it, move it into this state "
            "(`terraform state mv -state-out`), and pull the state again"
        )
    if missing:
        raise AnatomyError(
            f"The state is half of a stack: the service {anatomy.service.address} runs on {', '.join(missing)}, which it doesn't "
            "hold, and the program would make a second one. Move all of the stack into one state first "
            "(`terraform state mv -state-out`), then pull that"
        )


def _rule_outside(anatomy: Anatomy) -> StateResource | None:
    """A rule that leads to the target group, on a listener that isn't in the state."""
    arn = anatomy.target_group_arn
    rules = (rule for rule in anatomy.state.of(*RULES) if arn and arn in target_groups(rule.attributes.get("action")))
    return next((r for r in rules if not anatomy.state.find(str(r.attributes.get("listener_arn")), *LISTENERS)), None)


def _of_family(service: StateResource, tasks: Any) -> StateResource | None:
    """Finds the task definition of a service that references an older revision than the state contains."""
    family = str(service.attributes.get("task_definition", "")).rpartition("/")[2].partition(":")[0]
    return next((task for task in tasks if task.attributes.get("family") == family), None)


def containers(task: StateResource) -> list[Mapping[str, Any]]:
    """The container definitions of a task; empty if they aren't a list of objects."""
    try:
        found = json.loads(task.attributes.get("container_definitions") or "[]")
    except (TypeError, ValueError, RecursionError):
        return []
    is_well_formed = isinstance(found, list) and all(isinstance(item, dict) for item in found)
    return found if is_well_formed and depth(found) <= MAXIMUM_DEPTH else []


def _atlantis_container(task: StateResource) -> Mapping[str, Any] | None:
    return next((container for container in containers(task) if _runs_atlantis(container)), None)


def _damaged(container: Mapping[str, Any]) -> str:
    """What is wrong with the parts of a container definition that are read; empty if nothing is."""
    for name, keys in (("environment", ("name", "value")), ("secrets", ("name", "valueFrom")), ("mountPoints", ())):
        items = container.get(name) or []
        well_formed = isinstance(items, list) and all(
            isinstance(item, dict) and all(isinstance(item.get(key), str) for key in keys) for item in items
        )
        if not well_formed:
            return f"{name} of its container definition isn't a list of {' and '.join(keys) or 'blocks'}"
    for name, kind in (("name", str), ("image", str), ("logConfiguration", dict), ("stopTimeout", int)):
        if container.get(name) is not None and not isinstance(container[name], kind):
            return f"{name} of its container definition is {container[name]!r:.60}"
    options = (container.get("logConfiguration") or {}).get("options") or {}
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        return "the options of its log configuration aren't strings"
    return ""


def _runs_atlantis(container: Mapping[str, Any]) -> bool:
    lists = [items for key in ("environment", "secrets") if isinstance(items := container.get(key), list)]
    return any(
        str(item.get("name")).startswith("ATLANTIS_") for items in lists for item in items if isinstance(item, dict)
    )
