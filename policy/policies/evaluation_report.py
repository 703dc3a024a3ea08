"""evaluation-report: used exemptions, checks that weren't evaluated, and resources without rules."""

from collections import Counter
from typing import Final

from evaluation.evaluation_log import EVALUATION_LOG
from evaluation.native import native_type
from evaluation.resources import Stack
from evaluation.rule import Findings, Rule
from tables.standards import WELL_ARCHITECTED

__all__ = ["RULE"]

# Packages that create no cloud resources.
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
# Components have no provider, and neither have resources in states of older engines; these packages are known to be clouds.
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
            "Not evaluated, for these reasons. The update evaluates the checks when their values are known, and `pulumi policy"
            " analyze` evaluates the deployed stack.\n" + "\n".join(lines),
        )
    _foreign(stack, findings)


def _foreign(stack: Stack, findings: Findings) -> None:
    """Report the resources of packages without rules, so that no finding isn't mistaken for compliance."""
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
            f"Not evaluated: {types.total()} resources of the package {package}, for which this pack has no rules:"
            f" {', '.join([*listed, *more])}"
        )


RULE: Final = Rule(
    name="evaluation-report",
    title="Evaluation report",
    description="Reports used exemptions, checks that weren't evaluated, and resources of other packages.",
    why=(
        "Exemptions that nobody sees are never removed, and a check that was skipped silently looks like a check that passed."
        " This policy has no checks of its own. It reports what the other policies exempted or didn't evaluate."
    ),
    severity="low",
    level="advisory",
    controls=("SEC01-BP03",),
    standard=WELL_ARCHITECTED,
    remediation=(
        "For an exemption, fix the resource and remove the exemption before it expires. For a check that wasn't evaluated, see"
        " the result of the update, or run `pulumi policy analyze` on the deployed stack."
    ),
    checks={
        "report": "Lists used exemptions by resource, unevaluated checks by policy and reason, and resources of other packages."
    },
    whole_stack=_report,
)
