"""required-tags: every resource says who owns it."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from rules.configuration import Option
from rules.resources import STACK, Resource, Stack
from rules.rule import Findings, Rule
from rules.standards import TAGGING
from rules.values import UNKNOWN, at, mapping, mappings, parse_json, text

__all__ = ["RULE", "taggable_types", "tags_of"]


# Names listed for one combination of missing tags; the number says how many there are.
_LISTED: Final = 40


@lru_cache(maxsize=1)
def taggable_types() -> frozenset[str]:
    """The types that take tags, from the data file beside this module (see policy/README.md for how it is made)."""
    content = Path(__file__).with_name("taggable_types.txt").read_text(encoding="utf-8")
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
        if missing and not findings.exempted(resource, "tags"):
            lacking.append((resource, missing))
    _report(stack, lacking, findings)


def _report(stack: Stack, lacking: list[tuple[Resource, list[str]]], findings: Findings) -> None:
    """One message for the whole stack: the resources by what they lack."""
    if not lacking:
        return
    remedy = "set them in the provider's defaultTags for all at once, or in tags"
    if len(lacking) == 1 or findings.settings.flag("perResource"):
        for resource, missing in lacking:
            findings.violation(resource, "tags", f"it lacks the tags {', '.join(missing)}", remedy)
        return
    groups: dict[str, list[str]] = {}
    for resource, missing in lacking:
        groups.setdefault(", ".join(missing), []).append(f"{resource.name} ({resource.type})")
    lines = [f"{missing}: {_shown(sorted(names))}" for missing, names in sorted(groups.items())]
    root = next(stack.of(STACK), lacking[0][0])
    findings.violation(root, "tags", f"{len(lacking)} resources lack tags. " + "; ".join(lines), remedy)


def _shown(names: list[str]) -> str:
    more = [f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return ", ".join([*names[:_LISTED], *more])


def tags_of(resource: Resource) -> Any:
    """The tags of a resource by name, with the provider's defaultTags; ``UNKNOWN`` where they aren't known yet."""
    own = resource.at("tags")
    if own is UNKNOWN:
        return UNKNOWN
    # The engine hands over a provider's nested settings as JSON.
    defaults = mapping(at(parse_json(resource.provider_properties.get("defaultTags")), "tags"))
    # Auto Scaling groups have a list of tags instead of a map.
    pairs = {text(tag.get("key")): tag.get("value") for _, tag in mappings(own)} if isinstance(own, list) else {}
    return {**defaults, **pairs, **mapping(own)}


RULE: Final = Rule(
    name="required-tags",
    title="Required tags",
    description="Resources that take tags carry the required ones, with a value.",
    why="A resource without an owner is one that nobody pays for, patches or deletes.",
    severity="low",
    level="advisory",
    controls=("EC2.43", "ECS.13", "ECS.14", "ECS.15", "EFS.5", "IAM.24", "SecretsManager.5"),
    standard=TAGGING,
    remediation="Set the tags once, in the defaultTags of the provider or where the program makes its resources.",
    checks={"tags": "The tags of `tags` are there and not empty; the provider's defaultTags count."},
    whole_stack=_check,
    settings=(
        Option("tags", "strings", ["Environment", "Owner"], "Names of the tags that are required."),
        Option(
            "perResource", "flag", default=False, description="Report each resource on its own, instead of all at once."
        ),
        Option("ignoredTypes", "strings", [], "Types, as `ec2/eip`, that need none."),
    ),
)
