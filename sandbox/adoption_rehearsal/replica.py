"""Creates a copy of a state's stack in a local AWS, from the state's attributes and with new IDs.

The sandbox's resource types create the objects one by one, without an engine. As before a real adoption, the objects
exist in AWS and in the Terraform state, and no Pulumi stack manages them.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adoption.anatomy import LISTENERS, RULES, Anatomy, target_groups
from adoption.kinds import KINDS
from adoption.properties import MISSING, attribute
from adoption.state import StateResource, TerraformState
from sandbox.testbed.engine.workspace import provider_settings
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.aws.package import AwsPackage
from sandbox.testbed.providers.lifecycle import Lifecycle
from sandbox.testbed.providers.pending_creations import PendingCreations
from sandbox.testbed.providers.schema import ResourceSchema, Shape

TYPES: Mapping[str, str] = {name: kind.pulumi for kind in KINDS for name in kind.terraform} | {
    "aws_ecs_task_definition": "aws:ecs/taskDefinition:TaskDefinition"
}
IDENTITIES = {"id": "id", "arn": "arn", "key_id": "keyId", "security_group_rule_id": "id"}
"""Attributes by which other resources reference a resource, and the corresponding outputs in Pulumi."""
ALIAS_TARGET = {"dns_name": "dnsName", "zone_id": "zoneId"}
"""Those by which an alias record references a load balancer. The zone is the region's."""
LEFT_OUT: Mapping[str, frozenset[str]] = {
    # Attributes that AWS assigns or that repeat another attribute. Rules of a security group are separate resources.
    "aws_ecs_service": frozenset({"iamRole"}),
    "aws_efs_mount_target": frozenset({"ipAddress"}),
    "aws_lb": frozenset({"subnetMappings"}),
    "aws_security_group": frozenset({"ingress", "egress"}),
}
PARTS = frozenset({"aws_kms_key_policy", "aws_secretsmanager_secret_version"})
"""Types that belong to another resource in the copy: a key includes its policy, and a substitute secret has a value."""
ZEROS = frozenset({"deploymentMinimumHealthyPercent", "desiredCount"})
"""Numbers for which zero is a value. For all others, Terraform stores zero if they aren't set."""
NETWORK_ID = re.compile(r"(?:subnet|rtb|sg|vpc|pl|vpce)-[0-9a-f]{8,}")


@dataclass(frozen=True)
class Replica:
    """The copy, as a separate state."""

    state: TerraformState
    left_out: tuple[str, ...]
    """Addresses of the resources whose type the local AWS doesn't support."""
    ids: Mapping[str, str]
    """The identifiers in the copy by those of the original."""


class Maker:
    """Creates a copy of the stack of `anatomy` in `aws`.

    Args:
        anatomy: the stack to copy.
        aws: the local AWS in which the copy is created.
        substitutes: maps the IDs of referenced resources outside the stack (network, certificate) to those in `aws`.
        route_tables: the route tables of the private subnets in `aws`.
        secrets: maps the names of secrets that already exist in `aws` to their ARNs.
    """

    def __init__(
        self,
        anatomy: Anatomy,
        aws: LocalAws,
        substitutes: Mapping[str, str],
        route_tables: list[str],
        secrets: Mapping[str, str],
    ) -> None:
        self._anatomy = anatomy
        self._ec2 = aws.client("ec2")
        self._route_tables = route_tables
        self._secrets = secrets
        self._texts = {**substitutes, anatomy.account: aws.account, anatomy.region: aws.region}
        self._known = {*substitutes.values(), *route_tables}
        self._package = AwsPackage()
        settings = {key.removeprefix("aws:"): value for key, value in provider_settings(aws).items()}
        self._package.configure(settings)

    def make(self) -> Replica:
        """Create all resources, in the order of their dependencies.

        Raises:
            SandboxError: the local AWS rejects a resource with the state's attributes.
        """
        left_out: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            pending = PendingCreations(Path(folder))
            for resource in self._in_order():
                if resource.is_aws and resource.type in TYPES:
                    self._make(resource, pending)
                elif resource.type not in PARTS:
                    left_out.append(resource.address)
        state = self._anatomy.state
        made, data = (
            tuple(replace(item, attributes=self._translated(item.attributes)) for item in items)
            for items in (state.resources, state.data)
        )
        return Replica(TerraformState(made, data), tuple(left_out), self._texts)

    def _in_order(self) -> Iterator[StateResource]:
        """Each resource after its dependencies in the Terraform state, and a service after what forwards to it."""
        by_block: dict[str, list[StateResource]] = {}
        for resource in self._anatomy.state.resources:
            by_block.setdefault(resource.block, []).append(resource)
        done: set[str] = set()

        def visit(block: str) -> Iterator[StateResource]:
            if block in done:
                return
            done.add(block)
            for resource in by_block.get(block, ()):
                for dependency in (*sorted(resource.dependencies), *self._forwarding(resource)):
                    yield from visit(dependency)
            yield from by_block.get(block, ())

        for block in by_block:
            yield from visit(block)

    def _forwarding(self, service: StateResource) -> Iterator[str]:
        """The blocks of the listeners and rules that forward to an ECS service.

        ECS refuses a service whose target group has no load balancer, and modules leave this dependency out.
        """
        if service.type != "aws_ecs_service":
            return
        groups = target_groups(service.get("load_balancer"))
        for resource in self._anatomy.state.of(*LISTENERS, *RULES):
            name = "action" if resource.type in RULES else "default_action"
            if groups & target_groups(resource.get(name)):
                yield resource.block

    def _one_a_zone(self, subnets: list[str]) -> list[str]:
        """The first of the subnets of each Availability Zone: substitutes of public and private subnets share zones."""
        found = self._ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
        zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in found}
        return list({zones[subnet]: subnet for subnet in reversed(subnets)}.values())

    def _make(self, resource: StateResource, pending: PendingCreations) -> None:
        token = TYPES[resource.type]
        name = str(resource.get("name") or "")
        if resource.type == "aws_secretsmanager_secret" and name in self._secrets:
            self._texts[resource.id] = self._secrets[name]
            return
        schema = self._package.schemas()[token]
        attributes = self._translated(resource.attributes)
        if resource.type == "aws_vpc_endpoint" and attributes.get("route_table_ids"):
            attributes = {**attributes, "route_table_ids": self._route_tables}
        if resource.type == "aws_vpc_endpoint" and attributes.get("subnet_ids"):
            known = [subnet for subnet in attributes["subnet_ids"] if self._exists(subnet)]
            attributes = {**attributes, "subnet_ids": self._one_a_zone(known)}
        if attributes.get("tags_all"):
            attributes = {**attributes, "tags": attributes["tags_all"]}
        inputs = _inputs(schema, attributes, LEFT_OUT.get(resource.type, frozenset()), self._exists)
        urn = f"urn:pulumi:terraform::terraform::{token}::{resource.address}"
        entry = self._package.resources[token]

        def make() -> Any:
            return entry(self._package.backend(None), urn)

        lifecycle = Lifecycle(entry, schema, make, pending, urn, {})
        inputs, failures = lifecycle.check({}, inputs, seed=b"", where=resource.address, secrets=())
        if failures:
            raise SandboxError(f"{resource.address} can't be copied: {'; '.join(': '.join(item) for item in failures)}")
        try:
            identity, outputs = lifecycle.create(inputs)
        except Exception as error:
            raise SandboxError(f"{resource.address} can't be copied: {error}") from error
        for old, output in (IDENTITIES | ALIAS_TARGET).items():
            value = resource.get(old)
            new = identity if output == "id" else outputs.get(output)
            refers = isinstance(value, str) and (value in _identities(resource) or old in ALIAS_TARGET)
            if refers and value and isinstance(new, str):
                self._texts[value] = new
                self._known.add(new)

    def _exists(self, value: Any) -> bool:
        """Whether a network ID exists in the local AWS; True for any other value."""
        return not isinstance(value, str) or not NETWORK_ID.fullmatch(value) or value in self._known

    def _translated(self, value: Any) -> Any:
        """`value` with the old IDs replaced by the new ones, including those in documents and ARNs."""
        if isinstance(value, str):
            return self._pattern.sub(lambda found: self._texts[found[0]], value)
        if isinstance(value, Mapping):
            return {key: self._translated(item) for key, item in value.items()}
        return [self._translated(item) for item in value] if isinstance(value, list) else value

    @property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._texts, key=len, reverse=True)
        return re.compile("|".join(re.escape(text) for text in longest_first))


def _identities(resource: StateResource) -> set[str]:
    """The identifiers of a resource that AWS assigns, and that differ in a copy."""
    given = {resource.get(name) for name in ("name", "family", "cluster_name")}
    found = {resource.get(name) for name in IDENTITIES} - given
    return {value for value in found if isinstance(value, str) and len(value) > 8}


def _inputs(
    schema: ResourceSchema, attributes: Mapping[str, Any], left_out: frozenset[str], exists: Callable[[Any], bool]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, shape in schema.inputs.properties.items():
        value = attribute(attributes, name)
        if shape.kind == "unsupported" or name in left_out or value is MISSING:
            continue
        converted = _converted(shape, value, exists)
        if converted in (None, "", [], {}) or (
            converted == 0 and not isinstance(converted, bool) and name not in ZEROS
        ):
            continue
        found[name] = converted
    return found


def _converted(shape: Shape, value: Any, exists: Callable[[Any], bool]) -> Any:
    """A value of the state as an input of `shape`: a list of one block becomes an object, unknown IDs are omitted."""
    if shape.kind == "object":
        block = value[0] if isinstance(value, list) and value else value
        if not isinstance(block, Mapping):
            return None
        inner = _inputs(ResourceSchema(shape, {}), block, frozenset(), exists)
        # Terraform also stores blocks that aren't set, without the required properties.
        return inner if all(name in inner for name in shape.required) else None
    if shape.kind == "array" and isinstance(value, list):
        items = [_converted(shape.element or Shape("any"), item, exists) for item in value]
        return [item for item in items if item is not None and exists(item)]
    if shape.kind in ("integer", "number") and isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else None
    return value if exists(value) else None
