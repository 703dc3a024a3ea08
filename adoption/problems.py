"""What stands in the way of an adoption, each with the fix: replacements, shared resources and names that can't be kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from adoption import sharing
from adoption.anatomy import Anatomy
from adoption.changes import Adopted, Change
from adoption.lookups import UNKNOWN_ZONE
from adoption.pairing import Pair, Pairing
from adoption.program import REFERENCE
from adoption.properties import same
from components.settings.accepted import base_name
from components.settings.values import UnacceptableError

NAMED_ALIKE = {"compute-cluster", "compute-service", "ingress-alb"}
"""The resources that have the base name, which AWS can't change."""


def find(anatomy: Anatomy, settings: Mapping[str, Any], pairing: Pairing, adopted: list[Adopted]) -> Iterator[str]:
    """The problems of an adoption by a stack with `settings`."""
    yield from sharing.problems(anatomy, pairing)
    yield from _names(anatomy, pairing)
    yield from _role_paths(pairing)
    for item in adopted:
        yield from (_refused(change, item.pair, anatomy.cluster_name) for change in item.refusals)
    yield from _one_zone(anatomy)
    yield from _unknown_zones(pairing)
    yield from _inline_rules(pairing)
    yield from _unknown_range(settings, pairing)


def _names(anatomy: Anatomy, pairing: Pairing) -> Iterator[str]:
    """Names of the cluster, the service and the load balancer that the program can't have."""
    if not pairing.renamed.keys() & NAMED_ALIKE:
        return
    existing, service = anatomy.existing, str(anatomy.service.get("name"))
    running = {} if existing.cluster_name else {"cluster": anatomy.cluster_name}
    running["service"] = service
    if anatomy.load_balancer is not None and not existing.listener_arn:
        running["load balancer"] = str(anatomy.load_balancer.get("name"))
    listed = ", ".join(f"the {what} is named {name}" for what, name in running.items())
    if len(set(running.values())) > 1:
        yield (
            f"{listed}. This program names all of them after atlantis:baseName, and AWS can't rename them: two services would "
            "run on one file system, or two load balancers on one target group, which AWS refuses. Give them one name in "
            f"Terraform ({_ACCEPTED}), and apply: Terraform replaces the renamed ones, and the server is unavailable "
            "meanwhile. A new load balancer has a new DNS name. Then pull the state again"
            + "".join(_kept_by_terraform(anatomy, running))
        )
        return
    name = anatomy.base_name
    try:
        base_name(name)
        reason = "the environment isn't accepted: see the notes"
    except UnacceptableError as refused:
        reason = f"atlantis:baseName {refused}"
    yield (
        f"{listed}, and AWS can't rename them. This program can't have that name: {reason}. Rename them in Terraform and apply "
        "(Terraform replaces them, and the server is unavailable meanwhile), then pull the state again"
    )


def _kept_by_terraform(anatomy: Anatomy, running: Mapping[str, str]) -> Iterator[str]:
    """The settings with which the cluster or the load balancer may have another name, because it stays in Terraform."""
    service, listener = running["service"], anatomy.https_listener
    if running.get("cluster", service) != service:
        yield f". Or leave the cluster in Terraform: set atlantis:clusterName to {running['cluster']}"
    if running.get("load balancer", service) != service and listener is not None:
        settings = anatomy.listener_settings(listener.id)
        yield f". Or leave the load balancer in Terraform: {settings[0].lower()}{settings[1:]}"


_ACCEPTED = "1 to 23 lowercase letters, digits and single inner hyphens"


def _role_paths(pairing: Pairing) -> Iterator[str]:
    """Roles with the program's name and a path. IAM allows one role of a name, and can't change its path."""
    for name, actual in sorted(pairing.renamed.items()):
        wanted = pairing.wanted[name].inputs.get("name")
        if actual.type == "aws_iam_role" and actual.get("name") == wanted:
            yield (
                f"{name}: {actual.address} has the path {actual.get('path')}, this program's role of that name has none, "
                "and IAM allows only one role of a name. Give the role another name in Terraform, apply, and pull the state again"
            )


def _refused(change: Change, pair: Pair, cluster: str) -> str:
    what = "what holds data" if pair.kind.holds_data else "a resource that AWS allows only once"
    # What the program refers to has no value that Terraform could have.
    named = REFERENCE.search(str(change.new))
    new = f"that of the resource that becomes {named['name']}" if named else change.new
    way_out = f"Change it to {new} in Terraform first, and apply"
    if special := pair.kind.ways_out.get(change.property):
        way_out = special.format(cluster=cluster, scheme="internal" if change.old == "true" else "internet-facing")
    return f"{pair.wanted.name}: {change.property} of {pair.actual.address} is {change.old}, and {new} would replace {what}. {way_out}"


def _one_zone(anatomy: Anatomy) -> Iterator[str]:
    """A file system in one zone, which AWS gives a single mount target. The program has one for each private subnet."""
    system = anatomy.file_system
    if system is not None and (zone := system.get("availability_zone_name")):
        yield (
            f"storage-efs: {system.address} is a One Zone file system of {zone}, which can have a mount target in that zone only, and the "
            "program needs one in two zones. Restore an AWS Backup recovery point of it into a regional file system, have Terraform "
            "mount that one, then adopt"
        )


def _unknown_zones(pairing: Pairing) -> Iterator[str]:
    """Mount targets whose name in the program isn't known: it would create others, which EFS refuses."""
    for name, pair in pairing.pairs.items():
        found, _, subnet = name.partition(UNKNOWN_ZONE)
        if subnet:
            yield (
                f"{found.rstrip('-')}: the program names the mount target of {subnet} after its zone, which the state holds neither for "
                f"{pair.actual.address} nor for the subnet. Run `terraform apply -refresh-only`, and pull the state again"
            )


def _unknown_range(settings: Mapping[str, Any], pairing: Pairing) -> Iterator[str]:
    """An adopted group of VPC endpoints, without the VPC's ranges: the program adds a rule that may exist already."""
    group = pairing.actual_of.get("network-vpc-endpoints")
    known = any(name.startswith("network-endpoints-https-from-") for name in pairing.wanted)
    if group is None or known:
        return
    yield (
        f"network-vpc-endpoints: the program allows the ranges of {settings.get('vpcId')} to reach {group.address}, and the state "
        "doesn't hold them, so a rule of the group may be added a second time, which EC2 refuses. Add "
        f'`data "aws_vpc" "atlantis" {{ id = "{settings.get("vpcId")}" }}` to the Terraform configuration, run '
        "`terraform apply -refresh-only`, and pull the state again"
    )


def _inline_rules(pairing: Pairing) -> Iterator[str]:
    """Rules of the program that a security group already contains inline, without a separate resource in the state.

    EC2 rejects duplicate rules, and the state doesn't contain the ID of the existing rule.
    """
    for wanted in pairing.new:
        direction = {"Ingress": "ingress", "Egress": "egress"}.get(wanted.type.rpartition("SecurityGroup")[2][:-4])
        group = pairing.actual_of.get(str(wanted.inputs.get("securityGroupId"))[2:].rpartition(".")[0])
        if direction is None or group is None:
            continue
        old = [
            rule
            for rule in pairing.anatomy.state.of("aws_security_group_rule")
            if rule.get("security_group_id") == group.id and rule.get("type") == direction
        ]
        blocks = [(group.address, rule) for rule in group.items_of(direction)]
        for address, rule in (*((rule.address, rule.attributes) for rule in old), *blocks):
            if _is_inline(rule, wanted.inputs, pairing):
                yield (
                    f"{wanted.name}: {group.id} has this rule already, as a part of {address}, and the state holds no id of "
                    f"it. Make it an aws_vpc_security_group_{direction}_rule in Terraform and import it there "
                    f"(`aws ec2 describe-security-group-rules --filters Name=group-id,Values={group.id}` shows its id)"
                )
                break


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
