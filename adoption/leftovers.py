"""What stays in Terraform or in AWS after the adoption, each with the command that removes it, or with a note to keep it."""

import re
import shlex
from collections.abc import Collection, Iterator
from typing import Any

from adoption.anatomy import RULES, Anatomy
from adoption.kinds import KINDS, NOT_ADOPTED
from adoption.pairing import Pairing
from adoption.state import StateResource

KEEP = ": keep it"
"""The end of the advice for a resource that Terraform still manages."""
OTHER_PROVIDER = "Belongs to another provider: keep it"
YOURS = "This program has no such resource: keep it"
NOT_THIS_ONE = "Not part of the adopted Atlantis: keep it"
NO_IPV6 = (
    "An alias of Atlantis' load balancer, which has no IPv6 address: remove it in Terraform before step 5, or set the alias to the load "
    "balancer's DNS name and zone ID as values: keep it"
)
AFTER = "After the first `up`: "


def advice(actual: StateResource, pairing: Pairing) -> str:
    """What to do with a resource that the program doesn't adopt."""
    if not actual.is_aws:
        return OTHER_PROVIDER
    if actual.get("security_group_id") in _replaced_groups(pairing):
        return "It is deleted with its group"
    if special := {"aws_security_group_rule": _old_rule, "aws_iam_policy_attachment": _attachment}.get(actual.type):
        return special(actual, pairing)
    if actual is not pairing.anatomy.alias_record and pairing.anatomy.is_alias(actual):
        return NO_IPV6
    found = NOT_ADOPTED.get(actual.type)
    if found is None or not _is_of_atlantis(actual, pairing):
        is_known = found or any(actual.type in kind.terraform for kind in KINDS)
        return NOT_THIS_ONE if is_known else YOURS
    if actual.type == "aws_iam_policy" and actual.get("arn") in _attached(pairing):
        found = "additionalPolicyArns names it: keep it"
    # An attribute that the state lacks is a placeholder in the command.
    known = {name: value for name, value in actual.attributes.items() if isinstance(value, str | int)}
    return re.sub(r"\{(\w+)\}", lambda name: str(known.get(name[1], f"<{name[1]}>")), found)


def _is_of_atlantis(actual: StateResource, pairing: Pairing) -> bool:
    """Whether a resource that the program doesn't adopt is a part of Atlantis, not of another service in the state."""
    anatomy, attributes = pairing.anatomy, actual.attributes
    if actual.type == "aws_iam_policy":
        users = _users(anatomy, attributes.get("arn"))
        return bool(users) and users <= _role_names(anatomy)
    if actual.type in RULES:
        return anatomy.owns(actual)
    service = f"service/{anatomy.cluster_name}/{anatomy.service.get('name')}"
    groups = _adopted(pairing, "aws_security_group")
    key, own = {
        "aws_appautoscaling_policy": ("resource_id", [service]),
        "aws_appautoscaling_target": ("resource_id", [service]),
        "aws_ecs_task_definition": ("family", [anatomy.task.get("family")]),
        "aws_iam_role_policy": ("role", list(_role_names(anatomy))),
        "aws_iam_role_policy_attachment": ("role", list(_role_names(anatomy))),
        "aws_kms_key_policy": ("key_id", _adopted(pairing, "aws_kms_key")),
        "aws_security_group": ("id", _replaced_groups(pairing)),
        "aws_vpc_security_group_egress_rule": ("security_group_id", groups),
        "aws_vpc_security_group_ingress_rule": ("security_group_id", groups),
    }.get(actual.type, ("", []))
    return not key or attributes.get(key) in own


def _attached(pairing: Pairing) -> set[Any]:
    """The policies that the program attaches to its roles."""
    return {
        item.inputs.get("policyArn") for item in pairing.wanted.values() if item.type.endswith(":RolePolicyAttachment")
    }


def _role_names(anatomy: Anatomy) -> set[Any]:
    """The names of the running task's roles."""
    return {str(anatomy.task.get(key)).rpartition("/")[2] for key in ("execution_role_arn", "task_role_arn")}


def _users(anatomy: Anatomy, policy_arn: Any) -> set[Any]:
    """The names of the roles to which the state attaches a policy."""
    attached = anatomy.state.of("aws_iam_role_policy_attachment", "aws_iam_policy_attachment")
    found = [item for item in attached if item.get("policy_arn") == policy_arn]
    return {role for item in found for role in (item.get("role"), *item.items_of("roles")) if role}


def _adopted(pairing: Pairing, type_: str) -> list[str]:
    """The IDs of the adopted resources of a type."""
    return [pair.actual.id for pair in pairing.pairs.values() if pair.actual.type == type_]


def _replaced_groups(pairing: Pairing) -> list[Any]:
    """The security groups of adopted resources, in whose place the program sets its own."""
    used: list[Any] = [*(pairing.anatomy.network.get("security_groups") or [])]
    for pair in pairing.pairs.values():
        if pair.actual.type in ("aws_lb", "aws_alb", "aws_efs_mount_target"):
            used += pair.actual.items_of("security_groups")
    adopted = _adopted(pairing, "aws_security_group")
    return [group for group in used if group not in adopted]


def _old_rule(rule: StateResource, pairing: Pairing) -> str:
    """A rule with several peers, which has no ID in the state: revoked peer by peer."""
    group, direction = str(rule.get("security_group_id")), rule.get("type")
    if group not in _adopted(pairing, "aws_security_group") or direction not in ("ingress", "egress"):
        return NOT_THIS_ONE
    return "The program has its own rules. " + AFTER + ", ".join(revocations(rule.attributes, group, str(direction)))


def revocations(rule: Any, group: str, direction: str) -> list[str]:
    """The commands that revoke a rule with several peers, in the form of a block."""
    protocol, first, last = str(rule.get("protocol")), rule.get("from_port"), rule.get("to_port")
    ports = "" if protocol in ("-1", "all") else f",FromPort={first},ToPort={last}"
    source = group if rule.get("self") else rule.get("source_security_group_id")
    peers = [
        *(f"IpRanges=[{{CidrIp={block}}}]" for block in rule.get("cidr_blocks") or []),
        *(f"Ipv6Ranges=[{{CidrIpv6={block}}}]" for block in rule.get("ipv6_cidr_blocks") or []),
        *(f"PrefixListIds=[{{PrefixListId={name}}}]" for name in rule.get("prefix_list_ids") or []),
        *(
            f"UserIdGroupPairs=[{{GroupId={name}}}]"
            for name in rule.get("security_groups") or ([source] if source else [])
        ),
    ]
    command = f"aws ec2 revoke-security-group-{direction} --group-id {group} --ip-permissions"
    protocol = "-1" if protocol == "all" else protocol
    return [f"`{command} {shlex.quote(f'IpProtocol={protocol}{ports},{peer}')}`" for peer in peers]


def _attachment(attachment: StateResource, pairing: Pairing) -> str:
    """A policy that one resource attaches to several roles."""
    arn, roles = attachment.get("policy_arn"), attachment.items_of("roles")
    own = sorted(_role_names(pairing.anatomy) & set(roles))
    if not own:
        return NOT_THIS_ONE
    attached = {item.inputs.get("role") for item in pairing.wanted.values() if item.inputs.get("policyArn") == arn}
    if set(roles) <= attached:
        return "The program attaches it to the same role: Terraform only has to forget it"
    if len(own) < len(roles):
        return f"Others use it too. {AFTER}remove {', '.join(own)} from its roles in Terraform{KEEP}"
    commands = [f"`aws iam detach-role-policy --role-name {role} --policy-arn {arn}`" for role in own]
    return f"The program attaches its own policies. {AFTER}{', '.join(commands)}"


def rights(pairing: Pairing) -> Iterator[str]:
    """Permissions of the stack's roles, and rules of adopted groups, that no resource of the state has.

    Older providers keep them as attributes of the role (`inline_policy`, `managed_policy_arns`) and of the group.
    """
    attached = _attached(pairing)
    for actual in pairing.renamed.values():
        if actual.type == "aws_iam_role":
            yield from _role_rights(actual, pairing, frozenset())
    for pair in pairing.pairs.values():
        if pair.actual.type == "aws_iam_role":
            yield from _role_rights(pair.actual, pairing, attached)
        elif pair.actual.type == "aws_security_group":
            yield from _group_rules(pair.actual, pairing)


def _role_rights(role: StateResource, pairing: Pairing, attached: Collection[Any]) -> Iterator[str]:
    """Permissions of one role, except those that a resource of the state has, and `attached`, which the program attaches."""
    name, state = str(role.get("name")), pairing.anatomy.state
    of_role = [
        item for item in state.of("aws_iam_role_policy", "aws_iam_role_policy_attachment") if item.get("role") == name
    ]
    inline = {item.get("name") for item in of_role}
    known = {*attached, *(item.get("policy_arn") for item in of_role)}
    known |= {item.get("policy_arn") for item in state.of("aws_iam_policy_attachment")}
    for policy in role.items_of("inline_policy"):
        if policy.get("name") and policy["name"] not in inline:
            yield (
                f"{role.address} keeps its inline policy {policy['name']}. {AFTER}"
                f"`aws iam delete-role-policy --role-name {name} --policy-name {policy['name']}`"
            )
    for arn in role.items_of("managed_policy_arns"):
        if arn not in known:
            yield f"{role.address} keeps {arn}. {AFTER}`aws iam detach-role-policy --role-name {name} --policy-arn {arn}`"


def _group_rules(group: StateResource, pairing: Pairing) -> Iterator[str]:
    """Rules that are blocks of an adopted group. A rule that is a resource has a separate row in the table."""
    state = pairing.anatomy.state
    for direction in ("ingress", "egress"):
        rules = state.of(f"aws_vpc_security_group_{direction}_rule", "aws_security_group_rule")
        if any(rule.get("security_group_id") == group.id for rule in rules):
            continue  # a group has blocks or resources, and a refreshed state repeats the resources as blocks
        for rule in group.items_of(direction):
            for command in revocations(rule, group.id, direction):
                yield f"{group.address} keeps a rule. {AFTER}{command}"
