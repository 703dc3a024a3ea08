"""Print the trust policy of a role in `assumableRoleArns`, `planAssumableRoleArns` or `repositoryRoles`.

For the first two, set the role in Terraform's provider block: `assume_role { role_arn = "..." external_id = "..." }`.
"""

import json
import sys
from collections.abc import Sequence

from components.settings.workers import ROLES
from preflight.deployment import Deployment
from preflight.errors import FailedError
from preflight.printed import parser, print_document

SETTINGS = ("assumableRoleArns", "planAssumableRoleArns", "repositoryRoles")


def document(role_arns: str | Sequence[str], external_id: str | None) -> str:
    """The trust policy as JSON. With an external ID, it requires callers to pass that ID."""
    statement: dict[str, object] = {
        "Sid": "AtlantisTask",
        "Effect": "Allow",
        "Principal": {"AWS": role_arns},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def callers(deployment: Deployment, setting: str) -> str | list[str]:
    """The roles that assume a role of `setting`.

    Terraform assumes those of the first two: with the task role or, in workers, with the role of applies, and with that of plans as
    well. The workers assume those of repositories: the ones of plans the plan role, the ones of applies the apply role.
    """
    names, isolates = deployment.names, deployment.settings.terraform.isolates
    if setting == "assumableRoleArns":
        return names.role_arn(names.terraform_role("apply")) if isolates else names.task_role_arn
    if not isolates:
        raise FailedError(f"{setting} applies only with terraformIsolation tasks", "set terraformIsolation first")
    if setting == "planAssumableRoleArns":
        return [names.role_arn(names.terraform_role(role)) for role in ROLES]
    return [names.role_arn(names.worker_role(role)) for role in ROLES]


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or a call to AWS fails."""
    options = parser("preflight.trust_policy", __doc__)
    options.add_argument("--setting", choices=SETTINGS, default=SETTINGS[0], help="the setting that has the role")
    options.add_argument("--external-id", help="an external ID, if the role's owner requires one")
    arguments = options.parse_args()
    if arguments.setting == "repositoryRoles" and arguments.external_id:
        options.error("--external-id: the workers pass none when they assume a role of repositoryRoles")
    return print_document(
        arguments, lambda deployment: document(callers(deployment, arguments.setting), arguments.external_id)
    )


if __name__ == "__main__":
    sys.exit(main())
