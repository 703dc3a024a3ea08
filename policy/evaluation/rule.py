"""A rule of the pack, and the SDK's policy that runs it.

A rule is a name, its metadata, its configuration keys and its checks. This module has what all rules share: reading the
configuration, exemptions, the handling of unknown values, and the format of a message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

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

from evaluation.configuration import Configuration, Option, Unknowns, base_schema, read_configuration
from evaluation.documentation import help_link
from evaluation.evaluation_log import EVALUATION_LOG, EvaluationLog, UsedExemption
from evaluation.fingerprints import fingerprint, value_at
from evaluation.resources import Resource, Stack, authored_names, canonical_type, rule_type
from evaluation.secret_names import redacted
from evaluation.values import MALFORMED, UNKNOWN, parse_json, shortened, shown, truth
from tables.standards import FSBP, Standard

_AT_PATH: Final = object()
_LISTED: Final = 3


class Findings:
    """The findings of one rule's checks. Applies exemptions and the setting for unknown values."""

    def __init__(
        self, rule: "Rule", settings: Configuration, report: ReportViolation, log: EvaluationLog = EVALUATION_LOG
    ) -> None:
        self.settings = settings
        self._rule = rule
        self._report = lambda message, urn: report(redacted(message), urn)
        self._log = log
        self._seen: set[tuple[str, str, str]] = set()

    def violation(
        self, resource: Resource, check: str, path: str, what: str, remedy: str, *, value: Any = _AT_PATH
    ) -> None:
        """Report what is wrong with a resource and how to fix it.

        path and value identify the finding, so that an exemption of this finding doesn't cover another one: the property,
        or empty if something is missing, and the part of its value that is wrong, by default the property's value.
        No text may contain a value of the resource that could be secret: only property paths, booleans, numbers, CIDR
        blocks and AWS' own terms.
        """
        if value is _AT_PATH:
            path, value = value_at(resource.properties, path) if path else ("", None)
        self._unless_exempt(resource, check, fingerprint(check, path, value), f"{what}. Fix: {remedy}.")

    def not_evaluated(
        self, resource: Resource, check: str, path: str, why: str = "is unknown until the update"
    ) -> None:
        """Note that a check couldn't be evaluated; the policy's key ``unknowns`` decides how that is reported."""
        if self.settings.unknowns == "pass":
            return
        if self.settings.unknowns == "mandatory":
            remedy = "use a value that is known at preview, or set unknowns of this policy to advisory"
            what = f"not evaluated, because {path} {why}. Fix: {remedy}."
            self._unless_exempt(resource, check, fingerprint(check, path, UNKNOWN), what)
        elif not self.exempted(resource, check, ""):
            self._log.not_evaluated(self._rule.name, resource.urn, f"{resource.name}.{path} ({check})", why)

    def note(self, message: str, urn: str | None = None) -> None:
        """Report a message without the name of a check."""
        self._report(message, urn)

    def require(self, resource: Resource, check: str, path: str, consequence: str, remedy: str = "") -> None:
        """Require that a property is true; ``consequence`` describes the result if it isn't."""
        value = resource.stated(path)
        if value is UNKNOWN:
            self.not_evaluated(resource, check, path)
        elif not truth(value):
            what = f"{path} is {shown(value)}, so {consequence}"
            self.violation(resource, check, path, what, remedy or f"set {path} to true")

    def document(self, resource: Resource, check: str, path: str) -> Any:
        """The parsed JSON document at a path, or None if there is none; a document that can't be parsed is noted."""
        content = parse_json(resource.at(path))
        if content is UNKNOWN:
            self.not_evaluated(resource, check, path)
        elif content is MALFORMED:
            self.not_evaluated(resource, check, path, "isn't a JSON document")
        else:
            return content
        return None

    def expired_exemptions(self, resource: Resource) -> None:
        """Report each expired exemption of a resource as a violation."""
        for exemption in self.settings.exemptions.of(resource.urn, resource.name):
            if exemption.expired:
                self._once(
                    resource,
                    "exemption",
                    f"{resource.name} (exemption): the exemption from {self._rule.name} expired on"
                    f" {exemption.expires.isoformat()} ({exemption.reason}). Fix: fix the resource and remove the exemption,"
                    " or set a new expires date.",
                )

    def exempted(self, resource: Resource, check: str, found: str) -> bool:
        """Whether a finding of a check, by its fingerprint, is exempt; notes that the exemption was used."""
        for exemption in self.settings.exemptions.of(resource.urn, resource.name):
            if exemption.covers(check) and not exemption.expired and exemption.includes(found):
                end, finding = exemption.expires.isoformat(), found if exemption.findings else ""
                used = UsedExemption(
                    self._rule.name, resource.urn, resource.name, check, exemption.reason, end, finding
                )
                self._log.exempted(used, exemption)
                return True
        return False

    def _unless_exempt(self, resource: Resource, check: str, found: str, what: str) -> None:
        if not self.exempted(resource, check, found):
            before = self._exempt_before(resource, check)
            self._once(resource, check, f"{resource.name} ({check}): {what}{before} Finding {found}.")

    def _exempt_before(self, resource: Resource, check: str) -> str:
        """What exemptions of single findings of the check cover instead of the reported one."""
        for exemption in self.settings.exemptions.of(resource.urn, resource.name):
            if exemption.findings and exemption.covers(check) and not exemption.expired:
                texts = [text for text in exemption.findings.values() if text.startswith(f"{check}: ")]
                if texts:
                    only = "; ".join(shortened([text.removeprefix(f"{check}: ") for text in texts], _LISTED))
                    return f" This finding is new; exempt until {exemption.expires.isoformat()} is only: {only}."
        return ""

    def excused(self, resource: Resource, check: str, reason: str) -> None:
        """Note that the configuration excuses a resource from a check, other than by an exemption."""
        self._log.excused(self._rule.name, resource.urn, resource.name, check, reason)

    def _once(self, resource: Resource, check: str, message: str) -> None:
        key = (resource.urn, check, message)
        if key not in self._seen:
            self._seen.add(key)
            self._report(message, resource.urn)


Fixes = Callable[[Resource, Any, Configuration], bool]
ResourceCheck = Callable[[Resource, Findings], None]
StackCheck = Callable[[Stack, Findings], None]


@dataclass(frozen=True)
class Rule:
    """One policy of the pack.

    controls: identifiers of the controls in ``standard`` that it covers. related: Security Hub controls that it covers and
    that aren't part of the AWS Foundational Security Best Practices standard.
    checks: the rule's checks by name, each with one sentence; messages, exemptions and the documentation use the names.
    by_type: the functions of a rule that evaluates single resources, by resource type.
    whole_stack: the function of a rule that evaluates the stack. fixes: the function of a rule that changes
    properties; the engine calls it if the level is ``remediate``. A rule has one of the three.
    unknowns: the default for unknown values.
    """

    name: str
    title: str
    description: str
    why: str
    severity: Literal["low", "medium", "high", "critical"]
    level: Literal["advisory", "mandatory", "disabled"]
    controls: tuple[str, ...]
    remediation: str
    checks: Mapping[str, str]
    by_type: Mapping[str, tuple[ResourceCheck, ...]] = field(default_factory=dict)
    whole_stack: StackCheck | None = None
    fixes: "Fixes | None" = None
    settings: tuple[Option, ...] = ()
    unknowns: Unknowns = "advisory"
    standard: Standard = FSBP
    related: tuple[str, ...] = ()
    native: bool = False
    """Whether it also evaluates the resources of the aws-native package that ``evaluation.native`` translates."""

    def schema(self) -> dict[str, dict[str, Any]]:
        """The JSON schema of the rule's configuration keys."""
        return {
            **{setting.name: setting.schema() for setting in self.settings},
            **base_schema(self.unknowns, tuple(self.checks)),
        }

    def read(self, given: Mapping[str, Any]) -> Configuration:
        """Read the configuration of this rule; raises ``ConfigurationError``."""
        return read_configuration(self.name, given, self.settings, self.schema(), self.unknowns)

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
            "tags": ["aws", *self.controls, *self.related],
            "remediation_steps": self.remediation,
            "url": help_link(self.name),
        }
        if self.whole_stack is not None:
            return StackValidationPolicy(validate=_StackRun(self, self.whole_stack), **common)
        if self.fixes is not None:
            # The SDK declares the result as awaitable, but also accepts a plain value.
            return ResourceValidationPolicy(remediate=cast(Any, _Remediation(self, self.fixes)), **common)
        return ResourceValidationPolicy(validate=_ResourceRun(self), **common)


class _Run:
    """Keeps the parsed settings between calls, because the SDK passes the same configuration for every resource."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._given: Mapping[str, Any] | None = None
        self._settings: Configuration | None = None

    def settings(self, given: Mapping[str, Any]) -> Configuration:
        if self._settings is None or given != self._given:
            self._settings = self._rule.read(given)
            self._given = dict(given)
        return self._settings


class _ResourceRun(_Run):
    def __call__(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        settings = self.settings(args.get_config())
        EVALUATION_LOG.configured(self._rule.name, settings.exemptions.entries)
        if EVALUATION_LOG.inputs(args.urn) is None:
            EVALUATION_LOG.note_inputs(args.urn, authored_names(args.props))
        canonical = rule_type(args.resource_type, native=self._rule.native)
        checks = self._rule.by_type.get(canonical)
        if not checks:
            return
        resource = Resource(args, canonical)
        findings = Findings(self._rule, settings, report)
        findings.expired_exemptions(resource)
        for check in checks:
            check(resource, findings)


class _Remediation(_Run):
    def __init__(self, rule: Rule, fixes: Fixes) -> None:
        super().__init__(rule)
        self._fixes = fixes

    def __call__(self, args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        """The changed properties as the SDK's own proxy, which keeps unknown and secret values; None if nothing changed."""
        settings = self.settings(args.get_config())
        canonical = canonical_type(args.resource_type)
        exempt = (not each.expired for each in settings.exemptions.of(args.urn, args.name))
        if not canonical or any(exempt):
            return None
        return args.props if self._fixes(Resource(args, canonical), args.props, settings) else None


class _StackRun(_Run):
    def __init__(self, rule: Rule, check: StackCheck) -> None:
        super().__init__(rule)
        self._check = check

    def __call__(self, args: StackValidationArgs, report: ReportViolation) -> None:
        settings = self.settings(args.get_config())
        EVALUATION_LOG.configured(self._rule.name, settings.exemptions.entries)
        findings = Findings(self._rule, settings, report)
        native = self._rule.native
        # Each policy gets the resources as new objects with equal values: reading them takes longer than most checks.
        stack = EVALUATION_LOG.shared(
            self._rule.name, native, lambda known: Stack(args.resources, native=native, known=known)
        )
        # The SDK keeps these objects until it has made those of the next policy.
        for source in args.resources:
            source.props = {}
        if any(exemption.expired for exemption in settings.exemptions):
            for resource in stack:
                findings.expired_exemptions(resource)
        self._check(stack, findings)
