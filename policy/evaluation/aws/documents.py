"""IAM policy documents: their statements in a normalized form."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from evaluation.aws.conditions import Condition, excludes_others, narrows_principals
from evaluation.values import MALFORMED, mapping, parse_json, sequence, wildcard

# Partitions: aws, aws-cn, aws-us-gov, aws-iso and its successors, aws-eusc.
_EVERY_ACCOUNT: Final = re.compile(r"arn:[a-z*][a-z*-]*:iam::\*:")
_PARTITION: Final = re.compile(r"arn:(aws[a-z-]*):")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document.

    actions, resources: unchanged, actions in lower case. inverted_*: from NotAction, NotResource, NotPrincipal.
    principals: pairs of kind (AWS, Service, Federated, ``*``) and value.
    """

    index: int
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]
    inverted_actions: bool = False
    inverted_resources: bool = False
    inverted_principals: bool = False

    def matches_action(self, action: str) -> bool:
        """Whether the statement's action patterns cover an action such as ``iam:PassRole``."""
        covered = any(wildcard(action.lower(), pattern) for pattern in self.actions)
        return covered is not self.inverted_actions

    def matches_resource(self, arn: str) -> bool:
        """Whether the statement's resource patterns cover an ARN."""
        covered = any(wildcard(arn, pattern) for pattern in self.resources)
        return covered is not self.inverted_resources

    @property
    def every_resource(self) -> bool:
        """Whether it applies to every resource."""
        return "*" in self.resources or self.inverted_resources

    @property
    def every_principal(self) -> bool:
        """Whether it applies to every principal (``*``), or to all except some (NotPrincipal)."""
        return self.inverted_principals or any(
            name == "*" or _EVERY_ACCOUNT.match(name) for kind, name in self.principals if kind in ("*", "AWS")
        )


def statements(document: Any) -> list[Statement]:
    """The statements of a parsed document; anything that isn't a statement is ignored."""
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


def _conditions(value: Any) -> Iterator[Condition]:
    for operator, tests in mapping(value).items():
        for key, values in mapping(tests).items():
            rendered = tuple(
                str(element).lower() if isinstance(element, bool) else str(element) for element in sequence(values)
            )
            yield Condition(operator.lower(), key.lower(), rendered)


def public_statements(document: Any) -> list[Statement]:
    """The Allow statements for every AWS principal without a condition that limits the principals.

    Such a statement isn't public if a Deny for everyone except named accounts, organizations or networks covers the same
    actions and resources.
    """
    found = statements(document)
    denials = [each for each in found if not each.allows and each.every_principal and excludes_others(each.conditions)]
    return [
        each
        for each in found
        if each.allows
        and each.every_principal
        and not narrows_principals(each.conditions)
        and not any(_covers(denial, each) for denial in denials)
    ]


def _covers(denial: Statement, allow: Statement) -> bool:
    if denial.inverted_actions or denial.inverted_resources or denial.inverted_principals or allow.inverted_actions:
        return False
    actions = all(any(wildcard(action, pattern) for pattern in denial.actions) for action in allow.actions)
    resources = all(
        any(pattern == "*" or wildcard(resource, pattern) for pattern in denial.resources)
        for resource in allow.resources
    )
    return actions and resources


_BUCKET_ACTIONS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
_FILE_SYSTEM_ACTIONS: Final = (
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientWrite",
    "elasticfilesystem:ClientRootAccess",
)
_TRANSPORT: Final = "aws:securetransport"


def denies_plain_transport(document: Any, service: str, bucket: str | None = None) -> bool:
    """Whether a resource policy denies all requests without TLS.

    service: ``s3`` or ``elasticfilesystem``. A bucket requires a Deny for the bucket and its objects, because an identity
    policy alone can allow access within an account. ``bucket`` is the bucket's name, None if it is unknown. For a file
    system, Allow statements that all require TLS are enough.
    """
    found = statements(document)
    denials = [each for each in found if _denies_plain(each)]
    if service == "s3":
        names = [bucket] if bucket else sorted(_bucket_names(denials))
        return any(
            all(
                _denied(denials, action, resource)
                for action, resource in _bucket_requests(f"arn:{partition}:s3:::{name}")
            )
            for name in names
            for partition in _partitions(denials)
        )
    if all(_denied(denials, action, None) for action in _FILE_SYSTEM_ACTIONS):
        return True
    allows = [each for each in found if each.allows]
    return bool(allows) and all(
        any(
            test.base_operator == "bool" and not test.operator.endswith("ifexists") and _only(test, "true")
            for test in each.conditions
        )
        for each in allows
    )


def _denies_plain(statement: Statement) -> bool:
    if statement.allows or not statement.every_principal or statement.inverted_principals:
        return False
    others = [test for test in statement.conditions if test.key != _TRANSPORT]
    return any(test.base_operator == "bool" and _only(test, "false") for test in statement.conditions) and all(
        test.key in ("aws:principalisawsservice", "aws:viaawsservice") and test.values == ("false",) for test in others
    )


def _only(test: Condition, value: str) -> bool:
    return test.key == _TRANSPORT and bool(test.values) and all(each.lower() == value for each in test.values)


def _denied(denials: Iterable[Statement], action: str, arn: str | None) -> bool:
    return any(denial.matches_action(action) and (arn is None or denial.matches_resource(arn)) for denial in denials)


def _bucket_names(denials: Iterable[Statement]) -> set[str]:
    """The names of the buckets in the resources of the denials; a probe name for a wildcard."""
    patterns = [resource for denial in denials for resource in denial.resources]
    named = {pattern.rpartition(":::")[2].partition("/")[0] for pattern in patterns}
    return {name.rstrip("*") + ("probe" if name.endswith("*") else "") for name in named if name}


def _partitions(denials: Iterable[Statement]) -> set[str]:
    """The partitions that the denials name; a bucket is in one of them."""
    named = {match[1] for denial in denials for each in denial.resources if (match := _PARTITION.match(each))}
    return named or {"aws"}


def _bucket_requests(arn: str) -> Iterator[tuple[str, str]]:
    for action in _BUCKET_ACTIONS:
        yield action, arn if action == "s3:ListBucket" else f"{arn}/probe"
