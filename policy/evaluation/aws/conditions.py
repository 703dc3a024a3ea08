"""Conditions of policy statements: which conditions limit the principals of a statement.

The operator, the key and the values decide. A negated operator, an operator that also matches if the key is absent, and a
value that matches every account don't limit anything. Sources: "The meaning of public" in the Amazon S3 User
Guide, and "Condition operators" in the IAM User Guide.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from evaluation.aws.networks import is_world, parse_network


class Condition(NamedTuple):
    """One condition of a statement: operator and key in lower case, values unchanged."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def base_operator(self) -> str:
        """The operator without ForAnyValue, ForAllValues and IfExists."""
        return self.operator.rpartition(":")[2].removesuffix("ifexists")

    @property
    def negated(self) -> bool:
        """Whether it matches everything except its values."""
        return "not" in self.base_operator


_POSITIVE: Final = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress", "bool"}
)
_WILD = re.compile(r"[*?]")


def demands(conditions: Iterable[Condition], accepted: Callable[[Condition], bool]) -> bool:
    """Whether one of the conditions is a positive test of a required key, and ``accepted`` returns true for it."""
    tests = list(conditions)
    present = {test.key for test in tests if test.operator == "null" and _all(test, "false")}
    return any(
        test.base_operator in _POSITIVE and test.values and (_fails_without_key(test) or test.key in present)
        for test in tests
        if accepted(test)
    )


def _fails_without_key(test: Condition) -> bool:
    return not test.operator.startswith("forallvalues:") and not test.operator.endswith("ifexists")


def _all(test: Condition, value: str) -> bool:
    return bool(test.values) and all(each.lower() == value for each in test.values)


def _literal(value: str) -> bool:
    return bool(value) and not _WILD.search(value)


def literal_start(value: str) -> bool:
    """Whether a pattern begins with a character that isn't a wildcard."""
    return bool(value) and value[0] not in "*?"


def _organization(value: str) -> bool:
    return _literal(value.partition("/")[0])


def _arn(value: str) -> bool:
    """Whether an ARN pattern is limited to one account or, for buckets, whose ARN has no account, to named buckets."""
    parts = value.split(":", 5)
    if len(parts) < 6:
        return _literal(value)
    return _literal(parts[4]) or (not parts[4] and literal_start(parts[5]))


def _address(value: str) -> bool:
    network = parse_network(value)
    return network is not None and not is_world(network)


def _true(value: str) -> bool:
    return value.lower() == "true"


# Keys that limit a request to named accounts, organizations, networks or resources, with the test of a value.
_SOURCES: Final[dict[str, Callable[[str], bool]]] = {
    "aws:sourceaccount": _literal,
    "aws:sourcearn": _arn,
    "aws:sourceorgid": _organization,
    "aws:sourceorgpaths": _organization,
    "aws:sourceowner": _literal,
    "lambda:sourcefunctionarn": _arn,
}
_PRINCIPALS: Final[dict[str, Callable[[str], bool]]] = {
    **_SOURCES,
    "aws:principalaccount": _literal,
    "aws:principalarn": _arn,
    "aws:principalorgid": _organization,
    "aws:principalorgpaths": _organization,
    "aws:sourceip": _address,
    "aws:sourcevpc": _literal,
    "aws:sourcevpcarn": _arn,
    "aws:sourcevpce": _literal,
    "aws:userid": literal_start,
    "aws:vpceaccount": _literal,
    "aws:vpceorgid": _organization,
    "aws:vpceorgpaths": _organization,
    "ec2:sourceinstancearn": _arn,
    "elasticfilesystem:accesspointarn": _arn,
    "elasticfilesystem:accessedviamounttarget": _true,
    "kms:calleraccount": _literal,
    "kms:viaservice": literal_start,
    "s3:dataaccesspointaccount": _literal,
    "s3:dataaccesspointarn": _arn,
    "s3:x-amz-server-side-encryption-aws-kms-key-id": _arn,
}


def _values_pass(test: Condition, keys: dict[str, Callable[[str], bool]]) -> bool:
    accepted = keys.get(test.key)
    return accepted is not None and all(accepted(value) for value in test.values)


def narrows_principals(conditions: Iterable[Condition]) -> bool:
    """Whether the conditions limit a statement for every principal to named accounts, organizations or networks."""
    return demands(conditions, lambda test: _values_pass(test, _PRINCIPALS))


def narrows_sources(conditions: Iterable[Condition]) -> bool:
    """Whether the conditions limit an AWS service to the accounts or resources on whose behalf it acts."""
    return demands(conditions, lambda test: _values_pass(test, _SOURCES))


def excludes_others(conditions: Iterable[Condition]) -> bool:
    """Whether a Deny with these conditions exempts only named accounts, organizations or networks.

    Negated operators also match if the key is absent, so a request without it is denied.
    """
    tests = list(conditions)
    exceptions = [test for test in tests if test.key in ("aws:principalisawsservice", "aws:viaawsservice")]
    spared = [test for test in tests if test not in exceptions]
    return (
        bool(spared)
        and all(test.negated and test.values and _values_pass(test, _PRINCIPALS) for test in spared)
        and all(test.base_operator == "bool" and _all(test, "false") for test in exceptions)
    )


# Keys that distinguish the identities of one account, in addition to the keys that name accounts.
_IDENTITY_KEYS: Final = (
    "aws:multifactorauthpresent",
    "aws:sourceidentity",
    "aws:username",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
)
_SAME_FOR_ALL: Final = frozenset({"aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"})


def narrows_accounts(conditions: Iterable[Condition]) -> bool:
    """Whether the conditions limit a statement for a whole account to some identities, or require an external ID or similar."""

    def accepted(test: Condition) -> bool:
        if test.key in _SAME_FOR_ALL:
            return False
        if test.key == "aws:principalarn":
            return all(literal_start(value.rpartition("/")[2]) or _named(value) for value in test.values)
        if test.key.startswith("aws:principaltag/") or test.key in _IDENTITY_KEYS:
            return all(literal_start(value) and value.lower() != "false" for value in test.values)
        return _values_pass(test, _PRINCIPALS)

    return demands(conditions, accepted)


def _named(arn: str) -> bool:
    """Whether an identity's ARN pattern has a literal part after its kind: ``role/deploy/*`` does, ``role/*`` doesn't."""
    resource = arn.split(":", 5)[-1]
    return literal_start(resource) and literal_start(resource.partition("/")[2])
