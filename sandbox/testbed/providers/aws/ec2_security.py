"""Security groups and their rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.calls import Call
from sandbox.testbed.providers.aws.ec2 import Ec2Resource
from sandbox.testbed.providers.aws.mapping import to_api
from sandbox.testbed.providers.resource import Created, names
from sandbox.testbed.providers.values import Properties

_GROUP = "aws:ec2/securityGroup:SecurityGroup"


class _Group(Ec2Resource):
    def revoke_all(self, identity: str) -> None:
        """Revoke all rules of a group."""
        group = self.found(identity, {})
        if group.get("IpPermissions"):
            self.client.revoke_security_group_ingress(GroupId=identity, IpPermissions=group["IpPermissions"])
        if group.get("IpPermissionsEgress"):
            self.client.revoke_security_group_egress(GroupId=identity, IpPermissions=group["IpPermissionsEgress"])


class SecurityGroup(_Group):
    """A security group without rules; they are separate resources."""

    sdk_name = _GROUP

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return self.request(inputs)

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Revoke the egress rule that EC2 adds to a new group, as the official provider does."""
        super().configure(identity, inputs, changed)
        if "name" in changed:
            self.revoke_all(identity)

    def remove(self, identity: str, state: Properties) -> None:
        if state.get("revokeRulesOnDelete"):
            self.revoke_all(identity)
        super().remove(identity, state)


class DefaultSecurityGroup(_Group):
    """A VPC's default security group, adopted without rules. Deleting the resource doesn't change the group."""

    sdk_name = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Only a group without rules is supported."""
        for name in ("ingress", "egress"):
            if inputs.get(name):
                yield name, "the stand-in carries out only an empty list for the default group"

    def create(self, inputs: Properties) -> Created:
        """Adopts the group that EC2 created with the VPC."""
        path = "SecurityGroups[?GroupName=='default'] | [0].GroupId"
        identity = Call("describe_security_groups", "vpc-id", path)(self.client, inputs["vpcId"], {})
        if not identity:
            raise LookupError(f"{inputs['vpcId']} has no default security group")
        self.revoke_all(identity)
        return Created(identity)

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if changed & {"ingress", "egress"}:
            self.revoke_all(identity)


_PORTS = ("fromPort", "toPort")
_SOURCES = {
    "cidrIpv4": ("IpRanges", "CidrIp"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


class SecurityGroupRule(Ec2Resource):
    direction: ClassVar[str]

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Ports must be omitted for all protocols (-1)."""
        yield from super().rules(inputs)
        if inputs.get("ipProtocol") == "-1" and inputs.keys() & set(_PORTS):
            yield "fromPort", "must be left out when ipProtocol is -1 (all)"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """The rule as IpPermissions: the parameters for a single rule have no description."""
        about = {"Description": inputs["description"]} if inputs.get("description") else {}
        permission = self.request(inputs, only=names("ipProtocol fromPort toPort"))
        for name, (ranges, key) in _SOURCES.items():
            if inputs.get(name):
                permission[ranges] = [{key: inputs[name], **about}]
        return {"GroupId": inputs["securityGroupId"], "IpPermissions": [permission]}

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """EC2 requires the complete rule."""
        current = self.describe(identity, inputs) or {}
        if any(current.get(name) != inputs.get(name) for name in changed & self.handled):
            model = self.client.meta.service_model.shape_for("SecurityGroupRuleRequest")
            rule = {"SecurityGroupRuleId": identity, "SecurityGroupRule": to_api(inputs, model, self.renamed)}
            group = inputs["securityGroupId"]
            self.client.modify_security_group_rules(GroupId=group, SecurityGroupRules=[rule])

    def remove(self, identity: str, state: Properties) -> None:
        call = getattr(self.client, f"revoke_security_group_{self.direction}")
        call(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[identity])
