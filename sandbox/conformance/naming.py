"""Converts pulumi-aws' names to the Terraform provider's: types, properties, and blocks that Pulumi flattens or names in the plural."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TYPES = {"aws:lb/loadBalancer:LoadBalancer": "aws_lb"}
_ATTRIBUTES = {
    ("aws_cloudwatch_log_subscription_filter", "logGroup"): "log_group_name",
    ("aws_cloudwatch_metric_alarm", "name"): "alarm_name",
}
"""Attributes whose names don't follow a rule."""


@dataclass(frozen=True)
class ProviderSchema:
    """The resource types of a provider, as ``terraform providers schema -json`` prints them, and its full name."""

    address: str
    types: Mapping[str, Any]

    def type_of(self, token: str) -> str:
        """Terraform's name of a pulumi-aws type, such as ``aws_ecs_service``; raises ``LookupError``."""
        _, path, _ = token.split(":")
        module, member = path.split("/")
        name = snake(member)
        candidates = (
            _TYPES.get(token),
            f"aws_{module}_{name}",
            f"aws_{name}",
            f"aws_{module}_{name}".replace("_v2", ""),
        )
        found = next((candidate for candidate in candidates if candidate in self.types), None)
        if found is None:
            raise LookupError(f"the provider has no resource type for {token}")
        return found

    def attribute_of(self, type_: str, property_: str) -> str | None:
        """The attribute or block of a property; None if the provider has none."""
        return _ATTRIBUTES.get((type_, property_)) or _member(self.types[type_]["block"], property_)

    def arguments(self, type_: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """A resource's arguments in Terraform's JSON syntax; raises ``LookupError`` for one that the provider doesn't have."""
        renamed = {_ATTRIBUTES.get((type_, name), name): value for name, value in properties.items()}
        return _block(type_, self.types[type_]["block"], renamed)


def snake(name: str) -> str:
    """``defaultActions`` as ``default_actions``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _member(block: Mapping[str, Any], property_: str) -> str | None:
    members = {*block.get("attributes", {}), *block.get("block_types", {})}
    name = snake(property_)
    singular = (re.sub(r"ies$", "y", name), re.sub(r"es$", "", name), re.sub(r"s$", "", name))
    digits = re.sub(r"(?<=[a-z])(?=\d)", "_", name)
    return next((candidate for candidate in (name, *singular, digits) if candidate in members), None)


def _block(where: str, block: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for property_, value in properties.items():
        if property_.startswith("__"):
            continue  # the bridge's own, such as __defaults
        name = _member(block, property_)
        if name is None:
            raise LookupError(f"the provider has no argument for the property {property_} of {where}")
        if value is None:
            continue
        nested = block.get("block_types", {}).get(name)
        if nested is None:
            # Pulumi represents a list of at most one element as the element itself.
            wants_list = isinstance(kind := block["attributes"][name]["type"], list) and kind[0] in ("list", "set")
            found[name] = [value] if wants_list and not isinstance(value, list) else value
        else:
            values = value if isinstance(value, list) else [value]
            found[name] = [_block(f"{where}.{name}", nested["block"], item) for item in values]
    return found
