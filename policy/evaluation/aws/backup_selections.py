"""Finds the resources that the backup plans of a stack select."""

from fnmatch import fnmatchcase
from typing import Any, Final

from evaluation.resources import Resource, Stack
from evaluation.values import UNKNOWN, each_at, mapping, mappings, sequence, text

# The service in the ARN patterns with which a selection selects all resources of a type.
_SERVICES: Final = {
    "dynamodb/table": "dynamodb",
    "ebs/volume": "ec2",
    "efs/fileSystem": "elasticfilesystem",
    "rds/cluster": "rds",
    "rds/instance": "rds",
    "docdb/cluster": "rds",
    "s3/bucket": "s3",
}
_WILD: Final = frozenset("*?[")


class BackupSelections:
    """The backup selections of a stack, indexed so that a lookup doesn't iterate over the ones that name other resources."""

    def __init__(self, stack: Stack) -> None:
        self._urns: set[str] = set()
        self._named: set[str] = set()
        # Patterns of ARNs, each with the patterns that its selection leaves out; equal ones count once.
        self._patterns: set[tuple[str, tuple[str, ...]]] = set()
        self._tags: dict[str, list[Any]] = {}
        for selection in stack.of("backup/selection"):
            recorded = getattr(selection.source, "property_dependencies", {}).get("resources", ())
            self._urns |= {source.urn for source in recorded}
            excluded = tuple(value for value in sequence(selection.at("notResources")) if isinstance(value, str))
            for value in sequence(selection.at("resources")):
                if isinstance(value, str) and not _WILD & set(value) and not excluded:
                    self._named.add(value)
                elif isinstance(value, str):
                    self._patterns.add((value, excluded))
            for key, value in _tags(selection):
                values = self._tags.setdefault(key, [])
                if value not in values:
                    values.append(value)

    def covers(self, resource: Resource) -> bool:
        """Whether a selection covers the resource by ARN, by a pattern of its service, or by one of its tags."""
        arn = text(resource.at("arn")) or f"arn:aws:{_SERVICES.get(resource.type, '')}:any:000000000000:any/any"
        if resource.urn in self._urns or arn in self._named:
            return True
        if any(
            fnmatchcase(arn, pattern) and not any(fnmatchcase(arn, each) for each in excluded)
            for pattern, excluded in self._patterns
        ):
            return True
        tags = mapping(resource.at("tags")) | mapping(resource.at("tagsAll"))
        return any(_matches(tags[key], self._tags[key]) for key in tags.keys() & self._tags.keys())


def _matches(value: Any, wanted: list[Any]) -> bool:
    return value is UNKNOWN or UNKNOWN in wanted or value in wanted


def _tags(selection: Resource) -> list[tuple[str, Any]]:
    """Key and value of each tag by which a selection selects."""
    wanted = [(text(tag.get("key")), tag.get("value")) for _, tag in mappings(selection.at("selectionTags"))]
    wanted += list(
        zip(
            [
                (text(key) or "").removeprefix("aws:ResourceTag/")
                for key in each_at(selection.properties, "conditions.stringEquals.key")
            ],
            each_at(selection.properties, "conditions.stringEquals.value"),
            strict=False,
        )
    )
    return [(key, value) for key, value in wanted if key]
