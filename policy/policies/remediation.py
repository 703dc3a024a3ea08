"""remediation: changes inputs of resources to fix findings, if an organization enables it."""

from collections.abc import Callable, MutableMapping
from typing import Any, Final

from evaluation.configuration import Configuration, Option
from evaluation.resources import Resource
from evaluation.rule import Rule
from evaluation.values import UNKNOWN, integer, mappings, text
from policies.encryption import rotates
from policies.required_tags import taggable_types, tags_of

_Properties = MutableMapping[str, Any]
_Fix = Callable[[Resource, _Properties, Configuration], bool]


def _tags(resource: Resource, properties: _Properties, settings: Configuration) -> bool:
    tags = tags_of(resource)
    own = resource.at("tags")
    if resource.type not in taggable_types() or tags is UNKNOWN or isinstance(own, list):
        return False
    missing = {name: value for name, value in settings.pairs("tags").items() if not _present(tags.get(name))}
    if missing:
        properties["tags"] = {**_raw(properties, "tags"), **missing}
    return bool(missing)


def _present(value: Any) -> bool:
    return value is UNKNOWN or text(value) is not None


def _raw(properties: _Properties, name: str) -> dict[str, Any]:
    """An object property in the SDK's representation, which keeps unknown and secret values."""
    held = properties[name] if name in list(properties) else {}
    return {key: held["__target"][key] for key in held} if held else {}


def _key_rotation(resource: Resource, properties: _Properties, _settings: Configuration) -> bool:
    if resource.type != "kms/key" or not rotates(resource) or resource.at("enableKeyRotation") in (True, UNKNOWN):
        return False
    properties["enableKeyRotation"] = True
    return True


def _header_fields(resource: Resource, properties: _Properties, _settings: Configuration) -> bool:
    application = resource.at("loadBalancerType") in (None, "application")
    if (
        resource.type != "lb/loadBalancer"
        or not application
        or resource.at("dropInvalidHeaderFields") in (True, UNKNOWN)
    ):
        return False
    properties["dropInvalidHeaderFields"] = True
    return True


def _log_retention(resource: Resource, properties: _Properties, settings: Configuration) -> bool:
    days = resource.at("retentionInDays")
    if resource.type != "cloudwatch/logGroup" or days is UNKNOWN or integer(days):
        return False
    properties["retentionInDays"] = settings.number("retentionDays")
    return True


def _volume_transit(resource: Resource, properties: _Properties, _settings: Configuration) -> bool:
    changed = False
    if resource.type == "ecs/taskDefinition":
        for index, volume in mappings(resource.at("volumes")):
            configuration = volume.get("efsVolumeConfiguration")
            if isinstance(configuration, dict) and configuration.get("transitEncryption") not in ("ENABLED", UNKNOWN):
                properties["volumes"][index]["efsVolumeConfiguration"]["transitEncryption"] = "ENABLED"
                changed = True
    return changed


_FIXES: Final[dict[str, _Fix]] = {
    "tags": _tags,
    "key-rotation": _key_rotation,
    "header-fields": _header_fields,
    "log-retention": _log_retention,
    "volume-transit": _volume_transit,
}


def _remediate(resource: Resource, properties: _Properties, settings: Configuration) -> bool:
    chosen = settings.strings("fixes")
    # A list instead of a generator, so that every fix runs.
    changed = [fix(resource, properties, settings) for name, fix in _FIXES.items() if name in chosen]
    return any(changed)


RULE: Final = Rule(
    name="remediation",
    title="Remediation",
    description="Sets missing tags, key rotation, dropping of invalid headers, log retention and encryption in transit.",
    why=(
        "Some findings have only one reasonable fix. With the level `remediate`, the engine changes the inputs before it creates"
        " the resource, and each preview shows the change. The policy is disabled by default, because a program should define"
        " what it deploys."
    ),
    severity="low",
    level="disabled",
    controls=("EC2.43", "ECS.18", "ELB.4"),
    related=("KMS.4", "CloudWatch.16"),
    remediation="Copy the change that the preview shows into the program.",
    checks={
        "tags": "Adds missing tags from the key `tags`.",
        "key-rotation": "Enables automatic rotation of symmetric KMS keys.",
        "header-fields": "Sets dropInvalidHeaderFields on Application Load Balancers.",
        "log-retention": "Sets the retention of log groups that have none to `retentionDays`.",
        "volume-transit": "Enables encryption in transit for EFS volumes of ECS tasks.",
    },
    fixes=_remediate,
    settings=(
        Option("fixes", "strings", list(_FIXES), "Changes to make.", accepted=tuple(_FIXES)),
        Option("tags", "pairs", {}, "Tags to add if they are missing, with their values."),
        Option("retentionDays", "number", 365, "Retention in days for log groups that have none."),
    ),
)
