"""`policy-check`: an exported stack judged by the policy pack, without running a program; and how the pack is named.

Standard output is the engine's own: grouped diagnostics for a person, events as JSON with ``--json``.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from policy.check_configuration import problems
from sandbox import engine
from sandbox.errors import SandboxError
from sandbox.paths import CHECKOUT
from sandbox.workspace import clean_environment

__all__ = ["PACK", "add_arguments", "pack_arguments", "run"]

PACK = CHECKOUT / "policy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("--state", required=True, type=Path, help="a file that `pulumi stack export` wrote")
    parser.add_argument(
        "--config", type=Path, help="a configuration of the pack (default: the stack's, if there is one)"
    )
    parser.add_argument("--json", action="store_true", help="the findings as JSON, one event a line")


def run(arguments: argparse.Namespace) -> int:
    """Judge a state file; 0 where no mandatory policy is violated."""
    state: Path = arguments.state.resolve()
    if not state.is_file():
        raise SandboxError(f"There is no file {state}; `pulumi stack export --file {state.name}` writes one")
    configuration = arguments.config.resolve() if arguments.config else None
    command = [
        str(engine.locate().executable),
        "policy",
        "analyze",
        "--file",
        str(state),
        *pack_arguments(PACK, arguments.stack, configuration),
        *(["--json"] if arguments.json else []),
    ]
    with tempfile.TemporaryDirectory(prefix="atlantis-policy-") as home:
        environment = {
            **clean_environment(),
            "PULUMI_HOME": home,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_CONFIG_PASSPHRASE": os.environ.get("PULUMI_CONFIG_PASSPHRASE", ""),
        }
        return subprocess.run(command, env=environment, check=False, cwd=home).returncode


def pack_arguments(pack: Path, stack: str, configuration: Path | None = None) -> list[str]:
    """The engine's arguments for a policy pack, with the pack's configuration for a stack where it has one.

    Raises ``SandboxError`` where the configuration names a policy or a key that the pack does not have.
    """
    chosen = configuration or pack / "config" / f"{stack}.json"
    if configuration is None and not chosen.is_file():
        return ["--policy-pack", str(pack)]
    found = problems(chosen)
    if found:
        raise SandboxError(
            "The policy pack's configuration can't be used:\n" + "\n".join(f"  {each}" for each in found)
        )
    return ["--policy-pack", str(pack), "--policy-pack-config", str(chosen)]
