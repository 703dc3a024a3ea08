"""The permissions of a plan, if Terraform runs in separate containers: what an apply may do, as far as it reads."""

from collections.abc import Sequence

from ..names import PhysicalNames
from ..policy_documents import Statement, allow

__all__ = ["own_log", "reading", "session_roles"]


_READS = ("BatchCheck", "BatchGet", "Describe", "Get", "List")


def reading(statements: Sequence[Statement]) -> list[Statement]:
    """The part of Allow statements that reads, by the actions' verbs; a statement without such an action is left out."""
    found = []
    for statement in statements:
        actions = [action for action in statement["Action"] if action.partition(":")[2].startswith(_READS)]
        if statement["Effect"] == "Allow" and actions:
            found.append({**statement, "Sid": f"Read{statement['Sid'].removeprefix('Manage')}", "Action": actions})
    return found


def session_roles(
    names: PhysicalNames, others: Sequence[tuple[str, str, str]], *, detects_drift: bool
) -> list[Statement]:
    """The roles of plans and applies, whose sessions the agent container hands out; `others` are those of repositories.

    Their sessions have the repository as a tag. The trust policy of a repository's own role must allow it as well.
    """
    of_terraform = list(
        dict.fromkeys([names.plan_role_arn, names.apply_role_arn, *(arn for _, *pair in others for arn in pair)])
    )
    assumed = [*of_terraform, *([names.drift_role_arn] if detects_drift else [])]
    return [
        allow("AssumeTerraformRoles", ["sts:AssumeRole"], assumed),
        allow("TagTerraformSessions", ["sts:TagSession"], of_terraform),
    ]


def own_log(names: PhysicalNames) -> list[Statement]:
    """What the agent reads of its own log: earlier results, and the requests of `make drift`."""
    return [
        allow("ReadOwnLog", ["logs:FilterLogEvents"], [names.agent_log_group_arn, f"{names.agent_log_group_arn}:*"])
    ]
