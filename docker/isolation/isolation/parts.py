"""The parts of an agent: they run at the same time, and one that fails starts again without the others noticing."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping

_ENDS = (signal.SIGTERM, signal.SIGINT)
_LOOK_EVERY = 1
_AGAIN_AFTER = 10.0
"""Seconds."""
Part = Callable[[threading.Event], None]


def run(make: Callable[[Mapping[str, str]], Mapping[str, Part]]) -> None:
    """Make the parts from the environment, and run them until SIGTERM; doesn't return."""
    environment = dict(os.environ)
    forget_environment()
    stop = threading.Event()
    # Waited for, not handled: a handler that sets the event while this thread is about to wait for it would wait for itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        parts = make(environment)
    except Exception as problem:  # noqa: BLE001 whatever is wrong with the environment, the log has to show it
        sys.exit(f"The agent can't start: {type(problem).__name__}: {problem}")
    for name, part in parts.items():
        threading.Thread(target=_keep_running, args=(name, part, stop), name=name, daemon=True).start()
    while not stop.is_set():
        if signal.sigtimedwait(_ENDS, _LOOK_EVERY):
            stop.set()
    sys.exit(0)


def _keep_running(name: str, part: Part, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            part(stop)
            problem = "it ended"
        except Exception as found:  # noqa: BLE001 what ends a part must not end the others
            problem = f"{type(found).__name__}: {found}"
        if not stop.is_set():
            write_event("agent-part-failed", part=name, error=problem, again_in_seconds=_AGAIN_AFTER)
            stop.wait(_AGAIN_AFTER)


def forget_environment() -> None:
    """Take the container's secrets and addresses out of this process' environment, once they are read."""
    for name in list(os.environ):
        if name.startswith(("ATLANTIS_", "AWS_CONTAINER_", "ECS_", "WORKERS")):
            del os.environ[name]


def write_event(event: str, **fields: object) -> None:
    """One line of JSON, for people, the metric filters of the log group and `make drift`."""
    print(json.dumps({"event": event, **fields}), flush=True)
