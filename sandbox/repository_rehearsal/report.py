"""The report of a rehearsal: a Markdown file, and the least-privilege roles as code."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sandbox.repository_rehearsal import least_privilege_role, local_differences, role_code, terraform_output
from sandbox.repository_rehearsal.decisions import Call, distinct
from sandbox.repository_rehearsal.project_roles import Roles
from sandbox.repository_rehearsal.rehearsed_repository import Run
from sandbox.repository_rehearsal.trial import Project, Step
from sandbox.testbed.files import write_private
from sandbox.testbed.iam_evaluation.passed_roles import dependent_actions

_PASS_INDIRECTLY = frozenset(
    {"autoscaling:CreateAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup", "ecs:RunTask"}
)
"""Actions that pass the roles of a launch template or a task definition, which the call only names."""
_AFTERWARDS = ("update", "destroy")


def lacking(steps: Iterable[Step]) -> list[Call]:
    """The calls of plans and applies that the deployed role's own policies don't allow."""
    calls = (call for step in steps if step.verb not in _AFTERWARDS for call in step.calls)
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
    yield "| step | time | result | decisions | denied with the least-privilege role |"
    yield "|---|---|---|---|---|"
    for step in steps:
        again = next((other for other in checked if other.verb == step.verb), None)
        denied = str(sum(call.refused for call in again.calls)) if again else "-"
        result = f"failed: {step.stopped_by}" if step.failed else step.result
        yield f"| {step.verb} | {step.seconds:.0f} s | {_cell(result)} | {len(step.calls)} | {denied} |"
    yield from ("", "### Resources", "", *_resources(steps))
    if any(step.verb == "apply" and step.failed for step in steps):
        yield ""
        yield (
            "The apply failed. What it had created was then changed and destroyed, so that nothing of it remains in the local AWS "
            "and the roles have these permissions too."
        )
    unsupported = sorted({action for step in steps for action in step.unsupported})
    if unsupported:
        yield from ("", "AWS would allow these calls; the local AWS doesn't support them:", "")
        yield from (f"- `{action}`" for action in unsupported)
    yield from ("", "### What the deployed role lacks", "")
    missing = lacking(steps)
    yield from (f"- {call.role}: `{call.action}` on `{call.resource}`: {_reason(call)}" for call in missing)
    if not missing:
        yield "Nothing."
    yield from ("", "### The least-privilege roles", "")
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
    yield from ("", "### What this rehearsal can't show", "", *_unknown(steps, roles))
    yield from ("", "### Calls", "", "| action | resource | deployed role | statement |", "|---|---|---|---|")
    used = distinct(call for step in steps for call in step.calls)
    for call in sorted(used, key=lambda item: (item.action, item.resource)):
        yield f"| {call.action} | {call.resource} | {call.result} | {', '.join(call.by)} |"


def _unknown(steps: Sequence[Step], roles: Roles) -> Iterator[str]:
    """Where AWS can decide differently: resources, permissions that no call shows, statements without a listed resource."""
    created = (address for step in steps if step.verb == "apply" for address in terraform_output.done(step.text))
    types = Counter(terraform_output.type_of(address) for address in created)
    for type_, count in sorted((type_, count) for type_, count in types.items() if type_.startswith("aws_")):
        yield f"- `{type_}` ({count}): accepted by the local AWS, not checked against AWS' limits and combinations of values"
    for step in steps:
        for address, names in local_differences.labelled(step.text).items() if step.verb == "plan again" else ():
            yield f"- `{address}`: the second plan changes {', '.join(names)}, which the local AWS doesn't return as it was given"
    made = {call.action for step in steps for call in step.calls}
    for action in sorted(made):
        direct = frozenset() if action in _PASS_INDIRECTLY else {"iam:PassRole"}
        for dependent in sorted(dependent_actions().get(action, frozenset()) - made - direct):
            yield f"- `{dependent}`: AWS can require it in addition to `{action}`; no call showed it, and the roles lack it"
    for statement in (*roles.plan_statements, *roles.apply_statements):
        if least_privilege_role.UNVERIFIED in statement.reason:
            yield f"- `{', '.join(statement.actions)}` on `{', '.join(statement.resources)}`: {statement.reason}"


def _resources(steps: Sequence[Step]) -> Iterator[str]:
    """Each resource with what the plan and the apply did with it. A failed step shows how far it got."""
    plan, apply = (next((step for step in steps if step.verb == verb), None) for verb in ("plan", "apply"))
    if plan is None:
        return
    planned = terraform_output.planned(plan.text)
    applied = terraform_output.done(apply.text) if apply else {}
    if plan.failed:
        read = terraform_output.was_read(plan.text)
        yield f"The plan failed after it had read {len(read)} data sources and planned {len(planned)} resources."
        yield from (f"- read: `{address}`" for address in read)
    elif not planned:
        yield "The plan changes no resource."
    if planned:
        yield from ("", "| resource | plan | apply |", "|---|---|---|")
    for address, action in planned.items():
        yield f"| `{_cell(address)}` | {action} | {applied.get(address, 'not done' if apply else '-')} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _reason(call: Call) -> str:
    reason = f"denied by {', '.join(call.by)}" if call.by else "no statement allows it"
    keys = f" (the policies ask for {', '.join(call.unsupplied)}, which this call doesn't have in the sandbox)"
    return reason + (keys if call.unsupplied else "")
