"""identity: roles and policies give what is needed, and no way to give oneself more."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from rules.documents import Statement, statements
from rules.identity_trust import check_trust
from rules.resources import Resource
from rules.rule import Findings, ResourceCheck, Rule
from rules.settings import Setting
from rules.values import UNKNOWN, mappings, text

__all__ = ["RULE"]

# Actions that hand their caller more rights, when they may be used on the caller's own role or on any.
_ESCALATIONS: Final = (
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
)
_USER_ESCALATIONS: Final = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:PutGroupPolicy",
    "iam:PutUserPolicy",
    "iam:UpdateLoginProfile",
)
_SECRET_READS: Final = ("kms:Decrypt", "kms:ReEncryptFrom", "secretsmanager:GetSecretValue")
_ANY_ACCOUNT_ROLE: Final = "arn:aws:iam::000000000000:role/"


def _document(path: str, role_path: str | None) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        role = text(resource.at(role_path)) if role_path else None
        _judge(resource, findings, path, findings.document(resource, "policy-content", path), role)

    return check


def _inline(resource: Resource, findings: Findings) -> None:
    for index, policy in mappings(resource.at("inlinePolicies")):
        path = f"inlinePolicies[{index}].policy"
        if policy.get("policy") is UNKNOWN:
            findings.not_evaluated(resource, "policy-content", path)
        else:
            _judge(resource, findings, path, policy.get("policy"), text(resource.at("name")))


def _judge(resource: Resource, findings: Findings, path: str, document: Any, role: str | None) -> None:
    found = statements(document)
    holder = _Holder(role, found)
    for statement in found:
        if statement.allows:
            where = f"{path}.Statement[{statement.index}]"
            _wildcards(resource, findings, where, statement)
            _escalation(resource, findings, where, statement, holder)
            _pass_role(resource, findings, where, statement)
            _secrets(resource, findings, where, statement)


def _wildcards(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if "*" in statement.actions or "*:*" in statement.actions:
        findings.violation(
            resource,
            "administrator",
            f"{where} allows every action",
            "list the actions that are used",
        )
    elif statement.inverted_actions:
        what = f"{where} allows everything but a list (NotAction), and so each action that AWS adds"
        findings.violation(resource, "service-wildcard", what, "list the actions that are used, in Action")
    tolerated = {name.lower() for name in findings.settings.strings("allowedServiceWildcards")}
    for position, action in enumerate(statement.actions):
        if statement.inverted_actions or action in ("*", "*:*") or action.partition(":")[0] in tolerated:
            continue
        if action.partition(":")[2] == "*":
            what = f"{where}.Action[{position}] allows every action of a service"
            findings.violation(resource, "service-wildcard", what, "list the actions that are used")


def _escalation(resource: Resource, findings: Findings, where: str, statement: Statement, holder: "_Holder") -> None:
    if "*" in statement.actions:
        return  # reported as administrator
    for action in _ESCALATIONS:
        if not statement.matches_action(action) or "iam:permissionsboundary" in statement.condition_keys():
            continue
        reach = holder.reach(statement, action)
        if reach is not None:
            what = f"{where} allows {action} on {reach}: its holder can give itself any right"
            remedy = (
                "leave its own role out of the resources or deny the action on it, and demand iam:PermissionsBoundary"
            )
            findings.violation(resource, "self-escalation", what, remedy)
            return
    for action in _USER_ESCALATIONS:
        if statement.matches_action(action) and statement.every_resource:
            what = f"{where} allows {action} on any user or group: its holder can act as another"
            findings.violation(resource, "self-escalation", what, "name the users or groups it is meant for")
            return


class _Holder:
    """The role that holds a policy, as far as its name is known, with everything that the policy denies it."""

    def __init__(self, role: str | None, found: list[Statement]) -> None:
        self._own = f"{_ANY_ACCOUNT_ROLE}{role}" if role else None
        self._denials = [each for each in found if not each.allows and not each.conditions]

    def reach(self, statement: Statement, action: str) -> str | None:
        """On what an allowed action can be turned to the holder's advantage; None where it can't."""
        if self._own is not None and any(
            denial.matches_action(action) and self._includes(denial, self._own) for denial in self._denials
        ):
            return None
        if statement.every_resource:
            return "any role or policy"
        if self._own is not None and self._includes(statement, self._own):
            return "the role that has this policy"
        return None

    @staticmethod
    def _includes(statement: Statement, own: str) -> bool:
        return statement.every_resource or any(_covers(pattern, own) for pattern in statement.resources)


def _covers(pattern: str, own: str) -> bool:
    """Whether a resource pattern covers a role, whatever account stands in it."""
    parts = pattern.split(":", 5)
    if len(parts) == 6:
        parts[1], parts[4] = "aws", "000000000000"
        pattern = ":".join(parts)
    return fnmatchcase(own, pattern)


def _pass_role(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if not statement.matches_action("iam:PassRole") or "*" in statement.actions:
        return
    if statement.every_resource:
        what = f"{where} lets its holder pass any role to a service, and so use that role's rights"
        findings.violation(resource, "pass-role", what, "name the roles that may be passed")
    if not {"iam:passedtoservice", "iam:associatedresourcearn"} & statement.condition_keys():
        what = f"{where} does not say to which service roles may be passed"
        findings.violation(resource, "pass-role", what, "add the condition iam:PassedToService")


def _secrets(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if "*" in statement.actions or not statement.every_resource or statement.conditions:
        return
    for action in _SECRET_READS:
        if statement.matches_action(action):
            what = f"{where} allows {action} on everything in the account"
            findings.violation(resource, "unscoped-secrets", what, "name the keys or secrets, or test kms:ViaService")
            return


def _attachment(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        values = resource.at(path)
        if values is UNKNOWN:
            return  # a policy of the stack's own, which is judged where it is written
        for name in _policy_names(values):
            if name in findings.settings.strings("refusedManagedPolicies"):
                what = f"it attaches the managed policy {name}"
                findings.violation(resource, "administrator", what, "attach a policy that lists what is used")

    return check


def _policy_names(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, str):
            yield value.rpartition("/")[2]


RULE: Final = Rule(
    name="identity",
    title="Identity",
    description="Policies name their actions, and no role can give itself more rights.",
    why=(
        "What runs inherits its role: a Terraform server runs whatever a pull request says. A service wildcard grants what"
        " AWS will invent next year, and a role that may write its own policy has every right there is."
    ),
    severity="critical",
    level="advisory",
    controls=("IAM.1", "IAM.21", "KMS.1", "KMS.2"),
    remediation="List actions and resources; keep a role's own name out of what it may change; bound what it creates.",
    checks={
        "administrator": "No statement allows `*`, and no managed policy of `refusedManagedPolicies` is attached.",
        "service-wildcard": "No `service:*` and no NotAction, but for `allowedServiceWildcards`.",
        "self-escalation": "No right to change the policies, boundary or trust of its own role or of any.",
        "pass-role": "`iam:PassRole` names roles and tests `iam:PassedToService`.",
        "unscoped-secrets": "Secrets are not read, and keys not used, on `*` without a condition.",
        "trust": "Trust policies name who may take a role, and test a condition where a third party is in between.",
        "policy-content": "Policy documents can be read.",
    },
    by_type={
        "iam/policy": (_document("policy", None),),
        "iam/rolePolicy": (_document("policy", "role"),),
        "iam/userPolicy": (_document("policy", None),),
        "iam/groupPolicy": (_document("policy", None),),
        "iam/role": (check_trust, _inline, _attachment("managedPolicyArns")),
        "iam/rolePolicyAttachment": (_attachment("policyArn"),),
        "iam/userPolicyAttachment": (_attachment("policyArn"),),
        "iam/groupPolicyAttachment": (_attachment("policyArn"),),
        "iam/policyAttachment": (_attachment("policyArn"),),
    },
    settings=(
        Setting("allowedServiceWildcards", "strings", [], "Service prefixes (`logs`) whose `service:*` is accepted."),
        Setting(
            "refusedManagedPolicies",
            "strings",
            ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "SystemAdministrator", "DatabaseAdministrator"],
            "Names of managed policies that must not be attached.",
        ),
        Setting(
            "conditionedServices",
            "strings",
            ["ecs-tasks.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"],
            "Services whose trust statements must test aws:SourceAccount or aws:SourceArn.",
        ),
    ),
)
