"""Print a permissions boundary for `permissionsBoundaryArn` to start from, with the names and ids of one stack.

It allows everything but what would take over Atlantis: narrow its first statement to what your applications need. Once the stack is
deployed, print it again: it then names the stack's security groups and subnets.
"""

import argparse
import json
import sys
from pathlib import Path

from components.permissions_boundary import statements_for_any_role
from components.refusals import OwnStack
from components.settings import SettingsError
from preflight.aws import Aws
from preflight.boundary import setting_of
from preflight.deployment import Deployment, StackFileError, read_stack_file
from preflight.errors import UnmetError

__all__ = ["document"]

_PROJECT = Path(__file__).resolve().parents[1]


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
    parser = argparse.ArgumentParser(
        prog="python -m preflight.boundary_document",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="prod", help="the stack whose file is read (default: prod)")
    parser.add_argument("--name", default="terraform-boundary", help="the policy's name (default: terraform-boundary)")
    arguments = parser.parse_args()
    try:
        settings = read_stack_file(_PROJECT / f"Pulumi.{arguments.stack}.yaml", arguments.stack)
        deployment = Deployment(arguments.stack, settings, Aws(settings.region))
        arn = settings.terraform.permissions_boundary_arn or deployment.names.policy_arn(arguments.name)
        sys.stdout.write(document(deployment, arn) + "\n")
    except (StackFileError, SettingsError, UnmetError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
