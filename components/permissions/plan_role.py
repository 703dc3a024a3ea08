"""The permissions with workers: of the server, of the workers, and of a plan, which may do what an apply may, as far as it reads."""

from collections.abc import Sequence

from ..names import PhysicalNames
from ..policy_documents import Statement, allow

_SECRET_VALUE = "secretsmanager:GetSecretValue"  # noqa: S105 the name of an action
_READS = ("BatchCheck", "BatchGet", "Describe", "Get", "List")


def reading(statements: Sequence[Statement]) -> list[Statement]:
    """The part of Allow statements that reads, by the actions' verbs; a statement without such an action is left out.

    Values of secrets are left out too, because everyone who can open a pull request would read them (`secret_values`).
    """
    found = []
    for statement in statements:
        actions = [
            action
            for action in statement["Action"]
            if action.partition(":")[2].startswith(_READS) and action != _SECRET_VALUE
        ]
        if statement["Effect"] == "Allow" and actions:
            found.append({**statement, "Sid": f"Read{statement['Sid'].removeprefix('Manage')}", "Action": actions})
    return found


def secret_values(names: PhysicalNames, prefixes: Sequence[str]) -> list[Statement]:
    """The values that plans read, of secrets with these prefixes."""
    arns = [names.arn("secretsmanager", f"secret:{prefix}*") for prefix in prefixes]
    return [allow("ReadSecretValues", [_SECRET_VALUE], arns)] if arns else []


def terraform_roles(names: PhysicalNames, role: str, repositories: Sequence[tuple[str, str, str]]) -> list[str]:
    """The roles of plans or of applies: the stack's, and those of repositories."""
    own = names.role_arn(names.terraform_role(role))
    others = ({"plan": plan, "apply": apply}[role] for _, plan, apply in repositories)
    return list(dict.fromkeys([own, *others]))


def sessions(role_arns: Sequence[str]) -> list[Statement]:
    """What the agent of a worker does: it hands out sessions of these roles, which have the repository as a tag.

    The trust policy of a repository's role must allow it as well.
    """
    return [
        allow("AssumeTerraformRoles", ["sts:AssumeRole"], role_arns),
        allow("TagTerraformSessions", ["sts:TagSession"], role_arns),
    ]


def server(names: PhysicalNames, *, detects_drift: bool) -> list[Statement]:
    """What the agent of the server's task does: it finds the workers and, with drift detection, reads its log."""
    # ListTasks of a service has no resource, but this key:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    of_cluster = {"ArnEquals": {"ecs:cluster": names.cluster_arn}}
    found = [
        allow("ListWorkers", ["ecs:ListTasks"], ["*"], of_cluster),
        allow("DescribeWorkers", ["ecs:DescribeTasks"], [names.arn("ecs", f"task/{names.cluster}/*")]),
    ]
    drift_role = names.role_arn(names.drift_role)
    return found + ([allow("AssumeDriftRole", ["sts:AssumeRole"], [drift_role])] if detects_drift else [])


def own_log(names: PhysicalNames) -> list[Statement]:
    """What the agent reads of its own log: earlier results, whose ages survive a new task, and the requests of `make drift`.

    A separate role, because the task role is denied all logs. A parameter of Systems Manager would need permissions too and,
    without a NAT gateway, another endpoint.
    """
    group = names.arn("logs", f"log-group:{names.agent_log_group}")
    return [allow("ReadOwnLog", ["logs:FilterLogEvents"], [group, f"{group}:*"])]
