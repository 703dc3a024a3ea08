"""identity: policies grant only the required permissions, to named principals."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from evaluation.aws.conditions import Condition, demands, literal_start
from evaluation.aws.documents import Statement, statements
from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck, Rule
from evaluation.values import UNKNOWN, mappings
from policies.identity_trust import check_permission, check_trust

# Actions that reveal secrets, each with an ARN of a non-existent account: a pattern that matches it matches any resource.
_SECRET_READS: Final = {
    "kms:Decrypt": "arn:aws:kms:any-region:000000000000:key/any",
    "kms:ReEncryptFrom": "arn:aws:kms:any-region:000000000000:key/any",
    "secretsmanager:GetSecretValue": "arn:aws:secretsmanager:any-region:000000000000:secret:any",
}
_ANY_ROLE: Final = "arn:aws:iam::000000000000:role/any"
_SCOPING_KEYS: Final = (
    "aws:resourcetag/",
    "kms:encryptioncontext:",
    "kms:encryptioncontextkeys",
    "kms:resourcealiases",
    "kms:requestalias",
    "kms:viaservice",
    "secretsmanager:resourcetag/",
    "secretsmanager:secretid",
)


def _document(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        _check_document(resource, findings, path, findings.document(resource, "policy-content", path))

    return check


def _inline(resource: Resource, findings: Findings) -> None:
    for index, policy in mappings(resource.at("inlinePolicies")):
        path = f"inlinePolicies[{index}].policy"
        if policy.get("policy") is UNKNOWN:
            findings.not_evaluated(resource, "policy-content", path)
        else:
            _check_document(resource, findings, path, policy.get("policy"))


def _check_document(resource: Resource, findings: Findings, path: str, document: Any) -> None:
    for statement in statements(document):
        if statement.allows:
            where = f"{path}.Statement[{statement.index}]"
            _wildcards(resource, findings, where, statement)
            _pass_role(resource, findings, where, statement)
            _secrets(resource, findings, where, statement)


def _wildcards(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if "*" in statement.actions or "*:*" in statement.actions:
        findings.violation(
            resource, "administrator", where, f"{where} allows every action (*)", "list the required actions"
        )
    elif statement.inverted_actions:
        what = f"{where} uses NotAction, so it allows all other actions, including those that AWS adds later"
        findings.violation(resource, "service-wildcard", where, what, "use Action with the list of required actions")
    tolerated = {name.lower() for name in findings.settings.strings("allowedServiceWildcards")}
    for position, action in enumerate(statement.actions):
        if statement.inverted_actions or action in ("*", "*:*") or action.partition(":")[0] in tolerated:
            continue
        if action.partition(":")[2] == "*":
            what = f"{where}.Action[{position}] allows every action of a service (service:*)"
            findings.violation(resource, "service-wildcard", where, what, "list the required actions")


def _pass_role(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if not statement.matches_action("iam:PassRole") or "*" in statement.actions:
        return
    if _covers_all(statement, _ANY_ROLE):
        what = f"{where} allows iam:PassRole on every role, so the principal can use any role's permissions"
        findings.violation(resource, "pass-role", where, what, "list the ARNs of the roles that may be passed")
    if not demands(statement.conditions, _names_service):
        what = f"{where} allows iam:PassRole without limiting the service"
        findings.violation(resource, "pass-role", where, what, "add the condition iam:PassedToService")


def _names_service(test: Condition) -> bool:
    return test.key in ("iam:passedtoservice", "iam:associatedresourcearn") and all(map(literal_start, test.values))


def _scopes(test: Condition) -> bool:
    return test.key.startswith(_SCOPING_KEYS) and all(map(literal_start, test.values))


def _secrets(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if "*" in statement.actions or demands(statement.conditions, _scopes):
        return
    for action, anything in _SECRET_READS.items():
        if statement.matches_action(action) and _covers_all(statement, anything):
            what = f"{where} allows {action} on every resource of the account"
            remedy = "list the ARNs of the keys or secrets, or add a condition such as kms:ViaService"
            findings.violation(resource, "unscoped-secrets", where, what, remedy)
            return


def _covers_all(statement: Statement, anything: str) -> bool:
    """Whether the resources match any name, regardless of their region and account."""
    if statement.every_resource:
        return True
    return any(
        fnmatchcase(anything.rpartition("000000000000:")[2], pattern.split(":", 5)[5])
        for pattern in statement.resources
        if pattern.count(":") >= 5
    )


def _attachment(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        values = resource.at(path)
        if values is UNKNOWN:
            return  # a policy of this stack, which is evaluated itself
        for name in _policy_names(values):
            if name in findings.settings.strings("refusedManagedPolicies"):
                what = f"{path} attaches the managed policy {name}"
                remedy = "attach a policy that lists only the required actions"
                findings.violation(resource, "administrator", path, what, remedy, value=name)

    return check


def _policy_names(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, str):
            yield value.rpartition("/")[2]


RULE: Final = Rule(
    name="identity",
    title="Identity",
    description="IAM policies list their actions and resources, and trust policies limit who can assume a role.",
    why=(
        "Code runs with its role's permissions, and a Terraform server runs the code of every pull request. A service wildcard"
        " also grants the actions that AWS adds later."
    ),
    severity="critical",
    level="advisory",
    controls=("IAM.1", "IAM.21", "KMS.1", "KMS.2"),
    remediation="List the required actions and the resources that they apply to, and add conditions where AWS supports them.",
    checks={
        "administrator": "No statement allows `*`, and no managed policy in `refusedManagedPolicies` is attached.",
        "service-wildcard": "Statements don't use NotAction or `service:*`, except for `allowedServiceWildcards`.",
        "pass-role": "Statements with `iam:PassRole` list roles and have a condition on `iam:PassedToService`.",
        "unscoped-secrets": "No statement allows reading secrets or decrypting on `*` without a condition.",
        "trust": "Trust policies list principals, and have a condition for accounts, services and identity providers.",
        "policy-content": "Policy documents can be evaluated.",
    },
    by_type={
        **dict.fromkeys(("iam/policy", "iam/rolePolicy", "iam/userPolicy", "iam/groupPolicy"), (_document("policy"),)),
        "ssoadmin/managedPolicyAttachment": (_attachment("managedPolicyArn"),),
        "ssoadmin/permissionSetInlinePolicy": (_document("inlinePolicy"),),
        "iam/role": (check_trust, _inline, _attachment("managedPolicyArns")),
        "iam/rolePolicyAttachment": (_attachment("policyArn"),),
        "iam/userPolicyAttachment": (_attachment("policyArn"),),
        "iam/groupPolicyAttachment": (_attachment("policyArn"),),
        "iam/policyAttachment": (_attachment("policyArn"),),
        "lambda/permission": (check_permission,),
    },
    settings=(
        Option(
            "allowedServiceWildcards",
            "strings",
            [],
            "Service prefixes, such as `logs`, for which `service:*` is allowed.",
        ),
        Option(
            "refusedManagedPolicies",
            "strings",
            ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "SystemAdministrator", "DatabaseAdministrator"],
            "Names of managed policies that must not be attached.",
        ),
        Option(
            "conditionedServices",
            "strings",
            ["ecs-tasks.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"],
            "Services whose trust statements require a condition on aws:SourceAccount or aws:SourceArn.",
        ),
    ),
)
