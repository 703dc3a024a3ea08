"""identity, trust policies: who may take a role."""

from typing import Final

from rules.documents import Statement, statements
from rules.resources import Resource
from rules.rule import Findings

__all__ = ["check_trust"]

_CHECK: Final = "trust"
_SOURCE_KEYS: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})


def check_trust(resource: Resource, findings: Findings) -> None:
    """Judge a role's assumeRolePolicy."""
    for statement in statements(findings.document(resource, _CHECK, "assumeRolePolicy")):
        if statement.allows:
            _judge(resource, findings, f"assumeRolePolicy.Statement[{statement.index}]", statement)


def _judge(resource: Resource, findings: Findings, where: str, statement: Statement) -> None:
    keys = statement.condition_keys()
    services = {name for kind, name in statement.principals if kind == "Service"}
    if statement.inverted_principals or any(name == "*" for kind, name in statement.principals if kind in ("*", "AWS")):
        if not keys:
            what = f"{where} lets any AWS principal take the role"
            findings.violation(resource, _CHECK, what, "name the accounts or roles in Principal")
    elif any(kind == "AWS" and name.endswith(":root") for kind, name in statement.principals) and not keys:
        what = f"{where} lets a whole account take the role without a condition"
        findings.violation(resource, _CHECK, what, "name the role, or test sts:ExternalId or aws:PrincipalArn")
    if services & set(findings.settings.strings("conditionedServices")) and not keys & _SOURCE_KEYS:
        what = f"{where} trusts a service for whichever account it acts"
        findings.violation(resource, _CHECK, what, "test aws:SourceAccount or aws:SourceArn (confused deputy)")
    federated = [name for kind, name in statement.principals if kind == "Federated"]
    if federated and not any(key.endswith((":sub", ":aud")) for key in keys):
        what = f"{where} lets everyone whom an identity provider knows take the role"
        findings.violation(resource, _CHECK, what, "test the provider's sub and aud claims")
