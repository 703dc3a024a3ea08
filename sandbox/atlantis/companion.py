"""Runs a companion container (a sidecar) as a process: with the task's network, but without secrets and volumes."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox import processes
from sandbox.atlantis import log_driver
from sandbox.atlantis.errors import TaskStartError
from sandbox.atlantis.task_definition import CompanionContainer
from sandbox.errors import SandboxError

__all__ = ["Companion", "stop_leftovers"]

_SEPARATOR = "."


class Companion:
    """A running companion container; if it exits, the task keeps running and the container's restart policy applies."""

    def __init__(
        self,
        state: Path,
        task_process: str,
        definition: CompanionContainer,
        *,
        command: list[str],
        environment: Mapping[str, str],
        root: Path,
    ) -> None:
        self._state, self._definition, self._command, self._root = state, definition, command, root
        self._environment = {**environment, **definition.environment}
        self._name = f"{task_process}{_SEPARATOR}{definition.name}"
        self._log = state / "logs" / f"{self._name}.log"
        self._offset = self._log.stat().st_size if self._log.exists() else 0
        self._shipper: log_driver.LogShipper | None = None
        self._process = self._start()

    def ship(self, logs: Any, stream: tuple[str, str]) -> None:
        """Send its output, from the first line, to a log stream."""
        self._shipper = log_driver.LogShipper(logs, stream, self._log, self._offset)

    def tick(self) -> None:
        """Restart it if it has exited and its restart attempt period, counted from the last start, is over."""
        if self._process.alive or self._definition.restart_seconds is None:
            return
        if time.monotonic() - self._started >= self._definition.restart_seconds:
            self._process = self._start()

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after the stop timeout; then kill the processes that it started."""
        processes.stop(self._state, self._name, patience=self._definition.stop_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._shipper:
            self._shipper.close()

    def _start(self) -> processes.Process:
        self._started = time.monotonic()
        try:
            return processes.start(
                self._state, self._name, self._command, environment=self._environment, directory=self._root
            )
        except (OSError, SandboxError) as problem:
            raise TaskStartError([f"the container {self._definition.name} can't be started: {problem}"]) from problem


def stop_leftovers(state: Path, task_process: str) -> None:
    """Stop the companion containers that a killed agent left running."""
    for process in processes.recorded(state):
        if process.name.startswith(task_process + _SEPARATOR):
            processes.stop(state, process.name)
