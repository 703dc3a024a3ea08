"""Policy documents that AWS refuses: their grammar, and principals that don't exist.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html has the grammar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sandbox.testbed.iam_evaluation.parameters import listed
from sandbox.testbed.local_aws.refusals.call import Call

_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+|[A-Za-z0-9-]+:\*")
_RESOURCE = re.compile(r"\*|\*.*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_ENTITY = re.compile(r"arn:[^:]+:iam::(\d{12}):(role|user)/(?:[^*?$]*/)?([^/*?$]+)")


def length(document: str) -> int:
    """The size that IAM limits: the characters without white space."""
    return len(re.sub(r"\s", "", document))


def statements(document: Any) -> list[dict[str, Any]]:
    """The statements of a document; none if it isn't one."""
    try:
        found = json.loads(document)["Statement"]
    except (ValueError, TypeError, KeyError):
        return []
    return [item for item in listed(found) if isinstance(item, dict)]


def identity_policy_problem(_: Call, document: Any) -> str | None:
    """Why IAM refuses a policy of a role, a user or a group; None if it doesn't."""
    if problem := _grammar(document):
        return problem
    for statement in statements(document):
        if statement.keys() & {"Principal", "NotPrincipal"}:
            return "Policy document should not specify a principal."
        if not statement.keys() & {"Resource", "NotResource"}:
            return "Policy statement must contain resources."
        for resource in listed(statement.get("Resource", statement.get("NotResource"))):
            if not _RESOURCE.fullmatch(str(resource)):
                return f'Resource {resource} must be in ARN format or "*".'
    return None


def trust_policy_problem(call: Call, document: Any) -> str | None:
    """Why IAM refuses a trust policy; None if it doesn't."""
    if problem := _grammar(document):
        return problem
    if any(statement.keys() & {"Resource", "NotResource"} for statement in statements(document)):
        return "Has prohibited field Resource"
    return resource_policy_problem(call, document, resources=False)


def resource_policy_problem(call: Call, document: Any, *, resources: bool = True) -> str | None:
    """Why a service refuses a resource-based policy; None if it doesn't. ``resources``: statements must name resources."""
    if problem := _grammar(document):
        return problem
    for statement in statements(document):
        if not statement.keys() & {"Principal", "NotPrincipal"}:
            return "Missing required field Principal"
        if resources and not statement.keys() & {"Resource", "NotResource"}:
            return "Missing required field Resource"
    return _missing_principal(call, document)


def _grammar(document: Any) -> str | None:
    try:
        parsed = json.loads(document)
    except (ValueError, TypeError):
        return "Syntax errors in policy."
    found = statements(document)
    if not isinstance(parsed, dict) or not found:
        return "Syntax errors in policy."
    if parsed.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        return "The policy version is invalid."
    sids = [statement["Sid"] for statement in found if statement.get("Sid")]
    if len(sids) != len(set(sids)):
        return "Statement IDs (SID) in a single policy must be unique."
    return next((problem for statement in found if (problem := _statement(statement))), None)


def _statement(statement: dict[str, Any]) -> str | None:
    if unknown := statement.keys() - _ELEMENTS:
        return f"Has prohibited field {min(unknown)}"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Syntax errors in policy."
    if not statement.keys() & {"Action", "NotAction"}:
        return "Policy statement must contain actions."
    for action in listed(statement.get("Action", statement.get("NotAction"))):
        if not _ACTION.fullmatch(str(action)):
            return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    return None


def _missing_principal(call: Call, document: Any) -> str | None:
    account = call.account
    for arn in _principals(document):
        match = _ENTITY.fullmatch(arn)
        if match and match[1] == account:
            operation, name = ("GetRole", "RoleName") if match[2] == "role" else ("GetUser", "UserName")
            if call.find(f"iam:{operation}", "keys(@)", **{name: match[3]}) is None:
                return f'Invalid principal in policy: "AWS":"{arn}"'
    return None


def _principals(document: Any) -> Iterator[str]:
    for statement in statements(document):
        principal = statement.get("Principal")
        if isinstance(principal, dict):
            yield from map(str, listed(principal.get("AWS")))
