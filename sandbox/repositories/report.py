"""The report of a rehearsal: a Markdown file, and the least roles as code."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.files import write_private
from sandbox.repositories import role_code
from sandbox.repositories.decisions import Call, distinct
from sandbox.repositories.rehearsed_repository import Run
from sandbox.repositories.trial import Project

__all__ = ["lacking", "write"]


def lacking(calls: Iterable[Call]) -> list[Call]:
    """The calls that the task role's own policies don't allow."""
    return [call for call in distinct(calls) if call.result not in ("Allowed", "Undecided")]


def write(run: Run, source: Path, directory: Path) -> Path:
    """Write the report and the roles below ``directory``, and return the report's path."""
    lines = [f"# Rehearsal of {source.name}", ""]
    problems = run.problems()
    lines += [f"- {problem}" for problem in problems] or ["It plans and applies as it is."]
    if run.modules:
        lines += [
            "",
            "Modules from this machine's cache of `terraform init`:",
            "",
            *(f"- {item}" for item in run.modules),
        ]
    for project in run.projects:
        lines += ["", *_project(run, project, directory)]
    report = directory / "report.md"
    write_private(report, "\n".join(lines) + "\n", mode=0o644)
    return report


def _project(run: Run, project: Project, directory: Path) -> Iterator[str]:
    steps = [step for step in run.steps if step.project == project]
    checked = [step for step in run.checked if step.project == project]
    yield f"## {project.name or project.directory} (workspace {project.workspace})"
    yield ""
    yield "| step | time | result | decisions | denied with the least role |"
    yield "|---|---|---|---|---|"
    for step in steps:
        again = next((other for other in checked if other.verb == step.verb), None)
        denied = str(sum(call.refused for call in again.calls)) if again and step.verb != "destroy" else "-"
        yield f"| {step.verb} | {step.seconds:.0f} s | {step.result} | {len(step.calls)} | {denied} |"
    unsupported = sorted({action for step in steps for action in step.unsupported})
    if unsupported:
        yield from ("", "AWS would allow these calls; the local AWS doesn't support them:", "")
        yield from (f"- `{action}`" for action in unsupported)
    used = [call for step in steps if step.verb != "destroy" for call in step.calls]
    yield from ("", "### What the task role lacks", "")
    missing = lacking(used)
    yield from (f"- `{call.action}` on `{call.resource}`: {_reason(call)}" for call in missing)
    if not missing:
        yield "Nothing."
    yield from ("", "### The least roles", "")
    roles = run.roles[project]
    for verb, policies, reasons in (
        ("plan", roles.plan, roles.plan_statements),
        ("apply", roles.apply, roles.apply_statements),
    ):
        if not policies:
            yield f"- The {verb} makes no call that needs a permission."
            continue
        name = next(iter(policies)).removesuffix("-1")
        for file in role_code.write(directory, name, policies, reasons):
            yield f"- [{file.name}]({file.name})"
    yield from ("", "### Calls", "", "| action | resource | task role | statement |", "|---|---|---|---|")
    for call in sorted(distinct(used), key=lambda item: (item.action, item.resource)):
        yield f"| {call.action} | {call.resource} | {call.result} | {', '.join(call.by)} |"


def _reason(call: Call) -> str:
    reason = f"denied by {', '.join(call.by)}" if call.by else "no statement allows it"
    keys = f" (the policies ask for {', '.join(call.unsupplied)}, which the sandbox doesn't supply)"
    return reason + (keys if call.unsupplied else "")
