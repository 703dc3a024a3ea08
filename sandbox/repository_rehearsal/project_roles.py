"""The least-privilege roles of one rehearsed project: one for its plans, and one for its applies and what may follow them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.atlantis.terraform_roles import TerraformRoles
from sandbox.repository_rehearsal import generated_names, least_privilege_role
from sandbox.repository_rehearsal.decisions import Call
from sandbox.repository_rehearsal.least_privilege_role import Statement, pattern
from sandbox.repository_rehearsal.trial import Project, Step
from sandbox.testbed.iam_evaluation.evaluator import Document, Evaluator, Reference
from sandbox.testbed.iam_evaluation.resource_arns import matches

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


@dataclass(frozen=True)
class Roles:
    """The least-privilege policies of one project, by name, and their statements."""

    plan: Mapping[str, Document]
    plan_statements: Sequence[Statement]
    apply: Mapping[str, Document]
    apply_statements: Sequence[Statement]


def roles_of(
    project: Project,
    steps: Sequence[Step],
    roles: TerraformRoles,
    evaluator: Evaluator,
    state: Mapping[str, Any],
) -> Roles:
    """The least-privilege roles of a project. With separate roles for plans and applies, each has only its own calls.

    ``state`` is Terraform's after the apply, in which the plan's unknown values are known.
    """
    own = [step for step in steps if step.project == project]
    generated = generated_names.values("\n".join(step.text for step in own if step.verb == "plan"), state)

    def calls(kind: str, *verbs: str) -> list[Call]:
        seen = (call for step in own if step.verb in verbs for call in step.calls)
        return generated_names.without((call for call in seen if call.role == roles.names[kind]), generated)

    reference = evaluator.reference
    planning = ("plan", "plan again", *(("apply",) if roles.plan != roles.apply else ()))
    plan = least_privilege_role.statements(calls("plan", *planning), reference)
    made = calls("apply", "plan", "apply", "plan again")
    apply = least_privilege_role.statements(made, reference)
    for verb, purpose in (("update", "to change tags later"), ("destroy", "to destroy what was applied")):
        apply += least_privilege_role.statements(calls("apply", verb), reference, purpose=purpose, beyond=apply)
    apply += later_changes(made, reference) if any(step.verb == "apply" for step in steps) else []
    name = re.sub(r"[^A-Za-z0-9]+", "-", project.name or project.directory).strip("-") or "root"
    return Roles(
        least_privilege_role.documents(plan, f"{name}-plan"),
        plan,
        least_privilege_role.documents(apply, f"{name}-apply"),
        apply,
    )
