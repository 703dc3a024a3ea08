"""Print a permissions boundary for `permissionsBoundaryArn` to start from, with the names and ids of one stack.

It allows everything but what would take over Atlantis: narrow its first statement to what your applications need. Once the stack is
deployed, print it again: it then names the stack's security groups and subnets.
"""

import json
import sys

from components.permissions_boundary import statements_for_any_role
from components.refusals import OwnStack
from preflight.boundary import setting_of
from preflight.deployment import Deployment
from preflight.printed import parser, print_document

__all__ = ["document"]


def document(deployment: Deployment, boundary_arn: str) -> str:
    """The document, JSON, of a boundary that will be called `boundary_arn`."""
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
    """The command. Returns 0, or 2 where the stack's file or AWS can't be read."""
    options = parser("preflight.boundary_document", __doc__)
    options.add_argument("--name", default="terraform-boundary", help="the policy's name (default: terraform-boundary)")
    arguments = options.parse_args()

    def named(deployment: Deployment) -> str:
        given = deployment.settings.terraform.permissions_boundary_arn
        return document(deployment, given or deployment.names.policy_arn(arguments.name))

    return print_document(arguments, named)


if __name__ == "__main__":
    sys.exit(main())
