"""The condition keys that a call has in the sandbox, and those that a policy asks for in vain.

A service's own key is supplied if the call has a parameter of the same name (`authorizations`). All other keys are listed here.
"""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.testbed.iam_evaluation.evaluator import Document
from sandbox.testbed.iam_evaluation.parameters import listed

SUPPLIED: Mapping[str, str] = {
    "aws:PrincipalAccount": "the principal",
    "aws:PrincipalArn": "the principal",
    "aws:PrincipalTag/*": "the tags of the session and of its role",
    "aws:RequestTag/*": "the tags in the call, also at creation",
    "aws:RequestedRegion": "the region of the call",
    "aws:ResourceTag/*": "the tags of the existing resource",
    "aws:SecureTransport": "always true, as for clients of AWS",
    "aws:SourceIp": "the connection, which is on loopback",
    "aws:TagKeys": "the tags in the call, also at creation",
}
"""Global keys, and where their values come from."""


def unsupplied(documents: Iterable[Document], action: str, supplied: Iterable[str]) -> list[str]:
    """The condition keys in the policies' statements about ``action`` that the call doesn't have in the sandbox.

    ``supplied`` are the keys that it has. The decision on the action can differ from AWS' because of the others.
    """
    own = {key.lower() for key in supplied}
    found = {
        key
        for document in documents
        for statement in listed(document.get("Statement"))
        if _is_about(statement, action)
        for key in _keys(statement)
    }
    return sorted(key for key in found if key.lower() not in own and not _is_supplied(key))


def _is_supplied(key: str) -> bool:
    """Whether every call has the global key if AWS' call has it."""
    return any(fnmatch.fnmatchcase(key.lower(), name.lower()) for name in SUPPLIED)


def _is_about(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _names(statement["NotAction"], action)
    return _names(statement.get("Action", ()), action)


def _names(patterns: Any, action: str) -> bool:
    # Only ? and * are special in IAM's patterns.
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]")) for pattern in listed(patterns))


def _keys(statement: Mapping[str, Any]) -> Iterable[str]:
    return (key for keys in (statement.get("Condition") or {}).values() for key in keys)
