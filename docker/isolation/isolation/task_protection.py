"""Task protection: keeps ECS from stopping the task while a plan or an apply runs."""

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from isolation.web import fetch

LOOK_EVERY = 2.0
"""Seconds between two requests to /status. An operation isn't protected until the next one."""
EXPIRES = 30
"""Minutes after which the protection expires unless it is renewed."""
RENEW_EVERY = 300.0
"""Seconds between two renewals."""


class TaskProtection:
    """Protects the task while it has operations in progress, or another module of the agent holds it.

    Args:
        operations: returns their number; None if it is unknown.
        ecs_agent: the address of the ECS agent.
    """

    def __init__(
        self,
        operations: Callable[[], int | None],
        ecs_agent: str,
        *,
        look_every: float = LOOK_EVERY,
        renew_every: float = RENEW_EVERY,
    ) -> None:
        self._operations = operations
        self._protection = f"{ecs_agent}/task-protection/v1/state"
        self._look_every, self._renew_every = look_every, renew_every
        # What an earlier run of this container left is released by the first look that finds the server idle.
        self._protected: bool | None = None
        self._renew_at, self._refused = 0.0, ""
        # Another thread holds the protection while this one looks.
        self._lock, self._held = threading.Lock(), 0

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Protect the task until the context ends, also while the server has no operation in progress."""
        self._hold(1)
        try:
            yield
        finally:
            self._hold(-1)

    def _hold(self, change: int) -> None:
        with self._lock:
            self._held += change
        self.look()

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        while not stop.wait(self._look_every):
            self.look()

    def look(self) -> None:
        """Ask once, and set the protection that fits."""
        operations = self._operations()
        with self._lock:
            if self._held:
                operations = self._held + (operations or 0)
            if operations is None:
                return  # Neither busy nor idle: what is protected stays so until it expires.
            if operations > 0:
                if (not self._protected or time.monotonic() >= self._renew_at) and self._set(enabled=True):
                    if not self._protected:
                        print(f"protected: operations in progress: {operations}", flush=True)
                    self._protected, self._renew_at = True, time.monotonic() + self._renew_every
            elif self._protected is not False and self._set(enabled=False):
                if self._protected:
                    print("released: no operation in progress", flush=True)
                self._protected = False

    def expect(self) -> None:
        """Protect the task now, because an operation is about to be in progress; a later look releases it."""
        with self._lock:
            if not self._protected and self._set(enabled=True):
                self._protected, self._renew_at = True, time.monotonic() + self._renew_every

    def _set(self, *, enabled: bool) -> bool:
        wanted: dict[str, Any] = {"ProtectionEnabled": enabled, **({"ExpiresInMinutes": EXPIRES} if enabled else {})}
        request = urllib.request.Request(  # noqa: S310 the agent's address
            self._protection,
            data=json.dumps(wanted).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        try:
            answer = fetch(request, 10, direct=True).content.decode(errors="replace")
        except OSError as problem:
            answer = str(problem)
        if _is_set(answer, enabled=enabled):
            return True
        # A refusal is printed once, and asked for again.
        if answer != self._refused:
            print(f"task protection can't be set to {str(enabled).lower()}: {answer}", flush=True)
        self._refused = answer
        return False


def of_server(address: str) -> Callable[[], int | None]:
    """What asks the server for the number of its operations."""
    request = urllib.request.Request(f"{address}/status")  # noqa: S310 the task's own network

    def operations() -> int | None:
        try:
            return int(fetch(request, 5, direct=True).document()["in_progress_operations"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    return operations


def _is_set(answer: str, *, enabled: bool) -> bool:
    try:
        return json.loads(answer)["protection"]["ProtectionEnabled"] is enabled
    except (ValueError, KeyError, TypeError):
        return False
