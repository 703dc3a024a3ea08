"""Where the image and the tasks have what the programs use; README.md has the same paths with their purpose."""

import os
import socket
from pathlib import Path

PLAN, APPLY = "plan", "apply"
ROLES = (PLAN, APPLY)
"""The two kinds of workers."""

APPLY_ONLY = frozenset({"apply", "import"})
"""The kinds of command that apply workers run; a third one is a step that asks for it (`run-in-apply`)."""

_RUN = Path(os.environ.get("ISOLATION_RUN_DIRECTORY", "/run/isolation"))

# Of a worker's task.
EXECUTOR_SOCKET = _RUN / "executor" / "executor.sock"
"""The executor takes commands here, from the TLS end and from the worker's agent."""
BROKER_SOCKET = _RUN / "broker" / "agent.sock"
"""The worker's agent gives the executor its sessions here."""
STATE = Path(os.environ.get("ISOLATION_STATE_DIRECTORY", "/tmp/isolation"))  # noqa: S108 root's, in a sticky directory
"""An executor's files: users, homes and credentials of the commands, results of applies."""

# Of the server's task.
WAKE = _RUN / "workers" / "wake"
"""A FIFO to which a shim writes the name of its ticket."""
TICKETS = _RUN / "workers" / "tickets"
"""One FIFO for each command that waits or runs."""
DISPATCHER_SOCKET = _RUN / "workers" / "dispatcher.sock"
"""The agent connects a command to a worker here."""


def data_directory() -> Path:
    """Atlantis' data directory, which has the checkouts in `repos`."""
    return Path(os.environ.get("ATLANTIS_DATA_DIR", "/home/atlantis/.atlantis"))


def listen(path: Path) -> socket.socket:
    """Listen where only root comes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(128)
    return listener
