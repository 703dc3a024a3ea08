"""States to adopt: a small one of another user's shape, and how to change it; and the stack files that adopt."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.adoption.small_ingress import INGRESS
from tests.adoption.small_stack import ACCOUNT, PRIVATE, REGION, RESOURCES, VPC
from tests.adoption.wider_stack import WIDER

PROVIDER = 'provider["registry.terraform.io/hashicorp/aws"]'

Resource = dict[str, Any]
State = dict[str, Any]

ORIGINAL_SETTINGS: dict[str, Any] = {
    "allowedCidrBlocks": ["203.0.113.0/24"],
    "url": "https://atlantis.example.com",
    "repoAllowlist": "github.com/ryu-qqq/*",
    "managedNamePrefixes": [],
    "secretReaderArns": ["arn:aws:iam::123456789012:role/deployer"],
}
"""A stack file for the original stack, before the adoption's proposals."""

SETTINGS: dict[str, Any] = {
    "allowedCidrBlocks": ["198.51.100.0/24"],
    "url": "https://placeholder.example.com",
    "repoAllowlist": "github.com/placeholder/*",
    "hostedZoneId": "Z0123456789ABCDEFGHIJ",
    "permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:role/deployer"],
}
"""A stack file as somebody begins it."""


def _entry(address: str, attributes: Mapping[str, Any], dependencies: tuple[str, ...]) -> Resource:
    type_, name = address.split(".")
    module = "module.atlantis"
    return {
        "module": module,
        "mode": "managed",
        "type": type_,
        "name": name,
        "provider": PROVIDER,
        "instances": [{"attributes": dict(attributes), "dependencies": [f"{module}.{item}" for item in dependencies]}],
    }


def small_state() -> State:
    """A stack of 24 resources in one module, changed at will by whoever asks."""
    resources = [_entry(*row) for row in (*RESOURCES, *INGRESS)]
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "0a1b2c3d-test", "outputs": {}}
    return copy.deepcopy({**state, "resources": resources})


def wide_state() -> State:
    """The small stack with resources of all the other types that are read: records, rules, endpoints, keys, policies."""
    state = small_state()
    for address, attributes in WIDER:
        add(state, address, attributes, module="module.atlantis")
    vpc = {"id": VPC, "cidr_block": "10.0.0.0/16", "cidr_block_associations": [{"cidr_block": "10.0.0.0/16"}]}
    add(state, "aws_vpc.main", vpc, mode="data")
    add(state, "aws_subnet.main", {"id": PRIVATE[0], "availability_zone": f"{REGION}a"}, mode="data")
    return state


def find(state: State, address: str) -> dict[str, Any]:
    """The attributes of the first instance of a resource, to change them."""
    key = ("managed", *address.split("."))
    entry = next(item for item in state["resources"] if (item["mode"], item["type"], item["name"]) == key)
    return entry["instances"][0]["attributes"]


def add(
    state: State,
    address: str,
    attributes: Mapping[str, Any],
    *,
    module: str = "",
    mode: str = "managed",
    dependencies: tuple[str, ...] = (),
) -> None:
    """Add a resource, or a data source with `mode` data, to `state`: `module` is empty for the root module."""
    type_, name = address.split(".")
    instances = [{"attributes": dict(attributes), "dependencies": list(dependencies)}]
    entry = {"mode": mode, "type": type_, "name": name, "provider": PROVIDER, "instances": instances}
    state["resources"].append(entry | ({"module": module} if module else {}))


def without(state: State, *types: str) -> State:
    """`state` without the resources of these types."""
    return {**state, "resources": [item for item in state["resources"] if item["type"] not in types]}


def write(folder: Path, state: object) -> Path:
    """`state` in a file."""
    path = folder / "terraform.tfstate"
    path.write_text(json.dumps(state), encoding="utf-8")
    return path
