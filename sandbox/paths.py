"""Where the sandbox keeps what it makes: everything inside the checkout's ignored ``.sandbox`` folder."""

import os
from pathlib import Path

__all__ = ["CACHE", "CHECKOUT", "ENGINES", "STATE_VARIABLE", "private_directory", "state_directory"]

CHECKOUT = Path(__file__).resolve().parents[1]
CACHE = CHECKOUT / ".sandbox" / "cache"
ENGINES = CHECKOUT / ".sandbox" / "engine"
STATE_VARIABLE = "ATLANTIS_SANDBOX_STATE"


def state_directory() -> Path:
    """The folder of the running sandbox: ``ATLANTIS_SANDBOX_STATE``, or ``.sandbox/state`` in the checkout."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen).resolve() if chosen else CHECKOUT / ".sandbox" / "state"


def private_directory(path: Path) -> Path:
    """Make ``path`` (with parents) readable by its owner only, and return it.

    Others may pass through one that they may pass through already: the task's user needs that to get at its files.
    """
    if path.is_dir():
        path.chmod(0o700 | path.stat().st_mode & 0o011)
    else:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
