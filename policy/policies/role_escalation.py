"""role-escalation: no role, user or group can extend its own permissions, considering all of its policies."""

from fnmatch import fnmatchcase
from typing import Final

from evaluation.aws.conditions import Condition, demands, literal_start
from evaluation.aws.documents import Statement
from evaluation.aws.policy_holders import NO_ACCOUNT, Holder, Part, allowed, holders
from evaluation.resources import Stack
from evaluation.rule import Findings, Rule

# Actions that extend the caller's permissions if they are allowed on its own role or on any role.
_ON_ROLES: Final = (
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)
# The same for a managed policy of the caller, or for any policy.
_ON_POLICIES: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
# The same for the caller's own user or group.
_ON_USER: Final = (
    "iam:AttachUserPolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
)
_ON_GROUP: Final = ("iam:AttachGroupPolicy", "iam:PutGroupPolicy")
# Actions that allow the caller to act as another user if they are allowed on any user or group.
_ON_USERS: Final = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:PutGroupPolicy",
    "iam:PutUserPolicy",
    "iam:UpdateLoginProfile",
)
_CHECK: Final = "self-escalation"
_OWN_ACTIONS: Final = {"role": _ON_ROLES, "user": (*_ON_USER, *_ON_GROUP), "group": _ON_GROUP}


def _check(stack: Stack, findings: Findings) -> None:
    for holder in holders(stack):
        for part in holder.parts:
            if part.statements is None:
                findings.not_evaluated(part.carrier, _CHECK, part.path, part.problem)
        for part, statement in allowed(holder):
            if "*" not in statement.actions:
                _statement(holder, part, statement, findings)


def _statement(holder: Holder, part: Part, statement: Statement, findings: Findings) -> None:
    where = f"{part.path}.Statement[{statement.index}]"
    if not demands(statement.conditions, _bounds):
        for action in dict.fromkeys((*_ON_ROLES, *_OWN_ACTIONS[holder.kind], *_ON_POLICIES)):
            reach = _reach(holder, statement, action) if statement.matches_action(action) else None
            if reach is not None and holder.undecided:
                why = f"allows {action} on {reach}, which a policy that is unknown until the update may deny"
                findings.not_evaluated(part.carrier, _CHECK, where, why)
                return
            if reach is not None:
                what = f"{where} allows {action} on {reach}, so the identity can grant itself any permission"
                remedy = "exclude the identity itself, or deny the action on it, and require iam:PermissionsBoundary"
                findings.violation(part.carrier, _CHECK, where, what, remedy)
                return
    for action in _ON_USERS:
        if statement.matches_action(action) and (_any(statement, "user") or _any(statement, "group")):
            what = f"{where} allows {action} on any user or group, so the identity can act as another user"
            findings.violation(part.carrier, _CHECK, where, what, "list the ARNs of the users or groups")
            return


def _bounds(test: Condition) -> bool:
    """Whether a condition requires a permissions boundary, or limits the policies."""
    return test.key in ("iam:permissionsboundary", "iam:policyarn") and all(
        literal_start(value) and not value.endswith(("policy/*", ":*")) for value in test.values
    )


def _reach(holder: Holder, statement: Statement, action: str) -> str | None:
    """The resource on which an allowed action extends the holder's permissions; None if there is none."""
    denials = [
        each
        for part in holder.parts
        for each in part.statements or ()
        if not each.allows and not each.conditions and each.matches_action(action)
    ]
    kind = action.rpartition(":")[2]
    subject = next((name for name in ("Group", "User", "Role") if name in kind), "Policy").lower()
    on_policies = action in _ON_POLICIES
    own = holder.policies if on_policies else [arn for arn in holder.own if f":{subject}/" in arn]
    if action == "iam:UpdateAssumeRolePolicy":
        own = holder.own
    for arn in own:
        if _includes(statement, arn) and not any(_includes(denial, arn) for denial in denials):
            return "one of its policies" if on_policies else f"the {holder.kind} that has this policy"
    everything = "policy" if on_policies else subject
    if _any(statement, everything) and not any(_any(denial, everything) for denial in denials):
        return "any role or policy"
    return None


def _any(statement: Statement, kind: str) -> bool:
    """Whether a statement applies to every identity or policy of a kind."""
    return statement.every_resource or _includes(statement, f"arn:aws:iam::{NO_ACCOUNT}:{kind}/any/any")


def _includes(statement: Statement, own: str) -> bool:
    return statement.inverted_resources is not any(
        fnmatchcase(own, _without_account(pattern)) for pattern in statement.resources
    )


def _without_account(pattern: str) -> str:
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return pattern
    parts[1], parts[4] = "aws", NO_ACCOUNT
    return ":".join(parts)


RULE: Final = Rule(
    name="role-escalation",
    title="Role escalation",
    description="No role, user or group can extend its own permissions.",
    why=(
        "An identity that can change its own policy, or any policy, effectively has every permission. Whether it can depends on"
        " all of its policies together: one policy allows by prefix, another denies what the prefix shouldn't cover."
    ),
    severity="critical",
    level="advisory",
    controls=("IAM.1",),
    remediation=(
        "Exclude the identity from the resources that it can change, or deny the action on it. Require a permissions boundary"
        " for the roles that it creates."
    ),
    checks={
        "self-escalation": "Identities can't change their own or any policies, boundary or trust policy, nor act as any user."
    },
    whole_stack=_check,
)
