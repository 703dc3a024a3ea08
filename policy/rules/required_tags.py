"""required-tags: every resource says whose it is."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from rules.resources import Resource
from rules.rule import ANY_TYPE, TAGGING, Findings, Rule
from rules.settings import Setting
from rules.values import UNKNOWN, at, mapping, mappings, parse_json, text

__all__ = ["RULE", "taggable_types"]


@lru_cache(maxsize=1)
def taggable_types() -> frozenset[str]:
    """The types that take tags, from the data file beside this module (see policy/README.md for how it is made)."""
    content = Path(__file__).with_name("taggable_types.txt").read_text(encoding="utf-8")
    return frozenset(line for line in content.splitlines() if line and not line.startswith("#"))


def _check(resource: Resource, findings: Findings) -> None:
    if resource.type not in taggable_types() or resource.type in findings.settings.strings("ignoredTypes"):
        return
    tags = _tags(resource)
    if tags is UNKNOWN:
        findings.not_evaluated(resource, "tags", "tags")
        return
    missing = [
        name for name in findings.settings.strings("tags") if not (tags.get(name) is UNKNOWN or text(tags.get(name)))
    ]
    if missing:
        what = f"it lacks the tags {', '.join(missing)}"
        findings.violation(resource, "tags", what, "set them in tags, or for all at once in the provider's defaultTags")


def _tags(resource: Resource) -> Any:
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
    why="A resource without an owner is nobody's to pay for, to patch or to delete.",
    severity="low",
    level="advisory",
    controls=("EC2.43", "ECS.13", "ECS.14", "ECS.15", "EFS.5", "IAM.24", "SecretsManager.5"),
    standard=TAGGING,
    remediation="Set the tags once, in the defaultTags of the provider or where the program makes its resources.",
    checks={"tags": "The tags of `tags` are there and not empty; the provider's defaultTags count."},
    by_type={ANY_TYPE: (_check,)},
    settings=(
        Setting("tags", "strings", ["Environment", "Owner"], "Names of the tags that are required."),
        Setting("ignoredTypes", "strings", [], "Types, as `ec2/eip`, that need none."),
    ),
)
