"""The ``awslogs`` driver: sends the container's output to CloudWatch Logs with the execution role's permissions."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.testbed.containers.deployed_service import refusal
from sandbox.testbed.containers.errors import TaskStartError

_SHIP_SECONDS = 1.0
_LARGEST_BATCH = 500


def open_stream(client: Any, options: Mapping[str, str], container: str, task: str) -> tuple[str, str]:
    """Create the task's log stream and return its group and name; raises ``TaskStartError`` if ECS couldn't either."""
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if not group or not prefix:
        raise TaskStartError("Fargate's awslogs driver needs awslogs-group and awslogs-stream-prefix")
    stream = f"{prefix}/{container}/{task}"
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except ClientError as problem:
        raise TaskStartError(
            f"the execution role can't write the log: stream {stream} in group {group}: {refusal(problem)}"
        ) from problem
    return group, stream


class LogShipper:
    """Sends the lines of ``log`` after ``offset`` to a log stream until it is closed."""

    def __init__(self, client: Any, target: tuple[str, str], log: Path, offset: int) -> None:
        self._client = client
        self._group, self._stream = target
        self._log = log
        self._offset = offset
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="awslogs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send the remaining lines and stop."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(_SHIP_SECONDS):
            self._ship()
        self._ship()

    def _ship(self) -> None:
        with self._log.open("rb") as stream:
            stream.seek(self._offset)
            complete, newline, _ = stream.read().rpartition(b"\n")
        lines = complete.decode(errors="replace").splitlines()
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line]
        try:
            for start in range(0, len(events), _LARGEST_BATCH):
                self._client.put_log_events(
                    logGroupName=self._group,
                    logStreamName=self._stream,
                    logEvents=events[start : start + _LARGEST_BATCH],
                )
        except (BotoCoreError, ClientError) as problem:
            # The local AWS may be temporarily unavailable. The lines stay in the file and are sent with the next batch.
            if self._ending.is_set():
                print(f"log lines were not sent to {self._group}: {problem}", flush=True)
            return
        self._offset += len(complete) + len(newline)
