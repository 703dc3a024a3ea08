"""The permissions of a plan, if Terraform runs in containers of its own: what an apply may do, as far as it reads."""

from collections.abc import Sequence

import pulumi

from ..names import PhysicalNames
from ..outputs import with_part
from ..policy_documents import Statement, allow
from . import task_role
from .task_role import Scope

__all__ = ["plan_state", "reading", "session_roles"]


def plan_state(
    scope: Scope,
    buckets: Sequence[pulumi.Input[str]],
    key_arns: Sequence[pulumi.Input[str]],
    lock_tables: Sequence[pulumi.Input[str]],
) -> dict[str, list[Statement]]:
    """What a plan needs of Terraform's state, by subject: it reads the state and takes the lock, and can't write the state.

    The names of all buckets twice and of all tables would exceed the size of one policy.
    """
    found: dict[str, list[Statement]] = {"state": [], "locks": []}
    for statement in task_role.state(scope, buckets, key_arns, lock_tables):
        if statement["Sid"] == "ReadAndWriteState":
            objects = statement["Resource"]
            found["state"].append(allow("ReadState", ["s3:GetObject"], objects))
            # Terraform writes the lock beside the state: https://developer.hashicorp.com/terraform/language/backend/s3
            lock_files = [with_part("{}.tflock".format, arn) for arn in objects]
            found["locks"].append(allow("LockStateFiles", ["s3:DeleteObject", "s3:PutObject"], lock_files))
        else:
            found["locks" if statement["Sid"] == "LockState" else "state"].append(statement)
    return {subject: statements for subject, statements in found.items() if statements}


_READS = ("BatchCheck", "BatchGet", "Describe", "Get", "List")


def reading(statements: Sequence[Statement]) -> list[Statement]:
    """The part of Allow statements that reads, by the actions' verbs; a statement without such an action is left out."""
    found = []
    for statement in statements:
        actions = [action for action in statement["Action"] if action.partition(":")[2].startswith(_READS)]
        if statement["Effect"] == "Allow" and actions:
            found.append({**statement, "Sid": f"Read{statement['Sid'].removeprefix('Manage')}", "Action": actions})
    return found


def session_roles(names: PhysicalNames, others: Sequence[tuple[str, str, str]]) -> list[Statement]:
    """The roles of plans and applies, whose sessions the agent container hands out; `others` are those of repositories."""
    arns = [names.plan_role_arn, names.apply_role_arn, *(arn for _, *pair in others for arn in pair)]
    return [allow("AssumeTerraformRoles", ["sts:AssumeRole"], list(dict.fromkeys(arns)))]
