"""The least-privilege roles of one rehearsed project: one for its plans, and one for its applies and what may follow them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.repository_rehearsal import generated_names, least_privilege_role
from sandbox.repository_rehearsal.decisions import Call
from sandbox.repository_rehearsal.later_changes import later_changes
from sandbox.repository_rehearsal.least_privilege_role import Statement
from sandbox.repository_rehearsal.terraform_roles import TerraformRoles
from sandbox.repository_rehearsal.trial import Project, Step
from sandbox.testbed.iam_evaluation.evaluator import Document, Evaluator

__all__ = ["Roles", "roles_of"]


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
    planning = ("plan", "plan again", *(("apply",) if roles.are_separate else ()))
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
