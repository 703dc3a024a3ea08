"""Prints the findings of an exported stack so that they fit a screen: policies with counts, and the worst findings."""

from collections import Counter
from collections.abc import Iterable, Iterator

from analysis import Found

SHOWN = 20
"""The number of findings that are printed; a stack with no more than these is printed in full."""
_WIDTH = 160
_LEVELS = ("mandatory", "advisory")
_SEVERITIES = ("critical", "high", "medium", "low", "")


def summary(found: Iterable[Found]) -> str:
    """The text of the report, one line a row, with a line feed at its end."""
    findings = sorted(found, key=_rank)
    if not findings:
        return "No findings.\n"
    return "\n".join([*_policies(findings), "", *_worst(findings)]) + "\n"


def _rank(finding: Found) -> tuple[int, int, str, str]:
    return (_LEVELS.index(finding.level), _SEVERITIES.index(finding.severity), finding.policy, finding.urn)


def _policies(findings: list[Found]) -> Iterator[str]:
    counts = Counter((each.level, each.severity, each.policy) for each in findings)
    resources = {key: set[str]() for key in counts}
    for each in findings:
        resources[each.level, each.severity, each.policy].add(each.urn)
    width = max(len(policy) for _, _, policy in counts)
    yield f"{'policy':{width}}  {'level':9}  {'severity':8}  findings  resources"
    for key in dict.fromkeys((each.level, each.severity, each.policy) for each in findings):
        level, severity, policy = key
        yield f"{policy:{width}}  {level:9}  {severity:8}  {counts[key]:8}  {len(resources[key]):9}"


def _worst(findings: list[Found]) -> Iterator[str]:
    if len(findings) <= SHOWN:
        for each in findings:
            kind, name = _subject(each.urn)
            yield f"- [{each.level}] [severity: {each.severity}]  {each.policy}  ({kind}: {name})"
            yield from (f"    {line}" for line in each.message.splitlines())
        return
    yield f"The worst {SHOWN} of {len(findings)} findings:"
    for each in findings[:SHOWN]:
        line = f"  {each.policy}  {each.message.splitlines()[0] if each.message else each.urn}"
        yield line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
    yield "All of them, with their resources and fixes: --all (make: ALL=1), --sarif FILE (SARIF=FILE), or --json (one a line)."


def _subject(urn: str) -> tuple[str, str]:
    """Type and name of the resource in a URN."""
    kind, _, name = urn.removeprefix("urn:pulumi:").partition("::")[2].partition("::")[2].partition("::")
    return kind.rpartition("$")[2], name
