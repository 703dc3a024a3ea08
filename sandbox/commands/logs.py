"""`make logs`: follow Atlantis' log."""

import argparse
import itertools
import os
from pathlib import Path

from sandbox.sandbox import Sandbox
from sandbox.testbed.errors import SandboxError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``logs``."""
    parser.add_argument("--lines", type=int, default=40, help="the number of last lines to print first (default: 40)")
    parser.add_argument("--no-follow", action="store_true", help="exit after the last line")


def run(arguments: argparse.Namespace) -> int:
    """Become `tail`, which prints the last lines and then every new one, until interrupted."""
    sandbox = Sandbox(arguments.stack)
    deployment = sandbox.service()
    names = itertools.islice(deployment.task_names(), 2) if deployment else ()
    logs = [sandbox.state / "logs" / f"{name}.log" for name in names]
    found = list(filter(Path.is_file, logs))
    if not found:
        raise SandboxError("Atlantis hasn't been started yet. Run `make up` to start it")
    # A new task, whose log doesn't exist yet, may start while the old one is running; tail complains about it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    files = found if arguments.no_follow else ["-F", *logs]
    os.execvp("tail", ["tail", "-q", "-n", str(arguments.lines), *files])  # noqa: S606
