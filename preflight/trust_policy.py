"""Print the trust policy that a role in `assumableRoleArns` needs, so that Terraform can assume it from the Atlantis task.

Terraform's provider block then names the role: `assume_role { role_arn = "..." external_id = "..." }`.
"""

import argparse
import json
import sys
from pathlib import Path

from components.settings import SettingsError
from preflight.aws import Aws
from preflight.deployment import Deployment, StackFileError, read_stack_file
from preflight.errors import UnmetError

__all__ = ["document"]

_PROJECT = Path(__file__).resolve().parents[1]


def document(task_role_arn: str, external_id: str | None) -> str:
    """The trust policy, JSON. With an external id, a caller must name it."""
    statement: dict[str, object] = {
        "Sid": "AtlantisTask",
        "Effect": "Allow",
        "Principal": {"AWS": task_role_arn},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def main() -> int:
    """The command. Returns 0, or 2 where the stack's file or AWS can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m preflight.trust_policy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="prod", help="the stack whose file is read (default: prod)")
    parser.add_argument("--external-id", help="an id that the caller must name, where the role's owner wants one")
    arguments = parser.parse_args()
    try:
        settings = read_stack_file(_PROJECT / f"Pulumi.{arguments.stack}.yaml", arguments.stack)
        deployment = Deployment(arguments.stack, settings, Aws(settings.region))
        sys.stdout.write(document(deployment.names.task_role_arn, arguments.external_id) + "\n")
    except (StackFileError, SettingsError, UnmetError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
