"""evaluation-report: used exemptions, checks that weren't evaluated, and resources without rules."""

from collections import Counter
from typing import Final

from evaluation.configuration import Option
from evaluation.evaluation_log import EVALUATION_LOG, UsedExemption
from evaluation.exemptions import Exemption, names_of
from evaluation.native import native_type
from evaluation.resources import Stack
from evaluation.rule import Findings, Rule
from evaluation.values import shortened, wildcard
from tables import read
from tables.standards import WELL_ARCHITECTED

_PACKAGES: Final = read("packages")
# Resources of the aws package whose document contains other resources, which the pack doesn't read.
_DOCUMENTS: Final = frozenset({"aws:cloudformation/stack:Stack", "aws:cloudcontrol/resource:Resource"})
_LISTED: Final = 12
_Unused = dict[str, list[tuple[Exemption, int]]]


def _report(stack: Stack, findings: Findings) -> None:
    unused = _of_stack(stack, EVALUATION_LOG.unused())
    exempted, undecided = EVALUATION_LOG.drain()
    if findings.settings.flag("verbose"):
        for used in exempted:
            until = f" until {used.expires}" if used.expires else ""
            until += " whatever it finds" if used.expires and not used.finding else ""
            findings.note(f"{used.name} is exempt from {used.policy} ({used.check}){until}: {used.reason}", used.urn)
    elif exempted:
        findings.note(_exemptions(exempted))
    if unused and not undecided:  # in a preview, the values that are unknown may need the exemption
        findings.note(_unused(unused))
    if undecided:
        lines = [f"{policy}: {', '.join(sorted(places))}: {why}" for (policy, why), places in sorted(undecided.items())]
        findings.note(
            "Not evaluated, for these reasons. The update evaluates the checks when their values are known, and `pulumi policy"
            " analyze` evaluates the deployed stack.\n" + "\n".join(lines)
        )
    _foreign(stack, findings)


def _exemptions(exempted: list[UsedExemption]) -> str:
    """One line for each policy, so that a baseline of thousands of exemptions doesn't hide the findings."""
    by_policy: dict[str, list[UsedExemption]] = {}
    for used in exempted:
        by_policy.setdefault(used.policy, []).append(used)
    lines = [
        f"{_count(len(exempted), 'finding')} exempt. To list each with its reason, set verbose of this policy to true."
    ]
    for policy, listed in sorted(by_policy.items()):
        ends = sorted(used.expires for used in listed if used.expires)
        until = f", the first until {ends[0]}" if ends else ""
        resources = _count(len({used.urn for used in listed}), "resource")
        whole = sum(1 for used in listed if used.expires and not used.finding)
        until += f"; {whole} by exemptions of a check, which also cover what it finds later" if whole else ""
        lines.append(f"{policy}: {_count(len(listed), 'finding')} of {resources}{until}")
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _of_stack(stack: Stack, unused: _Unused) -> _Unused:
    """The unused exemptions that are about this stack: a configuration may be shared by several stacks."""
    if not unused:
        return {}
    names = {name for resource in stack for name in names_of(resource.urn, resource.name)}
    stacks = tuple({"::".join(resource.urn.split("::")[:2]) + "::" for resource in stack})

    def about(exemption: Exemption) -> bool:
        pattern = exemption.resource
        if "*" in pattern or "?" in pattern:
            return any(wildcard(name, pattern) for name in names)
        return pattern in names or pattern.startswith(stacks)

    own = {policy: [each for each in listed if about(each[0])] for policy, listed in unused.items()}
    return {policy: listed for policy, listed in own.items() if listed}


def _unused(unused: _Unused) -> str:
    lines = [
        "Exemptions that suppressed no finding in this run, or not each of theirs. If they are fixed, remove them."
    ]
    for policy, exemptions in sorted(unused.items()):
        names = [
            each.resource.rpartition("::")[2] + (f" ({used} of {len(each.findings)} findings)" if used else "")
            for each, used in exemptions
        ]
        lines.append(f"{policy}: {', '.join(shortened(names, _LISTED))}")
    return "\n".join(lines)


def _foreign(stack: Stack, findings: Findings) -> None:
    """Report the resources of packages without rules, so that no finding isn't mistaken for compliance."""
    found: dict[str, Counter[str]] = {}
    for resource in stack:
        token = resource.source.resource_type
        package = token.partition(":")[0]
        managed = getattr(resource.source, "provider", None) is not None or package in _PACKAGES["clouds"]
        if token in _DOCUMENTS or (managed and package not in _PACKAGES["local"] and not native_type(token)):
            package += " (documents that contain resources)" if token in _DOCUMENTS else ""
            found.setdefault(package, Counter())[token.partition(":")[2]] += 1
    for package, types in sorted(found.items()):
        names = [f"{name} ({number})" for name, number in sorted(types.items(), key=lambda each: (-each[1], each[0]))]
        findings.note(
            f"Not evaluated: {types.total()} resources of the package {package}, for which this pack has no rules:"
            f" {', '.join(shortened(names, _LISTED, ' types'))}"
        )


RULE: Final = Rule(
    name="evaluation-report",
    title="Evaluation report",
    description="Reports used exemptions, checks that weren't evaluated, and resources of other packages.",
    why=(
        "Exemptions that nobody sees are never removed, and a check that was skipped silently looks like a check that passed."
        " This policy checks nothing itself. It reports what the other policies exempted or didn't evaluate."
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
        "report": (
            "Counts used exemptions by policy, and lists unused ones, unevaluated checks with their reason, and resources of"
            " other packages."
        )
    },
    whole_stack=_report,
    settings=(
        Option(
            "verbose",
            "flag",
            default=False,
            description="List each used exemption with its reason, instead of one line for each policy.",
        ),
    ),
)
