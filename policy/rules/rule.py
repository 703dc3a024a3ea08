"""A rule of the pack, and how it becomes a policy of the SDK.

A rule is a name, its metadata, its configuration keys and its checks. What all rules share is here, once: reading the
configuration, exemptions, what to do about values that are not known yet, and the wording of a message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from rules.journal import JOURNAL, Journal
from rules.resources import Resource, Stack, canonical_type
from rules.settings import Setting, Settings, Unknowns, base_schema, read_settings
from rules.values import MALFORMED, UNKNOWN, parse_json, truth

__all__ = [
    "ANY_TYPE",
    "FSBP",
    "TAGGING",
    "WELL_ARCHITECTED",
    "Findings",
    "ResourceCheck",
    "Rule",
    "StackCheck",
    "policy_url",
]

DOCUMENTATION: Final = "https://github.com/ryu-qqq/Infrastructure/blob/main/policy/README.md"
ANY_TYPE: Final = "*"
"""The key under which a rule puts the checks that look at every type of the aws package."""


class Findings:
    """Where the checks of one rule put what they find; exemptions and the handling of unknown values are applied here."""

    def __init__(self, rule: "Rule", settings: Settings, report: ReportViolation, journal: Journal = JOURNAL) -> None:
        self.settings = settings
        self._rule = rule
        self._report = report
        self._journal = journal
        self._seen: set[tuple[str, str, str]] = set()

    def violation(self, resource: Resource, check: str, what: str, remedy: str) -> None:
        """Report what is wrong with a resource and how to mend it.

        Neither text may hold a value of the resource's that could be secret: property paths, numbers, CIDR blocks and
        AWS' own terms only.
        """
        if self._exempted(resource, check):
            return
        self._once(resource, check, f"{resource.name} ({check}): {what}. To mend it: {remedy}.")

    def not_evaluated(
        self, resource: Resource, check: str, path: str, why: str = "is known only after it is made"
    ) -> None:
        """Say that a check could not be decided, and let the policy's ``unknowns`` setting say what that means."""
        if self.settings.unknowns == "pass" or self._exempted(resource, check):
            return
        message = f"{resource.name} ({check}): not evaluated, because {path} {why}"
        if self.settings.unknowns == "mandatory":
            remedy = "make the value known at preview, or set this policy's unknowns to advisory"
            self._once(resource, check, f"{message}. To mend it: {remedy}.")
        else:
            self._journal.not_evaluated(self._rule.name, resource.urn, f"{resource.name}.{path} ({check})")

    def note(self, message: str, urn: str | None = None) -> None:
        """Report a message as it is."""
        self._report(message, urn)

    def require(self, resource: Resource, check: str, path: str, what: str, remedy: str) -> None:
        """Demand that a property is true."""
        value = resource.stated(path)
        if value is UNKNOWN:
            self.not_evaluated(resource, check, path)
        elif not truth(value):
            self.violation(resource, check, what, remedy)

    def document(self, resource: Resource, check: str, path: str) -> Any:
        """The parsed JSON document at a path, or None where it is absent; what can't be read is noted as such."""
        content = parse_json(resource.at(path))
        if content is UNKNOWN:
            self.not_evaluated(resource, check, path)
        elif content is MALFORMED:
            self.not_evaluated(resource, check, path, "is not a JSON document")
        else:
            return content
        return None

    def expired_exemptions(self, resource: Resource) -> None:
        """Report the exemptions of a resource whose last day has passed: each is a violation of its own."""
        for exemption in self.settings.exemptions:
            if exemption.expired and exemption.names(resource.urn, resource.name):
                self._once(
                    resource,
                    "exemption",
                    f"{resource.name} (exemption): its exemption from {self._rule.name} ended on"
                    f" {exemption.expires.isoformat()} ({exemption.reason}). To mend it: mend the resource and remove the"
                    " exemption, or have it renewed.",
                )

    def _exempted(self, resource: Resource, check: str) -> bool:
        for exemption in self.settings.exemptions:
            if exemption.covers(check) and not exemption.expired and exemption.names(resource.urn, resource.name):
                self._journal.exempted(self._rule.name, resource.urn, resource.name, check, exemption)
                return True
        return False

    def _once(self, resource: Resource, check: str, message: str) -> None:
        key = (resource.urn, check, message)
        if key not in self._seen:
            self._seen.add(key)
            self._report(message, resource.urn)


ResourceCheck = Callable[[Resource, Findings], None]
StackCheck = Callable[[Stack, Findings], None]


@dataclass(frozen=True)
class Standard:
    """A published set of controls."""

    name: str
    version: str
    reference: str


FSBP: Final = Standard(
    "AWS Foundational Security Best Practices",
    "1.0.0",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html",
)
TAGGING: Final = Standard(
    "AWS Resource Tagging Standard",
    "1.0.0",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/standards-tagging.html",
)
WELL_ARCHITECTED: Final = Standard(
    "AWS Well-Architected Framework",
    "2024-11-06",
    "https://docs.aws.amazon.com/wellarchitected/latest/framework/welcome.html",
)


@dataclass(frozen=True)
class Rule:
    """One policy of the pack.

    controls: identifiers of what it covers in ``standard``.
    checks: the rule's checks by name, each with one sentence; messages, exemptions and the documentation use the names.
    by_type: for a rule that judges resources one by one, its functions for each type (``ANY_TYPE`` for all).
    whole_stack: for a rule that needs the stack, its function. A rule has one of the two.
    unknowns: the default for values that are not known yet.
    """

    name: str
    title: str
    description: str
    why: str
    severity: Literal["low", "medium", "high", "critical"]
    level: Literal["advisory", "mandatory"]
    controls: tuple[str, ...]
    remediation: str
    checks: Mapping[str, str]
    by_type: Mapping[str, tuple[ResourceCheck, ...]] = field(default_factory=dict)
    whole_stack: StackCheck | None = None
    settings: tuple[Setting, ...] = ()
    unknowns: Unknowns = "advisory"
    standard: Standard = FSBP

    def schema(self) -> dict[str, dict[str, Any]]:
        """The JSON schema of the rule's configuration keys."""
        return {**{setting.name: setting.schema() for setting in self.settings}, **base_schema(self.unknowns)}

    def read(self, given: Mapping[str, Any]) -> Settings:
        """Read a configuration of this rule; raises ``ConfigurationError``."""
        return read_settings(self.name, given, self.settings, tuple(self.checks), self.unknowns)

    def policy(self) -> Policy:
        """The SDK's policy that runs this rule."""
        common: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "enforcement_level": EnforcementLevel(self.level),
            "config_schema": PolicyConfigSchema(self.schema()),
            "display_name": self.title,
            "severity": Severity(self.severity),
            "framework": PolicyComplianceFramework(
                name=self.standard.name,
                version=self.standard.version,
                reference=self.standard.reference,
                specification=", ".join(self.controls),
            ),
            "tags": ["aws", *self.controls],
            "remediation_steps": self.remediation,
            "url": policy_url(self.name),
        }
        if self.whole_stack is not None:
            return StackValidationPolicy(validate=_StackRun(self, self.whole_stack), **common)
        return ResourceValidationPolicy(validate=_ResourceRun(self), **common)


def policy_url(name: str) -> str:
    """Where a policy is documented."""
    return f"{DOCUMENTATION}#{name}"


class _Run:
    """Keeps the settings of a rule between calls: the SDK hands over the same configuration for every resource."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._given: Mapping[str, Any] | None = None
        self._settings: Settings | None = None

    def settings(self, given: Mapping[str, Any]) -> Settings:
        if self._settings is None or given != self._given:
            self._settings = self._rule.read(given)
            self._given = dict(given)
        return self._settings


class _ResourceRun(_Run):
    def __call__(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        settings = self.settings(args.get_config())
        canonical = canonical_type(args.resource_type)
        checks = self._rule.by_type.get(canonical) or (self._rule.by_type.get(ANY_TYPE) if canonical else None)
        if not checks:
            return
        resource = Resource(args, canonical)
        findings = Findings(self._rule, settings, report)
        findings.expired_exemptions(resource)
        for check in checks:
            check(resource, findings)


class _StackRun(_Run):
    def __init__(self, rule: Rule, check: StackCheck) -> None:
        super().__init__(rule)
        self._check = check

    def __call__(self, args: StackValidationArgs, report: ReportViolation) -> None:
        settings = self.settings(args.get_config())
        findings = Findings(self._rule, settings, report)
        stack = Stack(args.resources)
        if any(exemption.expired for exemption in settings.exemptions):
            for resource in stack:
                findings.expired_exemptions(resource)
        self._check(stack, findings)
