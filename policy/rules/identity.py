"""identity: policies give what is needed, and to whom it is needed."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from rules.conditions import Condition, demands
from rules.configuration import Option
from rules.documents import Statement, statements
from rules.identity_trust import check_permission, check_trust
from rules.resources import Resource
from rules.rule import Findings, ResourceCheck, Rule
from rules.values import UNKNOWN, mappings

__all__ = ["RULE"]

# Actions that reveal secrets, and a resource of an account that nobody has: a pattern that covers it covers any.
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


def _document(resource: Resource, findings: Findings) -> None:
    _check_document(resource, findings, "policy", findings.document(resource, "policy-content", "policy"))


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


def _pass_role(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if not statement.matches_action("iam:PassRole") or "*" in statement.actions:
        return
    if _covers_all(statement, _ANY_ROLE):
        what = f"{where} lets its holder pass any role to a service, and so use that role's rights"
        findings.violation(resource, "pass-role", what, "name the roles that may be passed")
    if not demands(statement.conditions, _names_service):
        what = f"{where} does not say to which service roles may be passed"
        findings.violation(resource, "pass-role", what, "add the condition iam:PassedToService")


def _names_service(test: Condition) -> bool:
    return test.key in ("iam:passedtoservice", "iam:associatedresourcearn") and _literal_start(test)


def _scopes(test: Condition) -> bool:
    return test.key.startswith(_SCOPING_KEYS) and _literal_start(test)


def _literal_start(test: Condition) -> bool:
    return all(value and value[0] not in "*?" for value in test.values)


def _secrets(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if "*" in statement.actions or demands(statement.conditions, _scopes):
        return
    for action, anything in _SECRET_READS.items():
        if statement.matches_action(action) and _covers_all(statement, anything):
            what = f"{where} allows {action} on everything in the account"
            findings.violation(resource, "unscoped-secrets", what, "name the keys or secrets, or test kms:ViaService")
            return


def _covers_all(statement: Statement, anything: str) -> bool:
    """Whether the resources cover one of any name, whichever region and account they are limited to."""
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
            return  # a policy of the stack's own, which is checked where it is written
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
    description="Policies name their actions and resources; trust policies name who may assume a role.",
    why=(
        "What runs inherits its role: a Terraform server runs whatever a pull request says. A service wildcard grants what"
        " AWS will invent next year."
    ),
    severity="critical",
    level="advisory",
    controls=("IAM.1", "IAM.21", "KMS.1", "KMS.2"),
    remediation="List the actions that are used and the resources they are used on; test a condition where AWS has one.",
    checks={
        "administrator": "No statement allows `*`, and no managed policy of `refusedManagedPolicies` is attached.",
        "service-wildcard": "No `service:*` and no NotAction, but for `allowedServiceWildcards`.",
        "pass-role": "`iam:PassRole` names roles and tests `iam:PassedToService`.",
        "unscoped-secrets": "Secrets are not read, and keys not used, on `*` without a condition.",
        "trust": "Trust policies name who may assume a role, and test a condition where a third party is in between.",
        "policy-content": "Policy documents can be read.",
    },
    by_type={
        "iam/policy": (_document,),
        "iam/rolePolicy": (_document,),
        "iam/userPolicy": (_document,),
        "iam/groupPolicy": (_document,),
        "iam/role": (check_trust, _inline, _attachment("managedPolicyArns")),
        "iam/rolePolicyAttachment": (_attachment("policyArn"),),
        "iam/userPolicyAttachment": (_attachment("policyArn"),),
        "iam/groupPolicyAttachment": (_attachment("policyArn"),),
        "iam/policyAttachment": (_attachment("policyArn"),),
        "lambda/permission": (check_permission,),
    },
    settings=(
        Option("allowedServiceWildcards", "strings", [], "Service prefixes (`logs`) whose `service:*` is accepted."),
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
            "Services whose trust statements must test aws:SourceAccount or aws:SourceArn.",
        ),
    ),
)
