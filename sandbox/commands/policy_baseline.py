"""`make policy-baseline`: exempt an exported stack's current policy violations (``policy/baseline.py``)."""

import argparse
from pathlib import Path

from sandbox.commands.policy_check import add_files, run_script


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``policy-baseline``."""
    add_files(parser)
    parser.add_argument("--output", type=Path, help="the file to write (default: standard output)")
    parser.add_argument("--until", help="the last day of the exemptions, as YYYY-MM-DD")


def run(arguments: argparse.Namespace) -> int:
    """Write exemptions for the findings of a state file; returns 0 on success."""
    until = ["--until", arguments.until] if arguments.until else []
    return run_script("baseline.py", arguments, until, "state", "config", "output")
