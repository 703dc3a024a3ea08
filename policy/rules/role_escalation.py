"""role-escalation: no role can give itself more rights, whichever of its policies would let it."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from rules.documents import Statement, statements
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.values import MALFORMED, UNKNOWN, mappings, parse_json, text

__all__ = ["RULE"]

# Actions that hand their caller more rights when they may be used on its own role, or on any.
_ON_ROLES: Final = (
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)
# The same on a managed policy that its caller's role has, or on any.
_ON_POLICIES: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
# Actions that let their caller act as another when they may be used on any user or group.
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
_ROLE: Final = "iam/role"
_CHECK: Final = "self-escalation"
_NO_ACCOUNT: Final = "000000000000"


@dataclass(frozen=True)
class _Part:
    """One policy document of a role: the resource and the path where it stands."""

    carrier: Resource
    path: str
    statements: list[Statement]


class _Holder:
    """A role with all the policies that the stack gives it; a policy without a role in the stack is held by nobody known."""

    def __init__(self, name: str | None) -> None:
        self._role = f"arn:aws:iam::{_NO_ACCOUNT}:role/{name}" if name else None
        self._policies: list[str] = []
        self.parts: list[_Part] = []
        self.undecided = False
        """Whether one of its policies can't be read yet: it might deny what another allows."""

    def add_policy(self, name: str | None) -> None:
        """Note that the role has a managed policy of this name."""
        if name:
            self._policies.append(f"arn:aws:iam::{_NO_ACCOUNT}:policy/{name}")

    @cached_property
    def _denials(self) -> list[Statement]:
        return [each for part in self.parts for each in part.statements if not each.allows and not each.conditions]

    def reach(self, statement: Statement, action: str) -> str | None:
        """On what an allowed action can be turned to the holder's advantage; None where it can't."""
        denials = [denial for denial in self._denials if denial.matches_action(action)]
        if any(denial.every_resource for denial in denials):
            return None
        if statement.every_resource:
            return "any role or policy"
        on_policies = action in _ON_POLICIES
        own = self._policies if on_policies else [self._role] if self._role else []
        for arn in own:
            if _includes(statement, arn) and not any(_includes(denial, arn) for denial in denials):
                return "a policy of its own role" if on_policies else "the role that has this policy"
        return None


def _includes(statement: Statement, own: str) -> bool:
    return any(fnmatchcase(own, _without_account(pattern)) for pattern in statement.resources)


def _without_account(pattern: str) -> str:
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return pattern
    parts[1], parts[4] = "aws", _NO_ACCOUNT
    return ":".join(parts)


def _check(stack: Stack, findings: Findings) -> None:
    for holder in _holders(stack, findings):
        for part in holder.parts:
            for statement in part.statements:
                if statement.allows and "*" not in statement.actions:
                    _judge(holder, part, statement, findings)


def _holders(stack: Stack, findings: Findings) -> list[_Holder]:
    by_role = {role.urn: _Holder(text(role.at("name"))) for role in stack.of(_ROLE)}
    strangers: list[_Holder] = []
    for role in stack.of(_ROLE):
        for index, inline in mappings(role.at("inlinePolicies")):
            path = f"inlinePolicies[{index}].policy"
            _give([by_role[role.urn]], _part(role, path, inline.get("policy"), findings))
    attached = _attached(stack)
    for policy in stack.of("iam/rolePolicy", "iam/policy"):
        if policy.type == "iam/policy":
            owners = [by_role[urn] for urn in attached.get(policy.urn, ())]
            for owner in owners:
                owner.add_policy(text(policy.at("name")))
        else:
            owners = [by_role[role.urn] for role in stack.linked(policy, "role", _ROLE)]
        if not owners:
            owners = [_Holder(text(policy.at("role")))]
            strangers += owners
        _give(owners, _part(policy, "policy", policy.at("policy"), findings))
    return [*by_role.values(), *strangers]


def _give(owners: list[_Holder], part: _Part | None) -> None:
    for owner in owners:
        if part is None:
            owner.undecided = True
        else:
            owner.parts.append(part)


def _attached(stack: Stack) -> dict[str, list[str]]:
    """For the URN of each managed policy of the stack, the URNs of the roles that it is attached to."""
    result: dict[str, list[str]] = {}
    for attachment in stack.of("iam/rolePolicyAttachment"):
        for policy in stack.linked(attachment, "policyArn", "iam/policy"):
            result.setdefault(policy.urn, []).extend(role.urn for role in stack.linked(attachment, "role", _ROLE))
    return result


def _part(carrier: Resource, path: str, document: object, findings: Findings) -> _Part | None:
    content = parse_json(document)
    if content is UNKNOWN:
        findings.not_evaluated(carrier, _CHECK, path)
    elif content is MALFORMED:
        findings.not_evaluated(carrier, _CHECK, path, "is not a JSON document")
    else:
        return _Part(carrier, path, statements(content))
    return None


def _judge(holder: _Holder, part: _Part, statement: Statement, findings: Findings) -> None:
    where = f"{part.path}.Statement[{statement.index}]"
    if "iam:permissionsboundary" not in statement.condition_keys():
        for action in (*_ON_ROLES, *_ON_POLICIES):
            reach = holder.reach(statement, action) if statement.matches_action(action) else None
            if reach is not None and holder.undecided:
                why = f"allows {action} on {reach}, which a policy that can't be read yet may deny"
                findings.not_evaluated(part.carrier, _CHECK, where, why)
                return
            if reach is not None:
                what = f"{where} allows {action} on {reach}: its holder can give itself any right"
                remedy = "leave the role itself out or deny it the action, and demand iam:PermissionsBoundary"
                findings.violation(part.carrier, _CHECK, what, remedy)
                return
    for action in _ON_USERS:
        if statement.matches_action(action) and statement.every_resource:
            what = f"{where} allows {action} on any user or group: its holder can act as another"
            findings.violation(part.carrier, _CHECK, what, "name the users or groups that it is meant for")
            return


RULE: Final = Rule(
    name="role-escalation",
    title="Role escalation",
    description="No role can give itself more rights.",
    why=(
        "A role that may write its own policy, or any, has every right there is. Whether it may is decided by all of its"
        " policies together: one allows by prefix, another denies what the prefix should not have covered."
    ),
    severity="critical",
    level="advisory",
    controls=("IAM.1",),
    remediation=(
        "Keep the role's own name out of what it may change, or deny it; demand a permissions boundary of what it makes."
    ),
    checks={
        "self-escalation": "No right to change the policies, boundary or trust of its own role or of any, nor to act as any user.",
    },
    whole_stack=_check,
)
