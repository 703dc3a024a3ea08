"""Prefix lists in the rules of security groups, which ministack returns but doesn't read from calls.

Terraform waits for a rule until it finds the rule's prefix lists, and then reports that the rule is missing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ministack.services import ec2

from sandbox.testbed.iam_evaluation import wire

_PEERS = ("UserIdGroupPairs", "PrefixListIds")
"""The kinds of peers whose descriptions ministack compares; EC2 identifies a rule without its description."""

_OTHER_PEERS = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs")


def install() -> None:
    """Install the changes. Must be called in ministack's process, before others that read rules from calls."""
    ec2._parse_ip_permissions = partial(_with_prefix_lists, ec2._parse_ip_permissions)
    ec2._parse_ip_permissions = partial(_without_ports_of_all_protocols, ec2._parse_ip_permissions)
    ec2._strip_descriptions = partial(_without_descriptions, ec2._strip_descriptions)
    ec2._sg_rule_xml = partial(_show_prefix_lists, ec2._sg_rule_xml)


def _with_prefix_lists(
    own: Callable[..., list[dict[str, Any]]], parameters: Mapping[str, Any], prefix: str
) -> list[dict[str, Any]]:
    rules = own(parameters, prefix)
    for rule, given in zip(rules, wire.form_parameters("ec2", parameters).get(prefix, []), strict=False):
        rule["PrefixListIds"] += given.get("PrefixListIds", [])
    return rules


def _without_ports_of_all_protocols(own: Callable[..., list[dict[str, Any]]], *arguments: Any) -> list[dict[str, Any]]:
    """EC2 ignores the ports of a rule for all protocols: Terraform revokes a new group's default rule with the port 0."""
    rules = own(*arguments)
    for rule in rules:
        if rule["IpProtocol"] == "-1":
            rule.pop("FromPort", None)
            rule.pop("ToPort", None)
    return rules


def _without_descriptions(
    own: Callable[[Mapping[str, Any]], dict[str, Any]], rule: Mapping[str, Any]
) -> dict[str, Any]:
    stripped = own(rule)
    for kind in _PEERS:
        stripped[kind] = [
            {name: value for name, value in peer.items() if name != "Description"} for peer in stripped[kind]
        ]
    return stripped


def _show_prefix_lists(own: Callable[..., str], group: str, rule: dict[str, Any], is_egress: bool = False) -> str:
    """Return each prefix list of a rule in a separate item, as EC2 does."""
    if not rule["PrefixListIds"]:
        return own(group, rule, is_egress)
    alone = {**rule, **{kind: [] for kind in _OTHER_PEERS}}
    # The ID follows from the peers if the rule has none.
    item = own(group, alone | {"SecurityGroupRuleId": ec2._sg_rule_id(group, is_egress, rule)}, is_egress)
    lists = (f"<prefixListId>{peer['PrefixListId']}</prefixListId></item>" for peer in rule["PrefixListIds"])
    others = own(group, rule, is_egress) if any(rule[kind] for kind in _OTHER_PEERS) else ""
    return others + "".join(f"{item.removesuffix('</item>')}{peer}" for peer in lists)
