"""Where the image and the task have what the programs use; README.md has the same paths with their purpose."""

import os
from pathlib import Path

__all__ = [
    "APPLY",
    "APPLY_ONLY",
    "PLAN",
    "ROLES",
    "SHIMS",
    "STATE",
    "broker_socket",
    "data_directory",
    "executor_socket",
]

PLAN, APPLY = "plan", "apply"
ROLES = (PLAN, APPLY)
"""The two executors."""

APPLY_ONLY = frozenset({"apply", "import"})
"""The kinds of command that the apply container runs; a third one is a step that asks for it (`run-in-apply`)."""

_RUN = Path(os.environ.get("ISOLATION_RUN_DIRECTORY", "/run/isolation"))
SHIMS = Path(__file__).resolve().parents[1] / "shims"
"""The directory that is first on the server's PATH."""

STATE = Path(os.environ.get("ISOLATION_STATE_DIRECTORY", "/tmp/isolation"))  # noqa: S108 a volume of the executor alone
"""An executor's own files: users, homes and credentials of the commands."""


def executor_socket(role: str) -> Path:
    """The socket on which the executor of `role` takes commands."""
    return _RUN / role / "executor.sock"


def broker_socket(role: str) -> Path:
    """The socket on which the agent gives the executor of `role` its sessions."""
    return _RUN / f"{role}-broker" / "agent.sock"


def data_directory() -> Path:
    """Atlantis' data directory, which has the checkouts in `repos`."""
    return Path(os.environ.get("ATLANTIS_DATA_DIR", "/home/atlantis/.atlantis"))
