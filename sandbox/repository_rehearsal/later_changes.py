"""Permissions for later changes of what a rehearsal created, which it didn't make itself: from the names of the creations.

AWS names an update after the noun of the creation: `ecs:UpdateService` after `ecs:CreateService`. A name counts only if the service
authorization reference has the action, for the type of the created resource.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from sandbox.repository_rehearsal.decisions import Call
from sandbox.repository_rehearsal.least_privilege_role import Statement, pattern
from sandbox.testbed.iam_evaluation.evaluator import Reference
from sandbox.testbed.iam_evaluation.resource_arns import matches

__all__ = ["later_changes"]

_UPDATES = ("Update{}", "Modify{}", "Modify{}Attribute", "Modify{}Attributes", "Set{}Attributes")
_TAGGING = (
    (r"^CreateTags$", "DeleteTags"),
    (r"^AddTags$", "RemoveTags"),
    (r"^AddTagsTo(\w+)$", r"RemoveTagsFrom\1"),
    (r"^Tag(\w+)$", r"Untag\1"),
)


def later_changes(calls: Iterable[Call], reference: Callable[[str], Reference]) -> list[Statement]:
    """The statements that allow to update what ``calls`` created, and to remove tags that they added."""
    seen = list(calls)
    had = {(call.action, pattern(call.resource)) for call in seen}
    found: dict[tuple[str, str], set[str]] = {}
    for call in seen:
        for action, reason in _after(call.action):
            arn = pattern(call.resource)
            if (action, arn) not in had and _has(reference, action, call.resource):
                found.setdefault((action, reason), set()).add(arn)
    return [Statement((action,), tuple(sorted(arns)), (), reason) for (action, reason), arns in sorted(found.items())]


def _after(action: str) -> Iterator[tuple[str, str]]:
    service, _, name = action.partition(":")
    noun = re.sub("^(Create|Register)", "", name)
    if noun != name:
        for form in _UPDATES:
            yield f"{service}:{form.format(noun)}", f"not seen; it updates what {action} creates"
    for adds, removes in _TAGGING:
        if re.match(adds, name):
            yield f"{service}:{re.sub(adds, removes, name)}", f"not seen; it removes the tags that {action} adds"


def _has(reference: Callable[[str], Reference], action: str, resource: str) -> bool:
    try:
        described = reference(action)
    except ValueError:
        return False  # the reference has no such action
    return any(matches(type_.arn, resource) for type_ in described.types)
