"""Print the trust policy that a role in `assumableRoleArns` needs, so that Terraform can assume it from the Atlantis task.

Set the role in Terraform's provider block: `assume_role { role_arn = "..." external_id = "..." }`.
"""

import json
import sys
from collections.abc import Sequence

from preflight.deployment import Deployment
from preflight.printed import parser, print_document

__all__ = ["document"]


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


def callers(deployment: Deployment) -> str | list[str]:
    """The roles that Terraform runs with: the task role or, in containers of its own, those of plans and applies."""
    names = deployment.names
    if deployment.settings.terraform.isolates:
        return [names.plan_role_arn, names.apply_role_arn]
    return names.task_role_arn


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or a call to AWS fails."""
    options = parser("preflight.trust_policy", __doc__)
    options.add_argument("--external-id", help="an external ID, if the role's owner requires one")
    arguments = options.parse_args()
    return print_document(arguments, lambda deployment: document(callers(deployment), arguments.external_id))


if __name__ == "__main__":
    sys.exit(main())
