"""exemption-limits: what an organization accepts as an exemption."""

from collections.abc import Iterator
from typing import Final

from evaluation.configuration import Option
from evaluation.evaluation_log import EVALUATION_LOG
from evaluation.exemptions import Exemption, names_of, today
from evaluation.resources import STACK, Stack
from evaluation.rule import Findings, Rule
from tables.standards import WELL_ARCHITECTED


def _check(stack: Stack, findings: Findings) -> None:
    root = next(stack.of(STACK), None) or next(iter(stack), None)
    if root is None:
        return
    for policy, exemptions in EVALUATION_LOG.configured_exemptions().items():
        for exemption in exemptions:
            for check, what, remedy in _exceeded(policy, exemption, findings):
                # A note, because an exemption must not exempt itself from the limits.
                subject = f"the exemption of {exemption.resource} from {policy} {what}"
                findings.note(f"{root.name} ({check}): {subject}. Fix: {remedy}.", root.urn)


def _exceeded(policy: str, exemption: Exemption, findings: Findings) -> Iterator[tuple[str, str, str]]:
    most, days = findings.settings.number("maximumDays"), (exemption.expires - today()).days
    if most and days > most:
        yield "duration", f"expires in {days} days", f"set expires to a day in the next {most} days"
    if policy in findings.settings.strings("urnOnly") and not exemption.resource.startswith("urn:pulumi:"):
        yield "urn", "doesn't name a URN", "set resource to the URN of the resource"
    covered = EVALUATION_LOG.exempted_by(policy, exemption)
    types = sorted({names_of(urn, "")[1].partition("::")[0] for urn in covered})
    if len(types) > 1 and not {"*", "?", ":"} & set(exemption.resource):
        remedy = f"name one of them, as {types[0]}::{exemption.resource}"
        yield "name", f"covers findings of {' and '.join(types)}", remedy
    if findings.settings.flag("forbidWildcards") and {"*", "?"} & set(exemption.resource):
        yield "wildcard", "has a wildcard", "add an exemption for each resource"


RULE: Final = Rule(
    name="exemption-limits",
    title="Exemption limits",
    description="Exemptions of all policies are as short and as narrow as the organization requires.",
    why=(
        "An exemption turns a policy off for a resource. One that never expires, or that covers every resource of a name, also"
        " covers what nobody has reviewed. Without limits in its configuration, the policy reports only names of several types."
    ),
    severity="medium",
    level="advisory",
    controls=("SEC01-BP03",),
    standard=WELL_ARCHITECTED,
    remediation="Set expires and resource of the exemption as the message says.",
    checks={
        "duration": "Exemptions expire within `maximumDays`.",
        "urn": "Exemptions from the policies in `urnOnly` name a resource by its URN.",
        "name": "Exemptions by name, without a type, cover findings of resources of one type.",
        "wildcard": "Exemptions have no wildcards, if `forbidWildcards` is true.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "maximumDays", "number", 0, "The number of days from today in which exemptions must expire; 0: no limit."
        ),
        Option("urnOnly", "strings", [], "Policies whose exemptions must name a URN, such as the mandatory ones."),
        Option("forbidWildcards", "flag", default=False, description="Exemptions must not contain * and ?."),
    ),
)
