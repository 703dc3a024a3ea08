"""`policy-check`: an exported stack judged by the policy pack, without running a program; and how the pack is named.

Standard output is the engine's own: grouped diagnostics for a person, events as JSON with ``--json``.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import yaml

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
        "--config",
        type=Path,
        help="a configuration of the pack (default: the one for the stack in the file, if it is of this project)",
    )
    parser.add_argument("--json", action="store_true", help="the findings as JSON, one event a line")


def run(arguments: argparse.Namespace) -> int:
    """Judge a state file; 0 where no mandatory policy is violated."""
    state: Path = arguments.state.resolve()
    if not state.is_file():
        raise SandboxError(f"There is no file {state}; `pulumi stack export --file {state.name}` writes one")
    configuration = arguments.config.resolve() if arguments.config else _configuration_of(state)
    command = [
        str(engine.locate().executable),
        "policy",
        "analyze",
        "--file",
        str(state),
        *_pack(PACK, configuration),
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


def pack_arguments(pack: Path, stack: str) -> list[str]:
    """The engine's arguments for a policy pack, with the pack's configuration for a stack where it has one.

    Raises ``SandboxError`` where the configuration names a policy or a key that the pack does not have.
    """
    configuration = pack / "config" / f"{stack}.json"
    return _pack(pack, configuration if configuration.is_file() else None)


def _pack(pack: Path, configuration: Path | None) -> list[str]:
    if configuration is None:
        return ["--policy-pack", str(pack)]
    found = problems(configuration)
    if found:
        raise SandboxError(
            "The policy pack's configuration can't be used:\n" + "\n".join(f"  {each}" for each in found)
        )
    return ["--policy-pack", str(pack), "--policy-pack-config", str(configuration)]


def _configuration_of(state: Path) -> Path | None:
    """The pack's configuration for the stack that a state file is of; none for a stack of another project."""
    try:
        resources = json.loads(state.read_text(encoding="utf-8"))["deployment"]["resources"] or []
        urns = [resource["urn"].removeprefix("urn:pulumi:").split("::") for resource in resources]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SandboxError(
            f"{state} is no exported stack; `pulumi stack export --file {state.name}` writes one"
        ) from None
    own = {stack for stack, project, *_ in urns if project == _project()}
    configurations = [PACK / "config" / f"{stack}.json" for stack in sorted(own)]
    return next((file for file in configurations if file.is_file()), None)


def _project() -> str:
    return yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
