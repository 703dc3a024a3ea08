"""The policy pack as arguments of the engine, with its configuration checked first."""

from pathlib import Path

from policy.check_configuration import problems
from sandbox.errors import SandboxError

__all__ = ["pack_arguments"]


def pack_arguments(pack: Path, stack: str, configuration: Path | None = None) -> list[str]:
    """The engine's arguments for a policy pack, with ``configuration`` or the pack's own for the stack where it has one.

    Raises ``SandboxError`` where the configuration names a policy or a key that the pack does not have.
    """
    configuration = configuration or pack / "config" / f"{stack}.json"
    if not configuration.is_file():
        return ["--policy-pack", str(pack)]
    found = problems(configuration)
    if found:
        raise SandboxError("The policy pack's configuration is invalid:\n" + "\n".join(f"  {each}" for each in found))
    return ["--policy-pack", str(pack), "--policy-pack-config", str(configuration)]
