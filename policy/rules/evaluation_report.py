"""evaluation-report: what was exempted, and what could not be decided."""

from typing import Final

from rules.journal import JOURNAL
from rules.resources import Stack
from rules.rule import WELL_ARCHITECTED, Findings, Rule

__all__ = ["RULE"]


def _report(_stack: Stack, findings: Findings) -> None:
    exempted, undecided = JOURNAL.drain()
    for used in exempted:
        findings.note(
            f"{used.name} is exempt from {used.policy} ({used.check}) until {used.expires}: {used.reason}", used.urn
        )
    if undecided:
        lines = [f"{policy}: {', '.join(sorted(places))}" for policy, places in sorted(undecided.items())]
        findings.note(
            "Not evaluated, because the values are known only once their resources are made or can't be read. The update"
            " checks them as they become known, and `pulumi policy analyze` checks the deployed stack.\n"
            + "\n".join(lines),
        )


RULE: Final = Rule(
    name="evaluation-report",
    title="Evaluation report",
    description="Exemptions that were used, and checks that could not be decided, are shown.",
    why=(
        "An exemption that nobody sees outlives its reason, and a check that was skipped in silence looks like one that"
        " passed. This policy finds nothing of its own: it reports what the others let pass."
    ),
    severity="low",
    level="advisory",
    controls=("SEC01-BP03",),
    standard=WELL_ARCHITECTED,
    remediation=(
        "An exemption: mend the resource and remove it before it expires. An undecided check: look at the update's own"
        " result, or run `pulumi policy analyze` on the deployed stack."
    ),
    checks={"report": "Lists used exemptions by resource, and undecided checks by policy."},
    whole_stack=_report,
)
