"""Finds the resources that the backup plans of a stack select."""

from fnmatch import fnmatchcase
from typing import Any, Final

from evaluation.resources import Resource, Stack
from evaluation.values import UNKNOWN, each_at, mapping, mappings, sequence, text

__all__ = ["BackupSelections"]

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


class BackupSelections:
    """The backup selections of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._selections = list(stack.of("backup/selection"))

    def covers(self, resource: Resource) -> bool:
        """Whether a selection covers the resource by ARN, by a pattern of its service, or by one of its tags."""
        return any(self._selects(selection, resource) for selection in self._selections)

    def _selects(self, selection: Resource, resource: Resource) -> bool:
        if resource in self._stack.dependencies(selection, "resources", resource.type):
            return True
        arn = text(resource.at("arn")) or f"arn:aws:{_SERVICES.get(resource.type, '')}:any:000000000000:any/any"
        named = [value for value in sequence(selection.at("resources")) if isinstance(value, str)]
        if any(fnmatchcase(arn, pattern) for pattern in named):
            return not any(
                isinstance(value, str) and fnmatchcase(arn, value) for value in sequence(selection.at("notResources"))
            )
        return self._by_tag(selection, mapping(resource.at("tags")) | mapping(resource.at("tagsAll")))

    def _by_tag(self, selection: Resource, tags: dict[str, Any]) -> bool:
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
        return any(key and (tags.get(key) == value or UNKNOWN in (tags.get(key), value)) for key, value in wanted)
