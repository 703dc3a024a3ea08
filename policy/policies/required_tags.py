"""required-tags: resources have the required tags, such as their owner."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from evaluation.configuration import Option
from evaluation.fingerprints import fingerprint
from evaluation.resources import STACK, Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at, mapping, mappings, parse_json, shortened, text
from tables.standards import TAGGING

# The number of names listed for each combination of missing tags; further resources are only counted.
_LISTED: Final = 40


@cache
def taggable_types() -> frozenset[str]:
    """The types that support tags, from the data file next to this module (policy/README.md describes how it is generated)."""
    content = (Path(__file__).parents[1] / "tables" / "taggable_types.txt").read_text(encoding="utf-8")
    return frozenset(line for line in content.splitlines() if line and not line.startswith("#"))


def _check(stack: Stack, findings: Findings) -> None:
    wanted = findings.settings.strings("tags")
    lacking = []
    for resource in stack:
        if resource.type not in taggable_types() or resource.type in findings.settings.strings("ignoredTypes"):
            continue
        tags = tags_of(resource)
        if tags is UNKNOWN:
            findings.not_evaluated(resource, "tags", "tags")
            continue
        missing = [name for name in wanted if not (tags.get(name) is UNKNOWN or text(tags.get(name)))]
        if missing and not findings.exempted(resource, "tags", fingerprint("tags", "tags", missing)):
            lacking.append((resource, missing))
    _report(stack, lacking, findings)


def _report(stack: Stack, lacking: list[tuple[Resource, list[str]]], findings: Findings) -> None:
    """One message for the whole stack: the resources, grouped by missing tags."""
    if not lacking:
        return
    remedy = "set the tags in defaultTags of the provider, or in tags of each resource"
    if len(lacking) == 1 or findings.settings.flag("perResource"):
        for resource, missing in lacking:
            findings.violation(
                resource, "tags", "tags", f"required tags are missing: {', '.join(missing)}", remedy, value=missing
            )
        return
    groups: dict[str, list[str]] = {}
    for resource, missing in lacking:
        groups.setdefault(", ".join(missing), []).append(f"{resource.name} ({resource.type})")
    lines = [f"{missing}: {', '.join(shortened(sorted(names), _LISTED))}" for missing, names in sorted(groups.items())]
    root = next(stack.of(STACK), lacking[0][0])
    findings.violation(
        root, "tags", "tags", f"{len(lacking)} resources lack required tags. " + "; ".join(lines), remedy, value=lines
    )


def tags_of(resource: Resource) -> Any:
    """The tags of a resource by name, with the provider's defaultTags; ``UNKNOWN`` if they are unknown."""
    own = resource.at("tags")
    if own is UNKNOWN:
        return UNKNOWN
    # The engine passes a provider's nested settings as JSON.
    defaults = mapping(at(parse_json(resource.provider_properties.get("defaultTags")), "tags"))
    # Auto Scaling groups have a list of tags instead of a map.
    pairs = {text(tag.get("key")): tag.get("value") for _, tag in mappings(own)} if isinstance(own, list) else {}
    return {**defaults, **pairs, **mapping(own)}


RULE: Final = Rule(
    name="required-tags",
    title="Required tags",
    description="Resources that support tags have the required tags with a value.",
    why="Nobody pays for, patches or deletes a resource that has no owner.",
    severity="low",
    level="advisory",
    controls=("EC2.43", "ECS.13", "ECS.14", "ECS.15", "EFS.5", "IAM.24", "SecretsManager.5"),
    standard=TAGGING,
    remediation="Set the tags in defaultTags of the provider, or in tags of each resource.",
    checks={"tags": "The tags listed in `tags` are set and not empty. Tags in the provider's defaultTags count."},
    whole_stack=_check,
    settings=(
        Option("tags", "strings", ["Environment", "Owner"], "Names of the required tags."),
        Option(
            "perResource",
            "flag",
            default=False,
            description="Report each resource separately, instead of one message per stack.",
        ),
        Option("ignoredTypes", "strings", [], "Resource types, such as `ec2/eip`, that need no tags."),
    ),
)
