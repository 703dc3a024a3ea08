"""`make policy-check`: an exported stack evaluated by the policy pack (``policy/check_state.py``), on the sandbox's engine."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.engine import installation
from sandbox.engine.workspace import clean_environment
from sandbox.paths import CHECKOUT

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("--state", required=True, type=Path, help="a file that `pulumi stack export` wrote")
    parser.add_argument(
        "--config",
        type=Path,
        help="a configuration of the pack (default: the one for the stack in the file, if it is of this project)",
    )
    parser.add_argument("--json", action="store_true", help="the findings as JSON, one event a line")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate a state file; 0 where no mandatory policy is violated."""
    command = [sys.executable, str(CHECKOUT / "policy" / "check_state.py"), "--state", str(arguments.state.resolve())]
    command += ["--config", str(arguments.config.resolve())] if arguments.config else []
    command += ["--json"] if arguments.json else []
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
