"""Attacks on roles of other accounts: a plan can assume only those in `assumableRoleArns`, regardless of their trust policies."""

import json
from collections.abc import Callable

from preflight import trust_policy
from preflight.escalations import Question
from sandbox.attack.identities import Identities, as_created, as_plan, as_terraform, asked
from sandbox.attack.row import SkippedError, row
from sandbox.testbed.iam_evaluation.evaluator import Document, Principal


def _assumable(principal: Principal) -> list[str]:
    """The roles that the deployed policies allow Terraform to assume."""
    statements = [each for document in principal.policies.values() for each in document["Statement"]]
    return [arn for each in statements if each["Sid"] == "AssumeNamedRoles" for arn in each["Resource"]]


def _listed(known: Identities) -> str:
    """The first role that Terraform may assume."""
    if found := _assumable(known.terraform):
        return found[0]
    raise SkippedError("the stack has no assumableRoleArns")


def _of_applies(known: Identities) -> str:
    """The first role that an apply may assume and a plan may not."""
    for_plans = _assumable(known.plan)
    if found := next((arn for arn in _assumable(known.terraform) if arn not in for_plans), ""):
        return found
    raise SkippedError("the stack has no assumableRoleArns that are for applies only")


def _beside(known: Identities) -> str:
    """A role of the same account that isn't in the list."""
    return f"{_listed(known).rpartition('/')[0]}/administrator"


def _trusts_terraform(known: Identities) -> Document:
    role = known.terraform.arn.split("/")[1]
    return json.loads(trust_policy.document(known.setting.names.role_arn(role), None))


def _trusts_account(known: Identities) -> Document:
    names = known.setting.names
    return json.loads(trust_policy.document(f"arn:{names.partition}:iam::{names.account}:root", None))


def _assumes(role: Callable[[Identities], str]) -> Callable[[Identities], Question]:
    return lambda known: Question("sts:AssumeRole", role(known))


ROWS = (
    row(
        "plan-unlisted-role",
        asked(as_terraform, _assumes(_beside), _trusts_terraform),
        asked(as_terraform, _assumes(_listed), _trusts_terraform),
    ),
    row(
        "plan-role-of-applies",
        asked(as_plan, _assumes(_of_applies), _trusts_account),
        asked(as_terraform, _assumes(_of_applies), _trusts_account),
    ),
    row(
        "created-role-other-account",
        asked(as_created, _assumes(_listed), _trusts_account),
        asked(as_terraform, _assumes(_listed), _trusts_account),
    ),
)
