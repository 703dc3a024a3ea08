"""IAM policy documents: their statements in one shape, whatever short forms the author used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from rules.values import MALFORMED, mapping, parse_json, sequence

__all__ = ["Statement", "refuses_plain_transport", "statements"]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document.

    actions, resources: as written, lower case for the actions. inverted_*: from NotAction, NotResource, NotPrincipal.
    principals: pairs of kind (AWS, Service, Federated, ``*``) and value.
    conditions: operator, key and values, operator and key in lower case.
    """

    index: int
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    inverted_actions: bool = False
    inverted_resources: bool = False
    inverted_principals: bool = False

    def matches_action(self, action: str) -> bool:
        """Whether the statement's action patterns cover an action such as ``iam:PassRole``."""
        covered = any(fnmatchcase(action.lower(), pattern) for pattern in self.actions)
        return covered is not self.inverted_actions

    def matches_resource(self, arn: str) -> bool:
        """Whether the statement's resource patterns cover an ARN."""
        covered = any(fnmatchcase(arn, pattern) for pattern in self.resources)
        return covered is not self.inverted_resources

    @property
    def every_resource(self) -> bool:
        """Whether it is about any resource at all."""
        return "*" in self.resources or self.inverted_resources

    def condition_keys(self) -> frozenset[str]:
        """The condition keys that it tests, in lower case, without the part after a slash (``aws:requesttag/x``)."""
        return frozenset(key.partition("/")[0] for _, key, _ in self.conditions)

    def condition_values(self, operator: str, key: str) -> tuple[str, ...]:
        """The values that an operator tests a key against, in lower case; ``operator`` without IfExists or ForAny."""
        return tuple(
            value.lower()
            for name, tested, values in self.conditions
            if name.rpartition(":")[2].removesuffix("ifexists") == operator.lower() and tested == key.lower()
            for value in values
        )


def statements(document: Any) -> list[Statement]:
    """The statements of a parsed document; what has another shape than a statement is passed over."""
    content = parse_json(document)
    if content is MALFORMED or not isinstance(content, Mapping):
        return []
    return [
        _statement(index, entry)
        for index, entry in enumerate(sequence(content.get("Statement")))
        if isinstance(entry, dict)
    ]


def _statement(index: int, entry: dict[str, Any]) -> Statement:
    return Statement(
        index=index,
        allows=entry.get("Effect") == "Allow",
        actions=tuple(action.lower() for action in _texts(entry.get("Action", entry.get("NotAction")))),
        resources=tuple(_texts(entry.get("Resource", entry.get("NotResource")))),
        principals=tuple(_principals(entry.get("Principal", entry.get("NotPrincipal")))),
        conditions=tuple(_conditions(entry.get("Condition"))),
        inverted_actions="NotAction" in entry,
        inverted_resources="NotResource" in entry,
        inverted_principals="NotPrincipal" in entry,
    )


def _texts(value: Any) -> Iterator[str]:
    return (element for element in sequence(value) if isinstance(element, str))


def _principals(value: Any) -> Iterator[tuple[str, str]]:
    if value == "*":
        yield "*", "*"
    for kind, names in mapping(value).items():
        for name in _texts(names):
            yield kind, name


def _conditions(value: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operator, tests in mapping(value).items():
        for key, values in mapping(tests).items():
            rendered = tuple(
                str(element).lower() if isinstance(element, bool) else str(element) for element in sequence(values)
            )
            yield operator.lower(), key.lower(), rendered


def refuses_plain_transport(document: Any) -> bool:
    """Whether a resource policy lets nobody in without TLS: by a Deny for plain transport, or by Allows that demand TLS."""
    found = statements(document)
    denies = any(
        not statement.allows
        and ("*", "*") in {(kind if kind != "AWS" else "*", name) for kind, name in statement.principals}
        and statement.condition_values("Bool", "aws:SecureTransport") == ("false",)
        and len(statement.conditions) == 1
        for statement in found
    )
    allows = [statement for statement in found if statement.allows]
    demands = bool(allows) and all(
        statement.condition_values("Bool", "aws:SecureTransport") == ("true",) for statement in allows
    )
    return denies or demands
