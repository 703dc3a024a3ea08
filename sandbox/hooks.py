"""What runs around the engine: modules that bring the deployed system to life, and end it before it is destroyed."""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from sandbox.run import Sandbox

__all__ = ["HOOKS", "Hook", "load_hooks"]

HOOKS: tuple[str, ...] = ("sandbox.atlantis.lifecycle",)


class Hook(Protocol):
    """A module that ``HOOKS`` names."""

    def after_up(self, sandbox: "Sandbox") -> None:
        """Called when the engine has deployed the stack; raises ``SandboxError`` where the system doesn't come up."""

    def before_down(self, sandbox: "Sandbox") -> None:
        """Called before the engine destroys the stack."""


def load_hooks(names: Iterable[str]) -> list[Hook]:
    """The hooks of these names, in the order they run."""
    return [cast("Hook", import_module(name)) for name in names]
