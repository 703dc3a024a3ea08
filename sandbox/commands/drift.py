"""`make drift` in the sandbox: the command for a deployed stack, against the local AWS."""

import argparse
import subprocess
import sys

from sandbox.paths import CHECKOUT
from sandbox.sandbox import Sandbox

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``drift``."""
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Detect drift with access to the sandbox's AWS only; returns the command's exit code."""
    sandbox = Sandbox(arguments.stack)
    command = [sys.executable, "-m", "preflight.drift", "--stack", arguments.stack]
    command += ["--config-file", str(sandbox.workspace.stack_file(arguments.stack))]
    command += ["--json"] if arguments.json else []
    environment = sandbox.workspace.environment(sandbox.aws)
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
