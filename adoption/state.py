"""A Terraform state file: the managed resources in it, and a clear error for any other file."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from adoption import shapes

FORMAT = 4
OFFICIAL_PROVIDER = "registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws"
_INDEX = re.compile(r'\[(?:\d+|"[^"]*")\]')
PULL = "Create one with `terraform state pull > terraform.tfstate`, which works with every backend"


class StateError(Exception):
    """The file can't be used; the message states the file and the fix."""


@dataclass(frozen=True)
class StateResource:
    """One instance of a managed resource."""

    address: str
    """As `terraform state list` shows it."""
    type: str
    provider: str
    """The provider's source address, such as `registry.terraform.io/hashicorp/aws`."""
    attributes: Mapping[str, Any] = field(repr=False)
    sensitive: frozenset[str] = frozenset()
    """Top-level attributes that Terraform marks as sensitive."""
    unfinished: str = ""
    """`tainted` or `deposed`: Terraform did not finish its last operation on this resource."""
    block: str = ""
    """The address of the resource block, as dependencies and `removed` blocks have it: without indexes, also of its modules."""
    dependencies: frozenset[str] = frozenset()
    """Addresses of the blocks that this resource depends on."""

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or `default` if the state doesn't have it."""
        return self.attributes.get(name, default)

    def items_of(self, name: str) -> Any:
        """The items of an attribute that is a list, such as blocks; none if it isn't set."""
        return self.attributes.get(name) or []

    def first(self, name: str) -> Mapping[str, Any]:
        """The first block of this name; empty if there is none."""
        return (self.attributes.get(name) or [{}])[0]

    @property
    def id(self) -> str:
        """The provider's id."""
        return str(self.get("id") or "")

    @property
    def module(self) -> str:
        """The outermost module that contains it, without its index; empty in the root module."""
        found = re.match(r"module\.[\w-]+", self.address)
        return found[0] if found else ""

    @property
    def is_aws(self) -> bool:
        """Whether the official AWS provider manages it."""
        return self.provider in OFFICIAL_PROVIDER


@dataclass(frozen=True)
class TerraformState:
    """The resources of one state file."""

    resources: tuple[StateResource, ...]
    """The managed resources."""
    data: tuple[StateResource, ...] = ()
    """The data sources of the official AWS provider, with the values that Terraform last read."""

    @cached_property
    def by_type(self) -> Mapping[str, tuple[StateResource, ...]]:
        """The AWS resources of each type."""
        found: dict[str, list[StateResource]] = {}
        for resource in self.resources:
            if resource.is_aws:
                found.setdefault(resource.type, []).append(resource)
        return {type_: tuple(resources) for type_, resources in found.items()}

    def known(self, *types: str) -> tuple[StateResource, ...]:
        """The AWS resources of these types, managed or read by a data source."""
        return (*self.of(*types), *(resource for resource in self.data if resource.type in types))

    def of(self, *types: str) -> tuple[StateResource, ...]:
        """The AWS resources of these types."""
        return tuple(resource for type_ in types for resource in self.by_type.get(type_, ()))

    @cached_property
    def _by_identity(self) -> Mapping[str, StateResource]:
        found: dict[str, StateResource] = {}
        for resource in self.resources:
            for name in ("id", "arn"):
                # Some types have the ID of their parent resource: a lifecycle policy has its repository's ID.
                if identity := resource.get(name):
                    found.setdefault(f"{resource.type} {identity}", resource)
        return found

    def find(self, identity: str, *types: str) -> StateResource | None:
        """The resource of one of `types` whose id or ARN is `identity`."""
        return next((found for type_ in types if (found := self._by_identity.get(f"{type_} {identity}"))), None)


def read_state(path: Path) -> TerraformState:
    """The state in `path`.

    Raises:
        StateError: the file is missing, isn't a state, has a format other than 4, or is encrypted.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror}. {PULL}") from None
    if content.startswith(b"PK"):
        raise StateError(f"{path} is a Terraform plan or another archive, not a state. {PULL}")
    try:
        document = shapes.load(content)
    except shapes.TooDeepError:
        raise StateError(
            f"{path} is nested more than {shapes.MAXIMUM_DEPTH} levels deep, as no Terraform state is. {PULL}"
        ) from None
    except ValueError:
        raise StateError(f"{path} isn't JSON, so it isn't a Terraform state. {PULL}") from None
    _refuse_other_documents(path, document)
    read = list(_resources(path, document))
    return TerraformState(
        tuple(resource for mode, resource in read if mode == "managed"),
        tuple(resource for mode, resource in read if mode == "data" and resource.is_aws),
    )


def _refuse_other_documents(path: Path, document: Any) -> None:
    if not isinstance(document, dict):
        raise StateError(f"{path} is not a Terraform state. {PULL}")
    if "encrypted_data" in document or "sops" in document:
        raise StateError(
            f"{path} is encrypted. Decrypt it first: `tofu state pull` with the encryption's configuration, or `sops -d`"
        )
    if "format_version" in document:
        raise StateError(f"{path} is the output of `terraform show -json`, not a state. {PULL}")
    if "deployment" in document or "checkpoint" in document:
        raise StateError(f"{path} is a Pulumi state, not a Terraform state. {PULL}")
    version = document.get("version")
    if "lineage" not in document or not isinstance(version, int):
        raise StateError(f"{path} isn't a Terraform state: it has no `version` and `lineage`. {PULL}")
    if version != FORMAT:
        raise StateError(
            f"{path} has state format {version}; this reads format {FORMAT}, which Terraform 0.12 and later and OpenTofu write. "
            "Rewrite it with a current version: `terraform apply -refresh-only`, then `terraform state pull`"
        )
    if not isinstance(document.get("resources"), list):
        raise StateError(f"{path} has no list of resources. {PULL}")


def _resources(path: Path, document: Mapping[str, Any]) -> Iterator[tuple[str, StateResource]]:
    """Mode and resource of each instance. Newer versions of Terraform can add modes that hold no resource of AWS."""
    for entry in document["resources"]:
        try:
            if entry["mode"] not in ("managed", "data"):
                continue
            provider = _source(entry["provider"])
            prefix = f"{entry['module']}." if entry.get("module") else ""
            data = "data." if entry["mode"] == "data" else ""
            where = f"{prefix}{data}{entry['type']}.{entry['name']}"
            for instance in entry["instances"]:
                if entry["type"] in shapes.SHAPES["types"] and (wrong := shapes.refusal(instance["attributes"])):
                    raise StateError(f"{path}: {where}: {wrong}. {PULL}")
                key = instance.get("index_key")
                index = "" if key is None else f"[{json.dumps(key)}]"
                resource = StateResource(
                    address=f"{where}{index}",
                    type=entry["type"],
                    provider=provider,
                    attributes=instance["attributes"],
                    sensitive=frozenset(_sensitive(instance.get("sensitive_attributes") or [])),
                    unfinished="deposed" if instance.get("deposed") else instance.get("status") or "",
                    block=_INDEX.sub("", where),
                    dependencies=frozenset(instance.get("dependencies") or ()),
                )
                convert = _CONVERSIONS.get(resource.type)
                yield entry["mode"], convert(resource) if convert else resource
        except (AttributeError, KeyError, TypeError) as error:
            name = entry.get("name", "?") if isinstance(entry, dict) else "?"
            raise StateError(
                f"{path}: the resource {name!r} is damaged ({type(error).__name__}: {error}). {PULL}"
            ) from None


def _source(provider: str) -> str:
    """The source address in `provider["registry.terraform.io/hashicorp/aws"].alias`; Terraform 0.12 wrote `provider.aws.alias`."""
    if re.search(r"(?:^|\.)provider\.aws(?:\.|$)", provider):
        return OFFICIAL_PROVIDER[0]
    return provider.partition('["')[2].partition('"]')[0]


def _service(resource: StateResource) -> StateResource:
    """A service with the ARN of its cluster. Terraform stores the cluster as it was written, which can be its name."""
    cluster, arn = resource.get("cluster"), resource.id
    if not isinstance(cluster, str) or not cluster or cluster.startswith("arn:") or not arn.startswith("arn:"):
        return resource
    return replace(
        resource, attributes={**resource.attributes, "cluster": f"{arn.partition(':service/')[0]}:cluster/{cluster}"}
    )


def _record(resource: StateResource) -> StateResource:
    """A record under its full name. Terraform stores the name as it was written, which can be relative to the zone."""
    attributes = dict(resource.attributes)
    name = attributes.get("fqdn") or attributes.get("name")
    if isinstance(name, str):
        attributes["name"] = name.rstrip(".").lower()
    if isinstance(attributes.get("alias"), list):
        attributes["alias"] = [
            {**alias, "name": alias_target(alias.get("name"))} if isinstance(alias, dict) else alias
            for alias in attributes["alias"]
        ]
    return replace(resource, attributes=attributes)


def alias_target(name: Any) -> Any:
    """The DNS name of an alias record's target, as the provider compares it."""
    return name.rstrip(".").lower().removeprefix("dualstack.") if isinstance(name, str) else name


def _rule(resource: StateResource) -> StateResource:
    """Convert an aws_security_group_rule with a single peer to the newer types; return one with several unchanged."""
    attributes = resource.attributes
    if not attributes.get("security_group_rule_id"):
        return resource
    source = attributes.get("source_security_group_id")
    blocks = [
        *(("cidr_ipv4", block) for block in resource.items_of("cidr_blocks")),
        *(("cidr_ipv6", block) for block in resource.items_of("ipv6_cidr_blocks")),
        *(("prefix_list_id", block) for block in resource.items_of("prefix_list_ids")),
        *((("referenced_security_group_id", source),) if source else ()),
    ]
    if len(blocks) != 1 or attributes.get("type") not in ("ingress", "egress"):
        return resource
    everything = attributes.get("protocol") in ("-1", "all")
    modern = {
        "id": attributes["security_group_rule_id"],
        "security_group_rule_id": attributes["security_group_rule_id"],
        "security_group_id": attributes.get("security_group_id"),
        "ip_protocol": "-1" if everything else attributes.get("protocol"),
        "from_port": None if everything else attributes.get("from_port"),
        "to_port": None if everything else attributes.get("to_port"),
        "description": attributes.get("description"),
        **dict(blocks),
    }
    return replace(resource, type=f"aws_vpc_security_group_{attributes['type']}_rule", attributes=modern)


_CONVERSIONS: Mapping[str, Callable[[StateResource], StateResource]] = {
    "aws_ecs_service": _service,
    "aws_route53_record": _record,
    "aws_security_group_rule": _rule,
}
"""By type, the conversion of attributes that depend on how the configuration was written to a single form."""


def _sensitive(paths: list[Any]) -> Iterator[str]:
    """Top-level names of paths such as `[[{"type": "get_attr", "value": "password"}]]`."""
    for path in paths:
        steps = path if isinstance(path, list) else [path]
        if steps and isinstance(steps[0], dict) and isinstance(steps[0].get("value"), str):
            yield steps[0]["value"]
