"""The verbs for everyday use: up, preview, refresh, outputs, env and status."""

import argparse
import json
import shlex
import sys

from sandbox import builds
from sandbox.commands import policy_config, preflight
from sandbox.sandbox import Sandbox
from sandbox.testbed import console, local_aws, locks, processes


def up(arguments: argparse.Namespace) -> int:
    """Deploy the stack, then print the commands that are useful next."""
    sandbox = Sandbox(arguments.stack)
    policy_config.require(arguments.stack)
    builds.build()
    sandbox.up()
    console.step(f"The stack {sandbox.stack} is deployed in the local AWS at {sandbox.endpoint}")
    suffix = "" if sandbox.stack == "local" else f" STACK={sandbox.stack}"
    console.note(f"make outputs{suffix}   its outputs as JSON")
    console.note(f"make preview{suffix}   preview a change of the program")
    console.note(f"make down{suffix}      destroy it and stop every process")
    return 0


def preview(arguments: argparse.Namespace) -> int:
    """Preview the changes that ``up`` would make."""
    policy_config.require(arguments.stack)
    Sandbox(arguments.stack).preview()
    return 0


def refresh(arguments: argparse.Namespace) -> int:
    """Refresh the state of every resource from the local AWS."""
    policy_config.validate(arguments.stack)
    Sandbox(arguments.stack).refresh()
    console.step("`make up` restores what was missing or changed")
    return 0


def outputs(arguments: argparse.Namespace) -> int:
    """Print the outputs as JSON; standard output contains nothing else."""
    sys.stdout.write(json.dumps(Sandbox(arguments.stack).outputs(), indent=2, sort_keys=True) + "\n")
    return 0


def env(arguments: argparse.Namespace) -> int:
    """Print the variables with which a shell's AWS clients use the local AWS: `eval "$(make -s env)"`."""
    for name, value in Sandbox(arguments.stack).aws.environment().items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Print what is deployed and what is running, and the operator's page; exit code 1 if a process ended that was not stopped."""
    sandbox = Sandbox(arguments.stack)
    # With components and without providers, as the engine counts them.
    resources = [item for item in sandbox.resources() if not item["type"].startswith("pulumi:providers:")]
    found = processes.recorded(sandbox.state)
    lines = [
        f"state folder  {sandbox.state}",
        f"stack         {sandbox.stack}: {len(resources)} resources in the engine's state",
        *([f"process       {process.describe()}" for process in found] or ["process       none is running"]),
    ]
    reason = locks.unfinished(sandbox.state)
    if reason:
        lines.append(f"unfinished    {reason}; the next `make up` recovers it")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    if resources and local_aws.running(sandbox.state):
        preflight.status(sandbox)
    return 0 if all(process.lasting for process in found) else 1
