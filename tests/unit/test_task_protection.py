"""Task protection: the shell program of the container, run against a server's /status and an ECS agent's endpoint."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from components.compute import task_protection
from tests.unit.isolation.containers import eventually
from tests.unit.isolation.test_agent import Surroundings

TASK = "arn:aws:ecs:ap-northeast-2:123456789012:task/atlantis-prod/0123456789abcdef"
BUSY = {"ProtectionEnabled": True, "ExpiresInMinutes": 30}
IDLE = {"ProtectionEnabled": False}


class Task(Surroundings):
    """The program, and what it speaks to."""

    def __init__(self) -> None:
        super().__init__()
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", task_protection.script(self.port, look_every=0.05, renew_every=1)],
            env={"PATH": os.environ["PATH"], "ECS_AGENT_URI": f"{self.url}/api/0123"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stop(self) -> str:
        """End the program as ECS does, after it has looked once more; what it printed."""
        known = self.looks
        eventually(lambda: self.looks > known + 1)
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=10)
        return printed


@pytest.fixture
def task() -> Iterator[Task]:
    made = Task()
    yield made
    if made.process.poll() is None:
        made.stop()
    made.close()


def test_a_task_is_protected_while_an_operation_is_in_progress_and_released_after_it(task: Task) -> None:
    # What an earlier run of the container left is released first.
    eventually(lambda: task.protection == [IDLE])
    task.operations = 1
    eventually(lambda: task.protection == [IDLE, BUSY])
    task.operations = 0
    eventually(lambda: task.protection == [IDLE, BUSY, IDLE])
    assert task.stop().splitlines() == [
        "protected: operations in progress: 1",
        "released: no operation in progress",
    ]
    assert task.process.returncode == 0


def test_a_protection_is_renewed_before_it_runs_out(task: Task) -> None:
    task.operations = 2
    eventually(lambda: task.protection.count(BUSY) >= 3)
    assert task.stop().splitlines() == ["protected: operations in progress: 2"]
    assert task_protection.RENEW_EVERY * 2 < task_protection.EXPIRES * 60


def test_a_server_that_does_not_answer_keeps_what_it_has_and_renews_nothing(task: Task) -> None:
    task.operations = 1
    eventually(lambda: BUSY in task.protection)
    task.operations = None
    time.sleep(0.3)
    before = list(task.protection)
    time.sleep(1.5)
    assert task.protection == before
    task.operations = 0
    eventually(lambda: task.protection[-1] == IDLE)


def test_a_refusal_is_printed_once_and_asked_for_again(task: Task) -> None:
    eventually(lambda: task.protection == [IDLE])
    task.refusal = {"failure": {"Arn": TASK, "Reason": "DEPLOYMENT_BLOCKED"}}
    task.operations = 1
    eventually(lambda: task.protection.count(BUSY) >= 3)
    task.refusal = None
    known = len(task.protection)
    eventually(lambda: len(task.protection) > known)
    printed = task.stop().splitlines()
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
