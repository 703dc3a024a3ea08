"""Validates the stack's file as it stands, and compares the policy pack's configuration with it, before anything is deployed."""

import hashlib
from typing import TYPE_CHECKING

from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.paths import CACHE, CHECKOUT

if TYPE_CHECKING:
    from components.settings import Settings

_AGREED = CACHE / "policy-configurations.json"
"""The digest of each stack's files that agreed. Reading the settings imports the SDK, a tenth of a preview's time."""


def validate(stack: str) -> "Settings | None":
    """The settings of the stack's file; None if it can't be read, which the command itself reports.

    The program validates the settings too, but it gets those with the substitutes' IDs.

    Raises:
        SandboxError: they are invalid.
    """
    from components.settings import SettingsError  # noqa: PLC0415 - see _AGREED
    from components.settings.stack_file import StackFileError  # noqa: PLC0415
    from preflight.deployment import read_stack_file  # noqa: PLC0415

    try:
        return read_stack_file(CHECKOUT / f"Pulumi.{stack}.yaml", stack)
    except SettingsError as error:
        raise SandboxError(str(error)) from None
    except StackFileError:
        return None


def require(stack: str) -> None:
    """Raise ``SandboxError`` if the settings are invalid, or the pack would stop their deployment halfway."""
    digest = _digest(stack)
    agreed = read_json(_AGREED) or {}
    if agreed.get(stack) == digest or (settings := validate(stack)) is None:
        return
    from preflight import policy_configuration  # noqa: PLC0415 - see _AGREED

    found = policy_configuration.difference(settings, stack)
    fix = policy_configuration.command(stack)
    if found.stopping:
        raise SandboxError(f"{'; '.join(found.stopping)}. Nothing was deployed. Fix: {fix}")
    for line in found.other:
        console.step(f"{line}; `{fix}` removes them")
    if not found.other:
        _AGREED.parent.mkdir(parents=True, exist_ok=True)
        write_json(_AGREED, {**agreed, stack: digest})


def _digest(stack: str) -> str:
    files = [CHECKOUT / f"Pulumi.{stack}.yaml", CHECKOUT / "policy" / "config" / f"{stack}.json"]
    files += [CHECKOUT / "preflight" / f"policy_configuration.{kind}" for kind in ("py", "yaml")]
    for folder in (CHECKOUT / "components" / "settings", CHECKOUT / "components" / "configuration"):
        files += sorted(file for file in folder.rglob("*") if file.suffix in (".py", ".json"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file.is_file() else b"missing")
        digest.update(b"\0")
    return digest.hexdigest()
