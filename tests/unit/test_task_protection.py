"""Task protection: the shell program of the container, run against a server's /status and an ECS agent's endpoint."""

import http.server
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components.compute import task_protection

TASK = "arn:aws:ecs:ap-northeast-2:123456789012:task/atlantis-prod/0123456789abcdef"
BUSY = {"ProtectionEnabled": True, "ExpiresInMinutes": 30}
IDLE = {"ProtectionEnabled": False}


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Task:
    """A server that has `operations` in progress (None: it doesn't answer), and the ECS agent that was `asked`."""

    def __init__(self) -> None:
        self.operations: int | None = 0
        self.asked: list[dict[str, Any]] = []
        self.looks = 0
        self.refusal: dict[str, Any] | None = None
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.port = self._http.server_port
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", task_protection.script(self.port, look_every=0.05, renew_every=1)],
            env={"PATH": os.environ["PATH"], "ECS_AGENT_URI": f"http://127.0.0.1:{self.port}/api/0123"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def close(self) -> str:
        """End the program as ECS does, after it has looked once more; what it printed."""
        known = self.looks
        eventually(lambda: self.looks > known + 1)
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=10)
        self._http.shutdown()
        self._http.server_close()
        return printed

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        task = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/status"
                task.looks += 1
                if task.operations is None:
                    self.send_error(503)
                    return
                # As Atlantis writes it, indented.
                known = {"shutting_down": False, "in_progress_operations": task.operations, "version": "0.47.1"}
                self._answer(json.dumps(known, indent=2))

            def do_PUT(self) -> None:
                assert self.path == "/api/0123/task-protection/v1/state"
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                task.asked.append(asked)
                state = {"ProtectionEnabled": asked["ProtectionEnabled"], "TaskArn": TASK}
                self._answer(json.dumps(task.refusal or {"protection": state}))

            def _answer(self, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's own name
                pass

        return Handler


@pytest.fixture
def task() -> Iterator[Task]:
    made = Task()
    yield made
    if made.process.poll() is None:
        made.close()


def test_a_task_is_protected_while_an_operation_is_in_progress_and_released_after_it(task: Task) -> None:
    # What an earlier run of the container left is released first.
    eventually(lambda: task.asked == [IDLE])
    task.operations = 1
    eventually(lambda: task.asked == [IDLE, BUSY])
    task.operations = 0
    eventually(lambda: task.asked == [IDLE, BUSY, IDLE])
    assert task.close().splitlines() == [
        "protected: operations in progress: 1",
        "released: no operation in progress",
    ]
    assert task.process.returncode == 0


def test_a_protection_is_renewed_before_it_runs_out(task: Task) -> None:
    task.operations = 2
    eventually(lambda: task.asked.count(BUSY) >= 3)
    assert task.close().splitlines() == ["protected: operations in progress: 2"]
    assert task_protection.RENEW_EVERY * 2 < task_protection.EXPIRES * 60


def test_a_server_that_does_not_answer_keeps_what_it_has_and_renews_nothing(task: Task) -> None:
    task.operations = 1
    eventually(lambda: BUSY in task.asked)
    task.operations = None
    time.sleep(0.3)
    before = list(task.asked)
    time.sleep(1.5)
    assert task.asked == before
    task.operations = 0
    eventually(lambda: task.asked[-1] == IDLE)


def test_a_refusal_is_printed_once_and_asked_for_again(task: Task) -> None:
    eventually(lambda: task.asked == [IDLE])
    task.refusal = {"failure": {"Arn": TASK, "Reason": "DEPLOYMENT_BLOCKED"}}
    task.operations = 1
    eventually(lambda: task.asked.count(BUSY) >= 3)
    task.refusal = None
    known = len(task.asked)
    eventually(lambda: len(task.asked) > known)
    printed = task.close().splitlines()
    assert [line.split(": ")[0] for line in printed] == ["task protection can't be set to true", "protected"]
    assert "DEPLOYMENT_BLOCKED" in printed[0]


def test_the_container_has_no_secret_no_volume_and_no_port() -> None:
    container = task_protection.container(
        image="image:v1", user="100:1000", port=4141, log_group="/ecs/atlantis-prod", region="ap-northeast-2"
    )
    assert container == {
        "name": "task-protection",
        "image": "image:v1",
        "essential": False,
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
        "user": "100:1000",
        "privileged": False,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "readonlyRootFilesystem": True,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [task_protection.script(4141)],
        "stopTimeout": 10,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/atlantis-prod",
                "awslogs-region": "ap-northeast-2",
                "awslogs-stream-prefix": "task-protection",
            },
        },
    }
