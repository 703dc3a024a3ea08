"""Commands of `preflight/` for a stack in the sandbox: against the local AWS, with substitutes for the existing resources that the stack
file names."""

import argparse
import subprocess
import sys

from sandbox.sandbox import Sandbox
from sandbox.testbed.local_aws.task_status import StatusFile
from sandbox.testbed.paths import CHECKOUT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of each command."""
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run all checks with access to the sandbox's AWS only; returns the preflight's exit code."""
    return _run_module("preflight", arguments)


def drift(arguments: argparse.Namespace) -> int:
    """Detect drift with access to the sandbox's AWS only; returns the command's exit code."""
    return _run_module("preflight.drift", arguments)


def status(sandbox: Sandbox) -> None:
    """Print the operator's page of a deployed stack, with what its server shows without a password."""
    service = sandbox.service()
    port = service and StatusFile(service.state, service.name).read().proxy_port
    server = ["--server", f"http://127.0.0.1:{port}"] if port else []
    words = [*command("preflight.status", sandbox, as_json=False), *server]
    subprocess.run(words, cwd=CHECKOUT, env=sandbox.workspace.environment(sandbox.aws), check=False)


def command(module: str, sandbox: Sandbox, *, as_json: bool) -> list[str]:
    """The command line of a command of `preflight/` for the sandbox's stack; it needs the sandbox's environment."""
    arguments = ["--stack", sandbox.stack, "--config-file", str(sandbox.workspace.stack_file(sandbox.stack))]
    return [sys.executable, "-m", module, *arguments, *(["--json"] if as_json else [])]


def _run_module(module: str, arguments: argparse.Namespace) -> int:
    sandbox = Sandbox(arguments.stack)
    environment = sandbox.workspace.environment(sandbox.aws)
    words = command(module, sandbox, as_json=arguments.json)
    return subprocess.run(words, cwd=CHECKOUT, env=environment, check=False).returncode
