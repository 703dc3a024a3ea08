"""`make password`: print the user and the password of the web page."""

import argparse
import sys

from sandbox.atlantis.operator import read_task_secrets
from sandbox.sandbox import Sandbox
from sandbox.testbed.errors import SandboxError

_PASSWORD, _USER = "ATLANTIS_WEB_PASSWORD", "ATLANTIS_WEB_USERNAME"


def run(arguments: argparse.Namespace) -> int:
    """Print the user and the password, separated by a space, on standard output."""
    deployment = Sandbox(arguments.stack).service()
    if deployment is None:
        raise SandboxError("The stack isn't deployed. Run `make up` to deploy it")
    definition = deployment.require_service().definition
    found = read_task_secrets(deployment, deployment.task_definition(definition), [_PASSWORD])
    if _PASSWORD not in found:
        raise SandboxError(
            "The page requires no password, because atlantis:webBasicAuth is false or atlantis:oidcIssuer is set"
        )
    sys.stdout.write(f"{deployment.variables(definition)[_USER]} {found[_PASSWORD]}\n")
    return 0
