"""Adopts a copy of the stack in the sandbox's local AWS with the real engine, and checks that all resources exist afterwards."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi

from adoption import files
from adoption.anatomy import LISTENERS
from adoption.existing import load_balancer_arn
from adoption.kinds import BY_PULUMI_TYPE
from adoption.lookups import cidr_blocks
from adoption.observed import data_source
from adoption.plan import Plan, plan_of
from adoption.state import TerraformState
from components.configuration.secret_names import redacted
from components.settings import parse
from preflight import policy_configuration
from sandbox.adoption_rehearsal import neighbours
from sandbox.adoption_rehearsal.engine_diff import differences
from sandbox.adoption_rehearsal.replica import Maker, Replica
from sandbox.adoption_rehearsal.terraform import changed_by_terraform
from sandbox.sandbox import Sandbox
from sandbox.substitutes.existing_resources import ExistingResources
from sandbox.testbed import console, local_aws, processes
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_json
from sandbox.testbed.local_aws import LocalAws, inventory
from sandbox.testbed.paths import CHECKOUT, private_directory, state_directory

SUBSTITUTED = (
    *("vpcId", "publicSubnetIds", "privateSubnetIds", "acmCertificateArn", "hostedZoneId", "webAclArn"),
    *("httpsListenerArn", "loadBalancerSecurityGroupId"),
)


def rehearse(plan: Plan, folder: Path | None = None) -> int:
    """Create the copy, adopt it, and report the result.

    Args:
        plan: the adoption, without problems.
        folder: the sandbox's state directory, by default one in the checkout. It is deleted at the end.

    Returns:
        0 if all resources were adopted without replacements, deletions or remaining changes; 1 otherwise.
    """
    state = folder or state_directory() / f"adoption-{plan.stack}"
    try:
        with _sandbox(plan, state) as sandbox:
            findings = list(_rehearse(plan, sandbox))
    except (SandboxError, pulumi.RunError) as error:
        sys.stderr.write(redacted(f"error: {error}\n"))
        return 1
    for finding in findings:
        sys.stderr.write(redacted(f"error: {finding}\n"))
    return 1 if findings else 0


@contextmanager
def _sandbox(plan: Plan, state: Path) -> Iterator[Sandbox]:
    """A separate sandbox, which is removed at the end."""
    _forget(state)
    pack = CHECKOUT / "policy"
    settings = parse(plan.settings, stack=plan.stack, region=plan.anatomy.region)
    content = policy_configuration.of_stack(settings, plan.stack)
    configuration = private_directory(state) / "policy.json"
    write_json(configuration, content)
    try:
        sandbox = Sandbox(
            plan.stack,
            state=state,
            policy_pack=pack,
            policy_configuration=configuration,
            run_atlantis=False,
            disposable=True,
        )
        # Exactly the plan's settings: None unsets all other settings of the checkout's stack file.
        given = {key: None for key in sandbox.workspace.source_settings(plan.stack) if key.startswith(files.NAMESPACE)}
        sandbox.settings = given | {f"{files.NAMESPACE}{key}": value for key, value in plan.settings.items()}
        yield sandbox
    finally:
        _forget(state)


def _forget(state: Path) -> None:
    processes.stop_all(state)
    shutil.rmtree(state, ignore_errors=True)


def _rehearse(plan: Plan, sandbox: Sandbox) -> Iterator[str]:
    aws = local_aws.start(sandbox.state, clean_environment())
    with console.timed(
        f"Creating a copy of {plan.anatomy.cluster_name} in the local AWS at {aws.endpoint}, under new ids"
    ):
        settings, replica = _copy(plan, sandbox.state, aws)
        if replica.left_out:
            console.note(
                redacted(f"not copied, because the local AWS doesn't support the type: {', '.join(replica.left_out)}")
            )
    before = inventory.take(aws)
    copied = plan_of(replica.state, plan.stack, settings, aws.region, plan.accepted)
    of_others = neighbours.snapshot(aws, copied.anatomy)
    if copied.problems:
        yield from copied.problems
        return
    section = files.section(copied.adopted)
    files.write_adoption(sandbox.workspace.adoption_file, plan.stack, section)
    console.step("A preview, whose changes must be those of the table")
    yield from (f"the table differs from the update: {finding}" for finding in differences(sandbox.steps(), copied))
    console.step(f"Adopting {len(section['import'])} resources")
    sandbox.up()
    yield from lost(before, inventory.take(aws))
    yield from neighbours.changed(of_others, neighbours.snapshot(aws, copied.anatomy))
    yield from other_resources(sandbox.resources(), copied)
    sandbox.policy_pack = None  # the update's policies have passed, for the same resources
    console.step("A second preview, which must have no changes")
    sandbox.preview(expect_no_changes=True)
    files.write_adoption(sandbox.workspace.adoption_file, plan.stack, {"keep": section["keep"]})
    console.step("A third preview without the section `import` of adoption.yaml, as after the adoption")
    sandbox.preview(expect_no_changes=True)
    console.step(
        f"Rehearsed: {len(section['import'])} resources were adopted under the ids that they had. {_kept(copied)}"
    )
    console.note("nothing was replaced or deleted, and the next preview has no changes")
    yield from changed_by_terraform(plan, sandbox.state / "terraform")


def _copy(plan: Plan, state: Path, aws: LocalAws) -> tuple[dict[str, Any], Replica]:
    """The settings with the IDs of the local AWS, and the copy."""
    copied, around, parts = _of_the_copy(plan)
    given = {key: value for key, value in {**plan.settings, **around}.items() if key not in copied}
    substitutes = ExistingResources(state, aws)
    replaced = substitutes.replace(plan.stack, {f"{files.NAMESPACE}{key}": value for key, value in given.items()})
    settings = {key.removeprefix(files.NAMESPACE): value for key, value in replaced.items()}
    ids = dict(_pairs(given, settings)) | _alias(plan, settings, aws)
    ec2 = aws.client("ec2")
    ids |= _ranges(plan, settings, ec2)
    settings["allowedCidrBlocks"] = [ids.get(block, block) for block in settings["allowedCidrBlocks"]]
    tables = ec2.describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": settings["privateSubnetIds"]}]
    )["RouteTables"]
    secrets = {
        name: aws.client("secretsmanager").describe_secret(SecretId=name)["ARN"]
        for key in ("githubAppSecretName", "vcsTokenSecretName", "webhookSecretName")
        if (name := settings.get(key))
    }
    table_ids = sorted(table["RouteTableId"] for table in tables)
    replica = Maker(plan.anatomy, aws, ids, table_ids, secrets).make()
    # The zones of subnets without a mount target aren't in every state.
    subnets = ec2.describe_subnets(SubnetIds=settings["privateSubnetIds"])["Subnets"]
    read = {found["SubnetId"]: found["AvailabilityZone"] for found in subnets}
    zones = (data_source("aws_subnet", {"id": name, "availability_zone": zone}) for name, zone in read.items())
    replica = replace(replica, state=TerraformState(replica.state.resources, (*replica.state.data, *zones)))
    # The sandbox replaces the plan's settings by the same substitutes.
    substitutes.use({f"{kind} {value}": replica.ids[identity] for kind, value, identity in parts})
    if "publicSubnetIds" in around:
        # The plan's settings don't name the public subnets, so the sandbox would create others with the same ranges.
        substitutes.use_as_public_subnets(plan.settings["vpcId"], settings["publicSubnetIds"])
    of_copy = {key: replica.ids.get(value, value) for key, value in copied.items()}
    return {key: value for key, value in settings.items() if key not in around} | of_copy, replica


def _of_the_copy(plan: Plan) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]:
    """What the copy contains of the existing parts, because it is in the state, so that it needs no substitute.

    Returns:
        The settings that name these parts; settings for what they are in, which needs substitutes; and each part: the kind of its
        substitute, the value of its setting, and its identifier in the state.
    """
    anatomy, existing = plan.anatomy, plan.anatomy.existing
    copied: dict[str, Any] = {}
    around: dict[str, Any] = {}
    parts: list[tuple[str, str, str]] = []
    if existing.cluster_name and anatomy.cluster is not None:
        copied["clusterName"] = existing.cluster_name
        parts.append(("cluster", existing.cluster_name, anatomy.cluster.id))
    listener = anatomy.state.find(existing.listener_arn, *LISTENERS)
    if listener is not None and anatomy.load_balancer is not None:
        group = plan.settings["loadBalancerSecurityGroupId"]
        if anatomy.state.find(group, "aws_security_group") is None:
            raise SandboxError(
                f"{listener.address} can't be copied: the state doesn't hold {group}, its security group"
            )
        copied |= {"httpsListenerArn": listener.id, "loadBalancerSecurityGroupId": group}
        parts += [("listener", listener.id, listener.id), ("security group", group, group)]
        around["publicSubnetIds"] = anatomy.load_balancer.items_of("subnets")
        around["acmCertificateArn"] = listener.get("certificate_arn")
    return copied, around, parts


def _alias(plan: Plan, settings: Mapping[str, Any], aws: LocalAws) -> dict[str, str]:
    """Maps the target of the alias record to the substitute of a load balancer that the state doesn't hold."""
    record = plan.anatomy.alias_record
    if record is None or not settings.get("httpsListenerArn"):
        return {}
    arn = load_balancer_arn(settings["httpsListenerArn"])
    (balancer,) = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    alias = record.attributes["alias"][0]
    return {alias["name"]: balancer["DNSName"], alias["zone_id"]: balancer["CanonicalHostedZoneId"]}


def _ranges(plan: Plan, settings: Mapping[str, Any], ec2: Any) -> dict[str, str]:
    """Maps the ranges of the VPC to those of its substitute, so that a rule for one of them exists in the copy too."""
    if not (vpc := settings.get("vpcId")):
        return {}
    first, *others = cidr_blocks(plan.anatomy.state, str(plan.settings["vpcId"])) or [""]
    for block in others:
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=block)
    (substitute,) = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    return {first: substitute["CidrBlock"]} if first else {}


def _pairs(original: Mapping[str, Any], replaced: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in SUBSTITUTED:
        old, new = original.get(key), replaced.get(key)
        if isinstance(old, list | tuple) and isinstance(new, list):
            yield from zip(old, new, strict=True)
        elif old and new:
            yield str(old), str(new)


def lost(before: inventory.Inventory, after: inventory.Inventory) -> Iterator[str]:
    """The resources that the adoption deleted or replaced."""
    for type_, ids in before.items():
        for identity in sorted(ids - after.get(type_, set())):
            yield f"{type_} {identity} is missing: the adoption deleted or replaced it"


def other_resources(resources: Iterable[Mapping[str, Any]], plan: Plan) -> Iterator[str]:
    """Resources that the engine's state lacks, or records with another ID than that of the resource to adopt."""
    known = {(item["type"], item["urn"].rpartition("::")[2]): item for item in resources if item.get("custom")}
    for adopted in plan.adopted:
        pair = adopted.pair
        found = known.get((pair.wanted.type, pair.wanted.name))
        ids = {pair.import_id, pair.actual.id, pair.actual.get("arn")}
        if found is None or found["id"] not in ids:
            yield f"{pair.wanted.name} is {found['id'] if found else 'missing'}, not {pair.import_id}: it was not adopted"


def _kept(plan: Plan) -> str:
    """The adopted resources that hold data, with their IDs."""
    data = [
        f"{adopted.pair.wanted.name} {adopted.pair.import_id}"
        for adopted in plan.adopted
        if BY_PULUMI_TYPE[adopted.pair.wanted.type].holds_data
    ]
    return f"With data: {', '.join(data)}"
