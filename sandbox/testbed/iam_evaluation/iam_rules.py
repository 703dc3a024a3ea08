"""Rules of IAM that the evaluator doesn't have, as equivalent policy documents and keys that it evaluates as IAM would."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.testbed.iam_evaluation.parameters import listed

_ENCRYPTION_CONTEXT = re.compile("kms:EncryptionContext:", re.IGNORECASE)
_STAND_IN = "aws:RequestTag/kms:EncryptionContext:"
"""A key that the evaluator accepts with any name. It accepts variable parts of keys only after a slash."""
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def normalized(document: Mapping[str, Any], principal: str) -> dict[str, Any]:
    """The document as the evaluator has to read it for a call of ``principal`` (an ARN).

    - Policy variables exist since version 2012-10-17; before, ``${`` is text.
    - A Deny with NotPrincipal spares a session only if it lists the session, its role and its account.
    - An IPv6 address without a mask is one address, in any spelling.
    """
    literal = document.get("Version") != "2012-10-17"
    statements = [
        _statement(_without_variables(statement) if literal else statement, principal)
        for statement in _statements(document)
    ]
    return {**document, "Statement": statements}


def normalized_keys(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a call, with the names that `normalized` gives them in documents."""
    return {_ENCRYPTION_CONTEXT.sub(_STAND_IN, key): value for key, value in keys.items()}


def direct_grant(resource_policy: Mapping[str, Any], session: str) -> dict[str, Any] | None:
    """The Deny statements of a resource policy and those that allow the session by its ARN, or None without the latter.

    Such a permission is the session's without its identity policies, and neither its session policy nor its boundary limits it:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    found = list(_statements(resource_policy))
    allows = [item for item in found if item["Effect"] == "Allow" and session in _aws(item.get("Principal"))]
    denies = [item for item in found if item["Effect"] == "Deny"]
    return {**resource_policy, "Statement": [*allows, *denies]} if allows else None


def denies_of(document: Mapping[str, Any], *, allowing_the_rest: bool = False) -> dict[str, Any]:
    """The Deny statements of a document, and with ``allowing_the_rest`` one that allows everything else."""
    denies = [statement for statement in _statements(document) if statement["Effect"] == "Deny"]
    return {**document, "Statement": [*denies, *([_EVERYTHING] if allowing_the_rest else [])]}


def _statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from listed(document.get("Statement"))


def _statement(statement: Mapping[str, Any], principal: str) -> dict[str, Any]:
    changed = dict(statement)
    if "Condition" in changed:
        changed["Condition"] = {
            operator: {_ENCRYPTION_CONTEXT.sub(_STAND_IN, key): _masked(operator, value) for key, value in keys.items()}
            for operator, keys in changed["Condition"].items()
        }
    if changed.get("Effect") == "Deny" and ":assumed-role/" in principal and "NotPrincipal" in changed:
        account, role = principal.split(":")[4], principal.split("/")[1]
        spared = _aws(changed["NotPrincipal"])
        by_role = any(
            item.split(":")[4:5] == [account] and item.endswith(f"/{role}") for item in spared if ":role/" in item
        )
        by_account = account in spared or any(item.endswith(f"::{account}:root") for item in spared)
        if spared and "*" not in spared and not (principal in spared and by_role and by_account):
            del changed["NotPrincipal"]
            changed["Principal"] = "*"
    return changed


def _aws(principals: Any) -> list[str]:
    """The ARNs and accounts in a Principal or NotPrincipal element."""
    return listed(principals.get("AWS")) if isinstance(principals, Mapping) else listed(principals)


def _masked(operator: str, value: Any) -> Any:
    if "ipaddress" not in operator.lower():
        return value
    found = []
    for text in listed(value):
        try:
            found.append(ipaddress.IPv6Network(text, strict=False).compressed)
        except ValueError:
            found.append(text)
    return found


def _without_variables(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", "${$}{")
    if isinstance(value, Mapping):
        return {key: _without_variables(item) for key, item in value.items()}
    return [_without_variables(item) for item in value] if isinstance(value, list) else value
