"""The plan of an adoption, computed without changes: settings, pairs and problems."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adoption.anatomy import Anatomy, AnatomyError, dissect
from adoption.changes import Adopted, Refusal, judge
from adoption.kinds import BY_PULUMI_TYPE, NOT_ADOPTED
from adoption.lookups import Lookups
from adoption.pairing import Pairing, pair
from adoption.program import Wanted, register
from adoption.properties import same
from adoption.proposals import Proposal, apply, propose
from adoption.state import StateResource, TerraformState, read_state

__all__ = ["Plan", "make_plan"]

OTHER_PROVIDER = "Belongs to another provider: keep it in Terraform"
YOURS = "This program has no such resource: keep it"
NOT_THIS_ONE = "Not part of the adopted Atlantis: keep it"

WAYS_OUT: Mapping[tuple[str, str], str] = {
    ("aws:efs/fileSystem:FileSystem", "encrypted"): (
        "An existing file system can't be encrypted. Restore an AWS Backup recovery point of it into an encrypted one, have "
        "Terraform mount that one, then adopt"
    ),
    ("aws:efs/fileSystem:FileSystem", "kmsKeyId"): "Set atlantis:efsEncryptionKey to aws",
    ("aws:efs/fileSystem:FileSystem", "performanceMode"): (
        "An existing file system keeps its performance mode. Copy the data to one in mode generalPurpose, let Terraform mount "
        "that, and adopt then"
    ),
    ("aws:efs/accessPoint:AccessPoint", "posixUser"): "Set atlantis:posixUid and atlantis:posixGid to the old values",
    ("aws:efs/accessPoint:AccessPoint", "rootDirectory"): "Set atlantis:efsRootDirectory to the old path",
    ("aws:lb/loadBalancer:LoadBalancer", "internal"): (
        "This program's load balancer faces the internet, so that GitHub reaches it. Rename the internal one's stack: set "
        "atlantis:baseName to a free name, and everything but the file system is made new beside it"
    ),
}
"""The fix for a property that would replace a resource, by type and property."""


@dataclass
class Plan:
    """The result of planning an adoption."""

    stack: str
    anatomy: Anatomy
    settings: dict[str, Any]
    """The stack file's settings with the proposals applied."""
    given: Mapping[str, Any]
    """The stack file's settings."""
    proposals: list[Proposal]
    notes: list[str]
    pairing: Pairing
    adopted: list[Adopted]
    problems: list[str] = field(default_factory=list)
    """Problems to fix first. With a problem, nothing is written or rehearsed."""

    @property
    def new(self) -> list[Wanted]:
        """The resources that the program creates, because the state has no counterpart."""
        return [wanted for wanted in self.pairing.wanted.values() if wanted.name not in self.pairing.pairs]

    @property
    def left(self) -> list[tuple[StateResource, str]]:
        """The resources that stay in Terraform, each with a command or a note."""
        beside = {id(actual) for actual in self.pairing.beside.values()}
        return [(actual, _advice(actual)) for actual in self.pairing.left if id(actual) not in beside]


def make_plan(path: Path, stack: str, given: Mapping[str, Any], region: str) -> Plan:
    """Plan the adoption of the state in `path` by `stack`. `given` contains the settings of the stack file.

    Raises:
        StateError: the file is not a Terraform state.
        AnatomyError: the state doesn't contain exactly one complete Atlantis stack, or belongs to another region.
        pulumi.RunError: the stack's settings are invalid even with the proposals applied.
    """
    return plan_of(read_state(path), stack, given, region)


def plan_of(state: TerraformState, stack: str, given: Mapping[str, Any], region: str) -> Plan:
    """Like `make_plan`, for a state that has already been read."""
    anatomy = dissect(state)
    if anatomy.region != region:
        raise AnatomyError(
            f"The state is of {anatomy.region}, and aws:region of the stack {stack} is {region or 'not set'}: "
            f"`pulumi config set aws:region {anatomy.region} --stack {stack}`, or take the state of that region"
        )
    proposals, notes = propose(anatomy, given, stack)
    settings = apply(given, proposals)
    wanted = register(stack, region, settings, Lookups(anatomy, str(settings.get("vpcId"))))
    pairing = pair(anatomy, wanted)
    plan = Plan(stack, anatomy, settings, given, proposals, notes, pairing, judge(pairing))
    plan.problems += _problems(plan)
    return plan


def _problems(plan: Plan) -> Iterator[str]:
    for adopted in plan.adopted:
        for refusal in adopted.refusals:
            yield _refused(refusal, adopted)
    for name in ("compute-service", "compute-cluster"):
        if actual := plan.pairing.beside.get(name):
            yield (
                f"{name}: {actual.address} is named {actual.attributes.get('name')}, and two services would run on one file "
                f"system. Set atlantis:baseName to {plan.anatomy.cluster_name}"
            )
    yield from _inline_rules(plan)


def _refused(refusal: Refusal, adopted: Adopted) -> str:
    change, kind = refusal.change, adopted.pair.kind
    what = "what holds data" if kind.holds_data else "a resource that AWS allows only once"
    way_out = WAYS_OUT.get((kind.pulumi, change.property), f"Change it to {change.new} in Terraform first, and apply")
    return (
        f"{refusal.logical_name}: {change.property} of {refusal.address} is {change.old}, and {change.new} would replace {what}. "
        f"{way_out}"
    )


def _inline_rules(plan: Plan) -> Iterator[str]:
    """Rules of the program that a security group already contains inline, without a separate resource in the state.

    EC2 rejects duplicate rules, and the state doesn't contain the ID of the existing rule.
    """
    for wanted in plan.new:
        direction = {"Ingress": "ingress", "Egress": "egress"}.get(wanted.type.rpartition("SecurityGroup")[2][:-4])
        group = plan.pairing.actual_of.get(str(wanted.inputs.get("securityGroupId"))[2:].rpartition(".")[0])
        if direction is None or group is None:
            continue
        for rule in group.attributes.get(direction) or []:
            if _is_inline(rule, wanted.inputs, plan.pairing):
                yield (
                    f"{wanted.name}: {group.id} has this rule already, as a block of {group.address}, and the state holds no id of "
                    f"it. Make it an aws_vpc_security_group_{direction}_rule in Terraform and import it there "
                    f"(`aws ec2 describe-security-group-rules --filters Name=group-id,Values={group.id}` shows its id)"
                )


def _is_inline(rule: Mapping[str, Any], inputs: Mapping[str, Any], pairing: Pairing) -> bool:
    peers = {"cidrIpv4": "cidr_blocks", "cidrIpv6": "ipv6_cidr_blocks", "referencedSecurityGroupId": "security_groups"}
    return (
        same(inputs.get("ipProtocol"), rule.get("protocol"), pairing.resolve)
        and same(inputs.get("fromPort"), rule.get("from_port"), pairing.resolve)
        and same(inputs.get("toPort"), rule.get("to_port"), pairing.resolve)
        and any(
            pairing.resolve(inputs[name]) in (rule.get(attribute_name) or [])
            for name, attribute_name in peers.items()
            if inputs.get(name)
        )
    )


def _advice(actual: StateResource) -> str:
    if not actual.is_aws:
        return OTHER_PROVIDER
    advice = NOT_ADOPTED.get(actual.type)
    if advice is None:
        known = {name for kind in BY_PULUMI_TYPE.values() for name in kind.terraform}
        return NOT_THIS_ONE if actual.type in known else YOURS
    return advice.format_map({name: value for name, value in actual.attributes.items() if isinstance(value, str | int)})
