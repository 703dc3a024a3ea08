"""evaluation-report: what was exempted, what could not be decided, and what the pack doesn't look at."""

from collections import Counter
from typing import Final

from rules.evaluation_log import EVALUATION_LOG
from rules.native import native_type
from rules.resources import Stack
from rules.rule import Findings, Rule
from rules.standards import WELL_ARCHITECTED

__all__ = ["RULE"]

# Packages that make nothing in a cloud.
_LOCAL_PACKAGES: Final = frozenset(
    {
        "archive",
        "command",
        "docker",
        "docker-build",
        "local",
        "null",
        "pulumi",
        "pulumi-nodejs",
        "pulumi-python",
        "random",
    }
    | {"std", "synced-folder", "time", "tls", "aws", "cloudinit", "external", "http"}
)
# Components have no provider, and neither do resources of stacks that an old engine wrote; these are known to be clouds.
_CLOUDS: Final = frozenset(
    {
        "aws-native",
        "azure",
        "azure-native",
        "cloudflare",
        "datadog",
        "gcp",
        "github",
        "google-native",
        "kubernetes",
        "oci",
    }
)
_LISTED: Final = 12


def _report(stack: Stack, findings: Findings) -> None:
    exempted, undecided = EVALUATION_LOG.drain()
    for used in exempted:
        findings.note(
            f"{used.name} is exempt from {used.policy} ({used.check}) until {used.expires}: {used.reason}", used.urn
        )
    if undecided:
        lines = [f"{policy}: {', '.join(sorted(places))}: {why}" for (policy, why), places in sorted(undecided.items())]
        findings.note(
            "Not evaluated, each for the reason that it gives. The update checks values as they become known, and `pulumi"
            " policy analyze` checks the deployed stack.\n" + "\n".join(lines),
        )
    _foreign(stack, findings)


def _foreign(stack: Stack, findings: Findings) -> None:
    """Name the resources of packages that no policy looks at, so that their silence isn't taken for a verdict."""
    found: dict[str, Counter[str]] = {}
    for resource in stack:
        token = resource.source.resource_type
        package = token.partition(":")[0]
        managed = getattr(resource.source, "provider", None) is not None or package in _CLOUDS
        if managed and package not in _LOCAL_PACKAGES and not native_type(token):
            found.setdefault(package, Counter())[token.partition(":")[2]] += 1
    for package, types in sorted(found.items()):
        listed = [f"{name} ({number})" for name, number in sorted(types.items())[:_LISTED]]
        more = [f"and {len(types) - _LISTED} more types"] if len(types) > _LISTED else []
        findings.note(
            f"Not evaluated: {types.total()} resources of the package {package}, which this pack has no rules for:"
            f" {', '.join([*listed, *more])}"
        )


RULE: Final = Rule(
    name="evaluation-report",
    title="Evaluation report",
    description="Used exemptions, undecided checks and resources of other packages are shown.",
    why=(
        "An exemption that nobody sees outlives its reason, and a check that was skipped in silence looks like one that"
        " passed. This policy finds nothing of its own: it reports what the others let pass, and what none of them looks at."
    ),
    severity="low",
    level="advisory",
    controls=("SEC01-BP03",),
    standard=WELL_ARCHITECTED,
    remediation=(
        "An exemption: fix the resource and remove it before it expires. An undecided check: look at the update's own"
        " result, or run `pulumi policy analyze` on the deployed stack."
    ),
    checks={
        "report": "Lists used exemptions by resource, undecided checks by policy and reason, and resources of other packages."
    },
    whole_stack=_report,
)
