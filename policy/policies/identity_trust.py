"""identity, trust policies: who can assume a role, and on whose behalf a service can call a function."""

import re
from typing import Final

from evaluation.aws.conditions import (
    Condition,
    demands,
    literal_start,
    narrows_accounts,
    narrows_principals,
    narrows_sources,
)
from evaluation.aws.documents import Statement, statements
from evaluation.resources import Resource
from evaluation.rule import Findings
from evaluation.values import UNKNOWN, text

_CHECK: Final = "trust"
_ACCOUNT: Final = re.compile(r"[0-9]{12}|arn:aws[a-z-]*:iam::[^:]*:root")

# Identity providers that serve many customers under one issuer: only a claim about the subject distinguishes them.
_SHARED_ISSUERS: Final = re.compile(
    r"token\.actions\.githubusercontent\.com$|gitlab\.com$|app\.terraform\.io$|agent\.buildkite\.com$|api\.pulumi\.com/oidc$"
    r"|oidc\.vercel\.com$|oidc\.eks\.|dev\.azure\.com|vstoken\.dev\.azure\.com|app\.spacelift\.io$|api\.doppler\.com$"
)
_SUBJECT_CLAIMS: Final = frozenset(
    {"sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref"}
)
# Social identity providers, where the audience is the application that the organization registered.
_AUDIENCE_CLAIMS: Final = frozenset({"aud", "app_id", "oaud", "azp"})
_SUBJECT_LABEL: Final = re.compile(r"(?:system:serviceaccount:|pulumi:[a-z]+:(?:org:)?|[a-z_]+[:/])?")
_SEGMENT: Final = re.compile(r"[^:/@]+[:/@]")


def check_trust(resource: Resource, findings: Findings) -> None:
    """Check a role's assumeRolePolicy."""
    for statement in statements(findings.document(resource, _CHECK, "assumeRolePolicy")):
        if statement.allows:
            where = f"assumeRolePolicy.Statement[{statement.index}]"
            _principals(resource, findings, where, statement)
            _services(resource, findings, where, statement)
            _federation(resource, findings, where, statement)


def _principals(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    if statement.every_principal:
        if not narrows_principals(statement.conditions):
            what = f"{where} allows every AWS principal to assume the role"
            findings.violation(resource, _CHECK, where, what, "list the accounts or roles in Principal")
    elif any(kind == "AWS" and _ACCOUNT.fullmatch(name) for kind, name in statement.principals) and not (
        narrows_accounts(statement.conditions)
    ):
        what = f"{where} allows a whole account to assume the role without a condition"
        remedy = "list the role in Principal, or add a condition on sts:ExternalId or aws:PrincipalArn"
        findings.violation(resource, _CHECK, where, what, remedy)


def _services(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    services = {name for kind, name in statement.principals if kind == "Service"}
    if services & set(findings.settings.strings("conditionedServices")) and not narrows_sources(statement.conditions):
        what = f"{where} allows a service to assume the role on behalf of any account (confused deputy)"
        findings.violation(resource, _CHECK, where, what, "add a condition on aws:SourceAccount or aws:SourceArn")


def _federation(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    for provider in sorted({name for kind, name in statement.principals if kind == "Federated"}):
        issuer = provider.partition(":oidc-provider/")[2] or provider
        shared = _SHARED_ISSUERS.search(issuer) is not None
        if demands(statement.conditions, lambda test, shared=shared: _names_subject(test, shared=shared)):
            continue
        if shared:
            what = f"{where} allows every subject of a shared identity provider to assume the role"
            remedy = "add a condition on the provider's sub claim with your repository, project or service account"
        else:
            what = f"{where} allows every user of an identity provider to assume the role"
            remedy = "add a condition on the provider's sub and aud claims"
        findings.violation(resource, _CHECK, where, what, remedy)


def _names_subject(test: Condition, *, shared: bool) -> bool:
    """Whether a condition on a claim of the identity provider limits the subjects."""
    claim = test.key.rpartition(":")[2]
    if claim in _SUBJECT_CLAIMS:
        return all(_complete(value) for value in test.values)
    return not shared and claim in _AUDIENCE_CLAIMS and all(map(literal_start, test.values))


def _complete(value: str) -> bool:
    """Whether a subject's pattern contains the full owner before the first wildcard, as ``repo:owner/*`` does."""
    start = re.split(r"[*?]", value, maxsplit=1)[0]
    if start == value:
        return bool(value)
    label = _SUBJECT_LABEL.match(start)
    return _SEGMENT.match(start, label.end() if label else 0) is not None


def check_permission(resource: Resource, findings: Findings) -> None:
    """Check that a service can call a function only on behalf of named resources or accounts."""
    principal = text(resource.at("principal"))
    if principal is None or not principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return
    sources = [resource.at(name) for name in ("sourceArn", "sourceAccount", "principalOrgId")]
    if not any(source is UNKNOWN or text(source) is not None for source in sources):
        what = "a service can call the function on behalf of any account (confused deputy)"
        findings.violation(resource, _CHECK, "principal", what, "set sourceArn or sourceAccount")
