"""The report of an adoption: one table, the settings to change, and the next step."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adoption.changes import Adopted
from adoption.plan import Plan
from adoption.state import StateResource
from adoption.task_inventory import KEPT, LOST, REPLACED

LONGEST_NAME = 44


def describe(plan: Plan) -> str:
    """The report as text."""
    parts = [_head(plan), *_table(plan), *_running(plan), _settings(plan), _notes(plan), _problems(plan)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(plan: Plan) -> str:
    count = len(plan.anatomy.state.resources)
    return (
        f"{count} managed resources of {plan.anatomy.cluster_name} in {plan.anatomy.region}, account {plan.anatomy.account}. The state is "
        "as of Terraform's last refresh: run `terraform apply -refresh-only` first, in case a resource was deleted since."
    )


def _table(plan: Plan) -> Iterator[str]:
    ordered = sorted(plan.adopted, key=lambda adopted: adopted.pair.wanted.name)
    unchanged = [adopted for adopted in ordered if not adopted.changes]
    changed = [adopted for adopted in ordered if adopted.changes]
    yield _block("Adopted unchanged", (_adopted_row(adopted) for adopted in unchanged), len(unchanged))
    yield _block("Adopted and changed in place", (_changed_rows(adopted) for adopted in changed), len(changed))
    renamed = [
        f"{_name(name)}  {actual.address}: the name {actual.get('name')} can't be changed, so the program creates "
        f"{plan.pairing.wanted[name].inputs.get('name')}. Delete the old one after the first `up`{_deletion(actual)}"
        for name, actual in sorted(plan.pairing.renamed.items())
    ]
    yield _block("Can't be adopted, created under another name", renamed, len(renamed))
    left = [f"{actual.address}\n      {advice}" for actual, advice in plan.left]
    yield _block("Only in Terraform", left, len(left))
    kinds: dict[str, list[str]] = {}
    for wanted in plan.pairing.new:
        if wanted.name not in plan.pairing.renamed:
            kinds.setdefault(wanted.type.rpartition(":")[2], []).append(wanted.name)
    new = [f"{kind}: {', '.join(sorted(names))}" for kind, names in sorted(kinds.items())]
    yield _block("New", new, sum(map(len, kinds.values())))


def _deletion(actual: StateResource) -> str:
    """The command that deletes a role, which AWS refuses while the role has policies."""
    if actual.type != "aws_iam_role":
        return ""
    return f", when its policies are detached: `aws iam delete-role --role-name {actual.get('name')}`"


def _block(title: str, rows: Iterable[str], count: int) -> str:
    return "\n".join([f"{_strong(title)} ({count})", *(f"  {row}" for row in rows)]) if count else ""


def _adopted_row(adopted: Adopted) -> str:
    pair = adopted.pair
    kept = f"  keeps {', '.join(sorted(adopted.kept))}" if adopted.kept else ""
    return f"{_name(pair.wanted.name)}  {pair.actual.address} = {pair.import_id}{kept}"


def _changed_rows(adopted: Adopted) -> str:
    """One line for each property, and one for all tags."""
    tags = [change for change in adopted.changes if change.property.startswith("tags.")]
    rows = [
        f"      {change.property}: {change.old} -> {change.new} ({change.why})"
        for change in adopted.changes
        if change not in tags
    ]
    shown = ", ".join(f"{change.property.removeprefix('tags.')} {change.old} -> {change.new}" for change in tags)
    return "\n".join([_adopted_row(adopted), *rows, *([f"      tags: {shown}"] if tags else [])])


def _running(plan: Plan) -> Iterator[str]:
    """The running task definition and the rights of its role: what is kept in one line, the rest with the reason."""
    role = plan.anatomy.task.get("task_role_arn")
    new = plan.pairing.wanted["permissions-task-role"].inputs.get("name")
    for title, items in (
        (f"The running task definition {plan.anatomy.task.address}", plan.task),
        (f"The rights of {role}, next to those of {new}", plan.rights),
    ):
        by_result = {result: [item for item in items if item.result == result] for result in (KEPT, REPLACED, LOST)}
        rows = [f"kept: {', '.join(item.name for item in by_result[KEPT])}"] if by_result[KEPT] else []
        rows += [f"{result}: {item.name} ({item.why})" for result in (REPLACED, LOST) for item in by_result[result]]
        yield _block(title, rows, len(items))


def _settings(plan: Plan) -> str:
    if not plan.proposals:
        return "The stack file's settings match the running stack."
    rows = [
        f"  atlantis:{item.key}: {_value(plan.given.get(item.key))} -> {_value(item.value)}\n      {item.why}"
        for item in plan.proposals
    ]
    return "\n".join([f"{_strong(f'Settings to change in Pulumi.{plan.stack}.yaml')} ({len(rows)})", *rows])


def _notes(plan: Plan) -> str:
    return "\n".join([_strong("Notes"), *(f"  - {note}" for note in plan.notes)]) if plan.notes else ""


def _problems(plan: Plan) -> str:
    if not plan.problems:
        return ""
    title = f"{len(plan.problems)} problem{'s' if len(plan.problems) > 1 else ''}; nothing was written"
    return "\n".join([_strong(title), *(f"  - {problem}" for problem in plan.problems)])


def _name(name: str) -> str:
    return f"{name:<{LONGEST_NAME}}"


def _value(value: Any) -> str:
    if value in (None, "", [], ()):
        return "none" if not isinstance(value, Sequence) or isinstance(value, str) else "[]"
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list | tuple) else str(value)


def _strong(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
