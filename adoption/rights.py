"""What the running task role may do, next to the program's roles: the rights on each service are kept, replaced or lost.

The documents are compared: a right is kept if a statement of the program allows its actions on its resources. Conditions aren't
compared, and neither is what the program's roles are denied: its own resources (docs/adoption.md). With AWS credentials, the documents
are those of IAM (`observed`), and IAM's simulation leaves out what the running role isn't allowed to do.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adoption.anatomy import Anatomy
from adoption.pairing import Pairing
from adoption.program import REFERENCE
from adoption.shapes import load
from adoption.task_inventory import KEPT, LOST, REPLACED, Item
from components.settings.accepted import additional_policy_arns
from components.settings.values import UnacceptableError
from preflight.aws import listed

EXECUTION = "permissions-execution-role"
TASK_ROLE = "permissions-task-role"
EXECUTION_POLICY = "policy/service-role/AmazonECSTaskExecutionRolePolicy"
SETTINGS: Mapping[str, str] = {
    "dynamodb": "terraformLockTables",
    "kms": "terraformStateKeyArns",
    "s3": "terraformStateBuckets",
    "sts": "assumableRoleArns",
}
"""The setting for the rights on a service, where there is one."""
_SHOWN = 4


@dataclass(frozen=True)
class Policy:
    """A policy of the running role; without a document if the state has none, as for policies of AWS."""

    name: str
    arn: str = ""
    document: Any = None


def policies_of(anatomy: Anatomy) -> list[Policy]:
    """The inline and the attached policies of the task role, as far as the state has them."""
    state, role = anatomy.state, anatomy.task_role
    of_role = [found for found in state.of("aws_iam_role") if found.get("name") == role]
    inline = {
        str(item.get("name")): item.get("policy")
        for item in (
            *(item.attributes for item in state.known("aws_iam_role_policy") if item.get("role") == role),
            *(block for found in of_role for block in found.items_of("inline_policy")),
        )
        if item.get("name")
    }
    attached = {
        *(arn for found in of_role for arn in found.items_of("managed_policy_arns")),
        *(item.get("policy_arn") for item in state.known("aws_iam_role_policy_attachment") if item.get("role") == role),
        *(item.get("policy_arn") for item in state.of("aws_iam_policy_attachment") if role in item.items_of("roles")),
    }
    documents = {item.get("arn"): item.get("policy") for item in state.known("aws_iam_policy")}
    return [
        *(Policy(name, document=document) for name, document in sorted(inline.items())),
        *(Policy(str(arn).partition("/")[2], str(arn), documents.get(arn)) for arn in sorted(filter(None, attached))),
    ]


def attachable(arn: str) -> bool:
    """Whether `additionalPolicyArns` accepts the policy, and Terraform needs it."""
    try:
        additional_policy_arns([arn])
    except UnacceptableError:
        return False
    return not arn.endswith(EXECUTION_POLICY)


def statements(document: Any) -> list[Mapping[str, Any]]:
    """The statements of a policy document, as text or as data; none of one that can't be read."""
    try:
        return listed((load(document) if isinstance(document, str) else document).get("Statement"))
    except (AttributeError, ValueError):
        return []


def items(pairing: Pairing, settings: Mapping[str, Any], may: Callable[[str, str], bool] | None) -> list[Item]:
    """Whether each right of the running task role is kept, with the setting that keeps it.

    `may` answers whether the role has a right that a document allows; None if AWS can't be asked.
    """
    new = [allowed for document in _documents(pairing) for allowed in _allowed(document)]
    attached = settings.get("additionalPolicyArns") or []
    found: dict[str, list[tuple[str, str, str]]] = {}
    rows: list[Item] = []
    for policy in policies_of(pairing.anatomy):
        name = f"right:{policy.name}"
        if policy.arn.endswith(EXECUTION_POLICY):
            rows.append(Item(name, REPLACED, "the execution role has it"))
        elif policy.arn in attached:
            rows.append(Item(name, KEPT))
        elif policy.document is None and policy.arn:
            services = ", ".join(sorted({action.partition(":")[0] for action, _ in new}))
            rows.append(
                Item(
                    name,
                    LOST,
                    f"the program's role may use only {services}: set managedNamePrefixes, additionalPolicyArns or repositoryRoles",
                )
            )
        for action, resource in () if policy.arn in attached else _allowed(policy.document):
            found.setdefault(action.partition(":")[0].lower(), []).append((action, resource, policy.name))
    rows += (
        _of_service(service, [right for right in rights if not any(_covers(has, right) for has in new)], may)
        for service, rights in sorted(found.items())
    )
    return rows


def _of_service(service: str, rights: list[tuple[str, str, str]], may: Callable[[str, str], bool] | None) -> Item:
    """The item of a service, with the rights on it that the program's roles don't have."""
    name = f"right:{service}"
    lost = [right for right in rights if may is None or may(*right[:2])]
    if not lost:
        return Item(name, KEPT)
    if all(action.startswith("elasticfilesystem:Client") for action, _, _ in lost):
        return Item(name, REPLACED, "the role mounts the file system through the access point, which sets the user")
    shown = "; ".join(f"{action} on {resource}" for action, resource, _ in lost[:_SHOWN])
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    sources = ", ".join(sorted({policy for _, _, policy in lost}))
    return Item(
        name,
        LOST,
        f"{shown}{more} (of {sources}): set {SETTINGS.get(service, 'managedNamePrefixes')}, additionalPolicyArns or repositoryRoles",
    )


def _allowed(document: Any) -> Iterator[tuple[str, str]]:
    """Each allowed action with each of its resources; everything instead of what a statement excludes."""
    for statement in statements(document):
        actions, resources = listed(statement.get("Action", "*")), listed(statement.get("Resource", "*"))
        services = {str(action).lower().partition(":")[0] for action in actions}
        for action in map(str, actions if statement.get("Effect") == "Allow" else []):
            yield from ((action, str(each)) for each in resources if _has(action, str(each), services))


def _has(action: str, resource: str, services: Collection[str]) -> bool:
    """Whether an action can have the resource, in a statement with actions of `services` that lists resources of each."""
    service, _, operation = action.lower().partition(":")
    if not resource.startswith("arn:") or "*" in service:
        return True
    if service == "s3" and "*" not in operation:
        return ("/" in resource) == ("object" in operation)
    return resource.split(":")[2] not in {*services} - {service}


def _covers(has: tuple[str, str], right: tuple[str, str, str]) -> bool:
    """Whether an allowed action and resource include another one; a wildcard in it is a character like others."""
    # A lock table is in the region of the state, and a policy for it names any region.
    own, other = (re.sub(r":dynamodb:[\w*-]*:", ":dynamodb::", resource) for resource in (has[1], right[1]))
    return _matches(has[0].lower(), right[0].lower()) and _matches(own, other)


def _matches(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text))


def _documents(pairing: Pairing) -> Iterator[str]:
    """The documents of the program's roles for Terraform, with the state's values of references."""
    task = pairing.anatomy.task.attributes
    shared = task.get("task_role_arn") == task.get("execution_role_arn")
    roles = {
        str(named): name
        for name, item in pairing.wanted.items()
        if item.type == "aws:iam/role:Role" and (shared or name != EXECUTION)
        for named in (item.inputs.get("name"), f"${{{name}.id}}", f"${{{name}.name}}")
    }
    of_roles = [item for item in pairing.wanted.values() if str(item.inputs.get("role")) in roles]
    attached = {
        reference["name"] for item in of_roles for reference in REFERENCE.finditer(str(item.inputs.get("policyArn")))
    }
    for item in (*of_roles, *(pairing.wanted[name] for name in attached)):
        yield REFERENCE.sub(lambda found: str(pairing.resolve(found[0])), str(item.inputs.get("policy")))


def other_policies(pairing: Pairing) -> Iterator[str]:
    """Policies that name the running task role, whose rights end with it if the program's role has another name."""
    anatomy = pairing.anatomy
    old = anatomy.task_role_arn
    if not old or TASK_ROLE not in pairing.renamed:
        return
    name = pairing.wanted[TASK_ROLE].inputs.get("name")
    new = f"arn:{anatomy.partition}:iam::{anatomy.account}:role/{name}"
    named = re.compile(re.escape(old) + r"(?![\w+=,.@/-])")
    for found in anatomy.state.resources:
        # The role has its own ARN, and what replaces the task definition has the new one.
        attributes = found.get("assume_role_policy") if found.type == "aws_iam_role" else found.attributes
        if found.type != "aws_ecs_task_definition" and named.search(json.dumps(attributes, default=str)):
            yield f"{found.address} names {old}. Add {new} to it in Terraform, and apply, before the first `up`"
    assumed = sorted(
        {
            resource
            for policy in policies_of(anatomy)
            for action, resource in _allowed(policy.document)
            if _matches(action.lower(), "sts:assumerole")
        }
    )
    for arn in assumed:
        command = f"aws iam update-assume-role-policy --role-name {arn.rpartition('/')[2]} --policy-document file://trust.json"
        how = "" if "*" in arn else f": `make trust-policy` prints a trust policy, `{command}` sets it in that account"
        yield f"The trust policy of {arn} must name {new} instead of {old}{how}"
    yield (
        f"The task role is {new}, no longer {old}. Policies outside of this state that name the old one stop matching: trust policies, "
        "and policies of buckets, keys and repositories, in other accounts too"
    )
