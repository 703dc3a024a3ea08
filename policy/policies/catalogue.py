"""All rules of the pack, in the order in which they run and are documented."""

from typing import Final

from pulumi_policy import Policy

from evaluation.rule import Rule
from policies import (
    audit_logs,
    cidr_restriction,
    containers,
    encryption,
    encryption_advice,
    encryption_stack,
    evaluation_report,
    exemption_limits,
    hardening,
    identity,
    path_integrity,
    public_exposure,
    recovery,
    remediation,
    required_tags,
    role_escalation,
    secret_values,
    single_manager,
    single_task,
    supporting_resources,
)

PACK_NAME: Final = "atlantis-guard"

RULES: Final[tuple[Rule, ...]] = (
    encryption.RULE,
    encryption_stack.RULE,
    cidr_restriction.RULE,
    single_task.RULE,
    encryption_advice.RULE,
    public_exposure.RULE,
    path_integrity.RULE,
    supporting_resources.RULE,
    hardening.RULE,
    identity.RULE,
    role_escalation.RULE,
    containers.RULE,
    secret_values.RULE,
    audit_logs.RULE,
    recovery.RULE,
    single_manager.RULE,
    required_tags.RULE,
    remediation.RULE,
    # After the others, because they note their exemptions.
    exemption_limits.RULE,
    # Last, because it reports what the other rules noted.
    evaluation_report.RULE,
)


def policies() -> list[Policy]:
    """The SDK's policies for all rules."""
    return [rule.policy() for rule in RULES]
