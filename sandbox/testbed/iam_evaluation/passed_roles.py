"""The roles that a call passes to a service, for which AWS requires ``iam:PassRole``, and the services that receive them.

The service authorization reference lists the permission as a dependent action. Its list is incomplete (it lacks Glue, CodeBuild,
Batch and the node groups of EKS), so every role in a call that writes counts, unless the parameter names a principal.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.evaluator import Reference
from sandbox.testbed.iam_evaluation.parameters import leaves, plain

_IN_ARN = re.compile(r"arn:[\w-]+:iam::\d+:(?P<kind>role|instance-profile)/(?P<name>.+)")
_RECIPIENTS = {"autoscaling": "ec2", "ec2:CreateFlowLogs": "vpc-flow-logs", "ecs": "ecs-tasks", "iam": "ec2"}
"""First labels of the service principals that receive a role, by action or IAM prefix, if they differ from the prefix."""


@cache
def dependent_actions() -> Mapping[str, frozenset[str]]:
    """The actions that the reference lists as dependent (``iam:PassRole`` and others), by the action that depends on them."""
    data = json.loads(Path(__file__).with_name("dependent_actions.json").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for dependent, services in data.items():
        for service, operations in services.items() if isinstance(services, dict) else ():
            for operation in operations:
                found.setdefault(f"{service}:{operation}", set()).add(dependent)
    return {action: frozenset(dependents) for action, dependents in found.items()}


def passed_roles(
    action: str, described: Reference, call: ApiCall, existing: ExistingResources
) -> Iterator[tuple[str, str]]:
    """The ARN of each role that ``call`` passes, and the service that receives it."""
    if "iam:PassRole" not in dependent_actions().get(action, ()) and (
        described.level != "Write" or call.service in ("iam", "sts")
    ):
        return
    own = _RECIPIENTS.get(action) or _RECIPIENTS.get(call.service, call.service)
    for role in dict.fromkeys(_roles(call.parameters, existing)):
        trusted = existing.trusted_services(role)
        fitting = next((service for service in trusted if service.partition(".")[0] == own), None)
        yield role, fitting or next(iter(trusted), f"{own}.amazonaws.com")


def _roles(parameters: Mapping[str, Any], existing: ExistingResources) -> Iterator[str]:
    for name, value in leaves(parameters):
        kind = plain(name)
        if found := _IN_ARN.fullmatch(str(value)):
            if found["kind"] == "instance-profile":
                yield from existing.roles_in(found["name"].rpartition("/")[2])
            # Values of variables, such as those of a container, pass nothing.
            elif "principal" not in kind and "resource" not in kind and kind != "value":
                yield str(value)
        elif kind.endswith(("role", "rolename")):
            # Glue, CodeBuild and IAM accept names. Other parameters called so have other values, such as USER.
            arn = existing.full_arn(f"arn:{existing.partition}:iam::{existing.account}:role/{value}")
            if kind == "rolename" or existing.trusted_services(arn):
                yield arn
    for profile in _profiles(parameters):
        yield from existing.roles_in(profile)


def _profiles(value: Any) -> Iterator[str]:
    """The names of instance profiles, which EC2 has in a structure and Auto Scaling in a string."""
    for name, item in value.items() if isinstance(value, Mapping) else ():
        if plain(name) == "iaminstanceprofile":
            yield str(item.get("Name", "") if isinstance(item, Mapping) else item)
        yield from _profiles(item)
