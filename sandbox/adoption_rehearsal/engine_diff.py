"""Compares the table of an adoption with what the engine would do: the same resources, properties and values."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adoption.changes import NOT_IN_STATE, Change
from adoption.leaves import text
from adoption.plan import Plan
from adoption.program import REFERENCE

ADOPTING = frozenset({"import", "update", "same"})
"""Operations on an adopted resource: it is imported, and updated if the program's values differ."""
SHOWN_AS = (re.compile(r'\["([^"]+)"\]'), re.compile(r"\[0\]"))
"""Parts of the engine's paths: a key of a map that isn't an identifier, and the only block of a list."""


def differences(steps: Iterable[Mapping[str, Any]], plan: Plan) -> Iterator[str]:
    """A sentence for each difference between the engine's steps (`pulumi preview --json`) and the table of `plan`."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        if re.search(r"[$:]aws:[^:]*:[^:]*::[^:]*$", step["urn"]):
            by_name.setdefault(step["urn"].rpartition("::")[2], []).append(step)
    created = {name for name, found in by_name.items() if any(step["op"] == "create" for step in found)}
    new = {wanted.name for wanted in plan.pairing.new}
    yield from (
        f"{name}: the engine creates it, and the table doesn't list it as new" for name in sorted(created - new)
    )
    yield from (
        f"{name}: the table lists it as new, and the engine doesn't create it" for name in sorted(new - created)
    )
    for adopted in plan.adopted:
        name = adopted.pair.wanted.name
        found = by_name.get(name, [])
        if wrong := {step["op"] for step in found} - ADOPTING:
            yield f"{name}: the engine would {', '.join(sorted(wrong))} it"
        update: Mapping[str, Any] = next((step for step in found if step["op"] == "update"), {})
        yield from (f"{name}: {finding}" for finding in compared(update, adopted.changes))


def compared(update: Mapping[str, Any], changes: Sequence[Change]) -> Iterator[str]:
    """The differences between the update of one resource and its rows. A row is a value in the property that differs."""
    engine = {_path(path): path for path in update.get("detailedDiff") or {} if path != "tagsAll"}
    certain = [change for change in changes if change.old != NOT_IN_STATE]
    for path in engine:
        if not any(_within(change.property, path) for change in changes):
            yield f"the engine changes {path}, which the table doesn't list"
    for change in certain:
        if not any(_within(change.property, path) for path in engine):
            yield f"the table lists {change.property}, which the engine doesn't change"
        elif change.property in engine:
            yield from _values(update, engine[change.property], change)


def _within(row: str, path: str) -> bool:
    """Whether a row is about the engine's path. The engine shows an added block as a whole, the table by its values."""
    if row.startswith("tags.") and "." in path:
        return row == path
    return re.split(r"[.\[]", row)[0] == re.split(r"[.\[]", path)[0]


def _values(update: Mapping[str, Any], path: str, change: Change) -> Iterator[str]:
    path = re.sub(r"\[\d+\]$", "", path)  # the table shows a list of texts as a whole
    for side, shown in (("oldState", change.old), ("newState", change.new)):
        value = _at(update[side]["inputs"], path)
        # Terraform accepts the family and the revision for the ARN of a task definition.
        same = shown in ("(sensitive)", text(value, change.property), str(value).rpartition("/")[2])
        if not same and not REFERENCE.search(shown):
            yield f"the table shows {shown} as the {side[:3]} value of {change.property}, and the engine {text(value)}"


def _path(path: str) -> str:
    """The engine's path as the table spells it."""
    return SHOWN_AS[1].sub("", SHOWN_AS[0].sub(r".\1", path))


def _at(inputs: Any, path: str) -> Any:
    for part in re.findall(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)', path):
        key = part[0] or part[2]
        if key:
            inputs = inputs.get(key) if isinstance(inputs, Mapping) else None
        else:
            inputs = inputs[int(part[1])] if isinstance(inputs, list) and int(part[1]) < len(inputs) else None
    return inputs
