"""Security groups and their rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.ec2 import Ec2Resource
from sandbox.providers.aws.listing import Listing, in_group, in_vpc
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties


def _description_rules(inputs: Properties) -> Iterator[tuple[str, str]]:
    """What EC2 takes as a description of a group or a rule; its model states no pattern."""
    description = inputs.get("description", "")
    if len(description) > 255:
        yield "description", "is longer than 255 characters"
    if not re.fullmatch(r"[\w .:/()#,@\[\]+=&;{}!$*-]*", description, re.ASCII):
        yield "description", "may have letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* only"


class SecurityGroup(Ec2Resource):
    """A security group whose rules are resources of their own."""

    sdk_name = "aws:ec2/securityGroup:SecurityGroup"
    operation, made = "CreateSecurityGroup", "GroupId"
    described: ClassVar = Call("describe_security_groups", "GroupIds", "SecurityGroups[0]")
    deleted: ClassVar = Call("delete_security_group", "GroupId")
    listing: ClassVar = Listing(
        "describe_security_groups", "SecurityGroups[?GroupName!='default'].GroupId", "aws:ec2/vpc:Vpc", in_vpc
    )
    kind = "security-group"
    renamed: ClassVar = {"name": "GroupName"}
    defaults: ClassVar = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}
    handled: ClassVar = frozenset({"name"})  # never changes: so that `configure` can tell a new group
    limits: ClassVar = {"name": "CreateSecurityGroup.GroupName"}
    write_only: ClassVar = frozenset({"revokeRulesOnDelete"})
    in_place: ClassVar = write_only
    computed: ClassVar = frozenset({"vpcId"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """EC2 refuses these, but its model doesn't say so."""
        name = inputs.get("name", "")
        if name.startswith("sg-"):
            yield "name", f"{name!r} must not begin with sg-"
        yield from _description_rules(inputs)

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Take the rule that EC2 added away again, as the official provider does."""
        super().configure(identity, inputs, changed)
        if "name" in changed:
            revoke_all(self.client, identity)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Without its rules, which belong to other resources."""
        found = self.common(self.found(identity), identity, "ownerId", "vpcId")
        return {name: value for name, value in found.items() if name not in ("ingress", "egress")}

    def remove(self, identity: str, state: Properties) -> None:
        if state.get("revokeRulesOnDelete"):
            revoke_all(self.client, identity)
        super().remove(identity, state)


class DefaultSecurityGroup(Ec2Resource):
    """A VPC's default security group, taken over and emptied. Deleting the resource leaves the group as it is."""

    sdk_name = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    operation = "CreateSecurityGroup"
    described: ClassVar = Call("describe_security_groups", "GroupIds", "SecurityGroups[0]")
    kind = "security-group"
    defaults: ClassVar = {"revokeRulesOnDelete": False}
    handled: ClassVar = frozenset({"ingress", "egress", "tags"})
    write_only: ClassVar = frozenset({"revokeRulesOnDelete"})
    in_place: ClassVar = handled | write_only
    computed: ClassVar = frozenset({"vpcId", "ingress", "egress"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """The one use it has here is to be closed."""
        for name in ("ingress", "egress"):
            if inputs.get(name):
                yield name, "the stand-in carries out only an empty list for the default group"

    def create(self, inputs: Properties) -> Created:
        """Nothing is made: the group came with its VPC."""
        wanted = {"vpc-id": inputs["vpcId"], "group-name": "default"}
        filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
        groups = self.client.describe_security_groups(Filters=filters)["SecurityGroups"]
        if not groups:
            raise LookupError(f"{inputs['vpcId']} has no default security group")
        revoke_all(self.client, groups[0]["GroupId"])
        return Created(groups[0]["GroupId"])

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if changed & {"ingress", "egress"}:
            revoke_all(self.client, identity)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """With its rules, because there should be none."""
        group = self.found(identity)
        found = self.common(group, identity, "ownerId", "vpcId", "description")
        found["name"] = group["GroupName"]
        for name, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
            found[name] = [_inline_rule(permission) for permission in group.get(key, [])]
        return found

    def remove(self, identity: str, state: Properties) -> None:
        """EC2 does not let a default group go."""


def _inline_rule(permission: Mapping[str, Any]) -> Properties:
    return {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0),
        "toPort": permission.get("ToPort", 0),
        "cidrBlocks": [item["CidrIp"] for item in permission.get("IpRanges", [])],
        "ipv6CidrBlocks": [item["CidrIpv6"] for item in permission.get("Ipv6Ranges", [])],
        "securityGroups": [item["GroupId"] for item in permission.get("UserIdGroupPairs", [])],
    }


def revoke_all(client: Any, identity: str) -> None:
    """Take every rule from a group."""
    group = client.describe_security_groups(GroupIds=[identity])["SecurityGroups"][0]
    if group.get("IpPermissions"):
        client.revoke_security_group_ingress(GroupId=identity, IpPermissions=group["IpPermissions"])
    if group.get("IpPermissionsEgress"):
        client.revoke_security_group_egress(GroupId=identity, IpPermissions=group["IpPermissionsEgress"])


_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


class _SecurityGroupRule(Ec2Resource):
    kind = "security-group-rule"
    made = "SecurityGroupRules[0].SecurityGroupRuleId"
    described: ClassVar = Call("describe_security_group_rules", "SecurityGroupRuleIds", "SecurityGroupRules[0]")
    direction: ClassVar[str]
    handled: ClassVar = frozenset({*_SOURCES, "description", "fromPort", "toPort", "ipProtocol"})
    in_place: ClassVar = handled
    renamed: ClassVar = {"securityGroupId": "GroupId"}

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """One source or destination; ports where the protocol has some."""
        given = [name for name in _SOURCES if inputs.get(name)]
        if len(given) > 1:
            yield given[1], f"only one of {', '.join(given)} may be given"
        if inputs.get("ipProtocol") in ("tcp", "udp"):
            for name in ("fromPort", "toPort"):
                port = inputs.get(name)
                if isinstance(port, int) and not 0 <= port <= 65535:
                    yield name, f"{port} is not a port: 0 to 65535"
        if inputs.get("ipProtocol") == "-1" and inputs.keys() & {"fromPort", "toPort"}:
            yield "fromPort", "must be left out when ipProtocol is -1 (all)"
        yield from _description_rules(inputs)

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        permission: dict[str, Any] = {"IpProtocol": inputs["ipProtocol"]}
        permission |= {key: inputs[name] for name, key in _PORTS.items() if inputs.get(name) is not None}
        about = {"Description": inputs["description"]} if inputs.get("description") else {}
        for name, (ranges, key) in _RANGES.items():
            if inputs.get(name):
                permission[ranges] = [{key: inputs[name], **about}]
        return {"GroupId": inputs["securityGroupId"], "IpPermissions": [permission]}

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """EC2 wants the whole rule again."""
        current = self.describe(identity, inputs)
        if current is None or all(current.get(name) == inputs.get(name) for name in changed & self.handled):
            return
        rule = {"IpProtocol": inputs["ipProtocol"]}
        rule |= {key: inputs[name] for name, key in {**_PORTS, **_MEMBERS}.items() if inputs.get(name) is not None}
        changes = [{"SecurityGroupRuleId": identity, "SecurityGroupRule": rule}]
        self.client.modify_security_group_rules(GroupId=inputs["securityGroupId"], SecurityGroupRules=changes)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        rule = self.found(identity)
        found = self.common(rule, identity)
        found |= {name: rule.get(key) for name, key in {**_PORTS, **_MEMBERS}.items()}
        if rule["IpProtocol"] == "-1":
            found |= dict.fromkeys(_PORTS)
        found["referencedSecurityGroupId"] = rule.get("ReferencedGroupInfo", {}).get("GroupId")
        return {**found, "securityGroupRuleId": identity}

    def remove(self, identity: str, state: Properties) -> None:
        call = getattr(self.client, f"revoke_security_group_{self.direction}")
        call(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[identity])


_PORTS = {"fromPort": "FromPort", "toPort": "ToPort"}
_MEMBERS = {
    "cidrIpv4": "CidrIpv4",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
    "referencedSecurityGroupId": "ReferencedGroupId",
    "description": "Description",
}
_RANGES = {
    "cidrIpv4": ("IpRanges", "CidrIp"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


class SecurityGroupIngressRule(_SecurityGroupRule):
    """One rule for what comes in."""

    sdk_name = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    operation = "AuthorizeSecurityGroupIngress"
    listing: ClassVar = Listing(
        "describe_security_group_rules",
        "SecurityGroupRules[?!IsEgress].SecurityGroupRuleId",
        "aws:ec2/securityGroup:SecurityGroup",
        in_group,
    )
    direction = "ingress"


class SecurityGroupEgressRule(_SecurityGroupRule):
    """One rule for what goes out."""

    sdk_name = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    operation = "AuthorizeSecurityGroupEgress"
    listing: ClassVar = Listing(
        "describe_security_group_rules",
        "SecurityGroupRules[?IsEgress].SecurityGroupRuleId",
        "aws:ec2/securityGroup:SecurityGroup",
        in_group,
    )
    direction = "egress"
