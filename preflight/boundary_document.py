"""Print a permissions boundary as a starting point for `permissionsBoundaryArn`, with the names and IDs of one stack.

It allows every action except those that could take over Atlantis. Restrict its first statement to the permissions that
your applications need. After the first deployment, print it again: it then contains the IDs of the stack's security
groups and subnets.
"""

import json
import sys

from components.permissions.deny_statements import OwnStack
from components.permissions.permissions_boundary import statements_for_any_role
from components.settings.schema import known
from preflight.boundary import setting_of
from preflight.deployment import Deployment
from preflight.printed import parser, print_document


def document(deployment: Deployment, boundary_arn: str) -> str:
    """The boundary's policy document as JSON. `boundary_arn` is the ARN that the boundary will have."""
    setting = setting_of(deployment)
    own = OwnStack(
        names=deployment.names,
        secret_arns=list(setting.secret_arns.values()),
        deployer_arns=deployment.settings.server.secret_reader_arns,
        permissions_boundary_arn=boundary_arn,
        security_group_ids=list(setting.security_group_ids.values()),
        subnet_ids=[*deployment.settings.network.public_subnet_ids, *deployment.settings.network.private_subnet_ids],
    )
    return json.dumps({"Version": "2012-10-17", "Statement": statements_for_any_role(own)}, indent=2)


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or a call to AWS fails."""
    options = parser("preflight.boundary_document", __doc__)
    options.add_argument("--name", default="terraform-boundary", help="the policy's name (default: terraform-boundary)")
    arguments = options.parse_args()

    def named(deployment: Deployment) -> str:
        given = deployment.settings.terraform.permissions_boundary_arn
        return document(deployment, known(given) or deployment.names.policy_arn(arguments.name))

    return print_document(arguments, named)


if __name__ == "__main__":
    sys.exit(main())
