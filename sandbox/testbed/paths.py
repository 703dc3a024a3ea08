"""The paths of the files that the sandbox creates, all in the checkout's ``.sandbox`` folder, which git ignores."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".sandbox" / "cache"
ENGINES = CHECKOUT / ".sandbox" / "engine"
STATE_VARIABLE = "ATLANTIS_SANDBOX_STATE"


def state_directory() -> Path:
    """The folder of the running sandbox: ``ATLANTIS_SANDBOX_STATE``, or ``.sandbox/state`` in the checkout."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen).resolve() if chosen else CHECKOUT / ".sandbox" / "state"


def private_directory(path: Path) -> Path:
    """Create ``path`` and its parents, make it readable only by its owner, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
