"""The engine's arguments for the policy pack, whose configuration is validated first."""

import sys
from pathlib import Path

import yaml

from policy.check_configuration import problems
from sandbox.testbed.errors import SandboxError


def pack_arguments(pack: Path, stack: str, configuration: Path | None = None) -> list[str]:
    """The engine's arguments for a policy pack with ``configuration``, or the pack's own for the stack if it has one.

    Raises ``SandboxError`` if the configuration is invalid, such as a policy or a key that the pack doesn't have.
    """
    provide_environment(pack)
    configuration = configuration or pack / "config" / f"{stack}.json"
    if not configuration.is_file():
        return ["--policy-pack", str(pack)]
    found = problems(configuration)
    if found:
        raise SandboxError("The policy pack's configuration is invalid:\n" + "\n".join(f"  {each}" for each in found))
    return ["--policy-pack", str(pack), "--policy-pack-config", str(configuration)]


def provide_environment(pack: Path) -> None:
    """Link the pack's virtual environment to the sandbox's if it doesn't exist.

    An installed CLI (3.259) doesn't report a missing environment: it waits for the pack indefinitely.
    """
    runtime = yaml.safe_load((pack / "PulumiPolicy.yaml").read_text(encoding="utf-8"))["runtime"]
    environment = pack / runtime["options"]["virtualenv"]
    if not environment.exists():
        environment.symlink_to(sys.prefix)
