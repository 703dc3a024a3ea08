"""Attacks on roles of other accounts: a plan can assume only those in `assumableRoleArns`, regardless of their trust policies."""

import json
from collections.abc import Callable

from preflight import trust_policy
from preflight.questions import Question
from sandbox.attack.identities import Identities, as_created, as_terraform, asked
from sandbox.attack.row import Row, SkippedError
from sandbox.iam_evaluation.evaluator import Document

__all__ = ["ROWS"]


def _listed(known: Identities) -> str:
    """The first role that the deployed policy allows Terraform to assume."""
    for document in known.terraform.policies.values():
        for statement in document["Statement"]:
            if statement["Sid"] == "AssumeNamedRoles":
                return str(statement["Resource"][0])
    raise SkippedError("the stack has no assumableRoleArns")


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
    Row(
        name="plan-unlisted-role",
        attack="A plan tries to assume a role of another account that isn't in assumableRoleArns",
        tried="sts:AssumeRole as the role of an apply, which the role's trust policy allows",
        refused_by="the policies of the task role or the apply role, which list the roles",
        attempt=asked(as_terraform, _assumes(_beside), _trusts_terraform),
        control=asked(as_terraform, _assumes(_listed), _trusts_terraform),
    ),
    Row(
        name="created-role-other-account",
        attack="A role that a plan created, with * as its policy, tries to assume a role of another account",
        tried="sts:AssumeRole as a role with the boundary, where the trust policy allows the whole account",
        refused_by="the permissions boundary",
        attempt=asked(as_created, _assumes(_listed), _trusts_account),
        control=asked(as_terraform, _assumes(_listed), _trusts_account),
    ),
)
