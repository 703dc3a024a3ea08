"""`make policy-check`: evaluate an exported stack with the policy pack (``policy/check_state.py``) and the sandbox's engine."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.policy_pack import provide_environment
from sandbox.testbed.engine import installation
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.paths import CHECKOUT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the check; ``policy/check_state.py`` documents them."""
    add_files(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as JSON, one event per line")
    form.add_argument("--all", action="store_true", help="print every finding instead of counts and the worst ones")
    parser.add_argument("--sarif", type=Path, help="also write the findings as SARIF to this file")


def add_files(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a state and a configuration."""
    parser.add_argument("--state", required=True, type=Path, help="a file written by `pulumi stack export`")
    parser.add_argument(
        "--config",
        type=Path,
        help="the pack's configuration file (default: the one for the stack in the state file, if it is of this project)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate a state file; returns 0 if no mandatory policy is violated."""
    form = ["--json"] if arguments.json else ["--all"] if arguments.all else []
    return run_script("check_state.py", arguments, form, "state", "config", "sarif")


def run_script(name: str, arguments: argparse.Namespace, more: list[str], *files: str) -> int:
    """Run a script of the pack with the sandbox's engine on PATH; returns its exit code.

    ``files`` are the names of the arguments that are paths.
    """
    command = [sys.executable, str(CHECKOUT / "policy" / name), *more]
    for option in files:
        file: Path | None = getattr(arguments, option)
        command += [f"--{option}", str(file.resolve())] if file else []
    provide_environment(CHECKOUT / "policy")
    environment = clean_environment()
    engine = installation.locate().executable.parent
    with tempfile.TemporaryDirectory(prefix="atlantis-policy-") as home:
        environment |= {
            "PATH": f"{engine}{os.pathsep}{environment.get('PATH', os.defpath)}",
            "PULUMI_HOME": home,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_CONFIG_PASSPHRASE": os.environ.get("PULUMI_CONFIG_PASSPHRASE", ""),
        }
        return subprocess.run(command, env=environment, check=False, cwd=home).returncode
