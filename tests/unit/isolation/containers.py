"""The task's containers for a test: executors in mount namespaces of their own, with the real socket of the agent."""

import datetime
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from isolation.aws import Session
from isolation.broker import Broker, Roles

PROGRAMS = Path(__file__).parents[3] / "docker" / "isolation"
CHECKOUT = "my-organization/infrastructure/7/default"
SERVER = 100
"""The user of the server's container."""
# Without the user's own directories, which the server's user can't enter.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Users are the machine's, not the container's: without a process namespace, a kill would reach another test's commands.
_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")


def can_separate() -> bool:
    """Whether this machine lets a test run processes as other users, in mount namespaces."""
    if os.geteuid() or not shutil.which("unshare"):
        return False
    done = subprocess.run([*_NAMESPACES, "true"], capture_output=True, check=False)
    return done.returncode == 0


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Containers:
    """A task with the server's files in `data`, and the executors plan and apply.

    Each executor has its own directory mounted at the path that the checkouts have in the server's container.
    """

    def __init__(self, *executor_options: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="isolation-"))
        self.root.chmod(0o711)
        self.data = self.root / "data"
        self.checkout = self.data / "repos" / CHECKOUT
        self.checkout.mkdir(parents=True)
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self._options = executor_options
        self.sessions: list[tuple[str, str]] = []
        self.lifetime = 3600.0
        self._brokers: list[Broker] = []
        self._executors: dict[str, subprocess.Popen[bytes]] = {}
        for path in (self.data, self.data / "repos", self.bin, *list(self.checkout.parents)[:4]):
            path.chmod(0o755)
        subprocess.run(["chown", "-R", f"{SERVER}:1000", self.data], check=True)

    def __enter__(self) -> Self:
        for role in ("plan", "apply"):
            path = self.root / "run" / f"{role}-broker" / "agent.sock"
            broker = Broker(role, path, Roles(f"arn:aws:iam::123456789012:role/{role}"), self._assume, None)
            threading.Thread(target=broker.serve, daemon=True).start()
            self._brokers.append(broker)
            self.start(role)
        return self

    def __exit__(self, *_: object) -> None:
        for role in list(self._executors):
            self.stop(role)
        for broker in self._brokers:
            broker.close()
        shutil.rmtree(self.root)

    def start(self, role: str, *options: str, disk: str = "") -> None:
        """Start an executor and wait until it takes commands; with a `disk` of this size, its copies are in memory."""
        work = self.work(role)
        work.mkdir(exist_ok=True)
        printed = (self.root / f"{role}.log").stat().st_size if (self.root / f"{role}.log").exists() else 0
        mount = f'mount -t tmpfs -o mode=755,size={disk} none "$2"' if disk else 'mount --bind "$1" "$2"'
        script = f'mount --make-rprivate / && {mount} && shift 2 && exec "$@"'
        self._executors[role] = subprocess.Popen(
            [
                *(*_NAMESPACES, "sh", "-c", script, "executor", work, self.data / "repos"),
                *(PROGRAMS / "bin" / "executor", role, "--server-user", f"{SERVER}:1000", *self._options, *options),
            ],
            env={
                "PATH": f"{self.bin}:{_PATH}",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/secret",
                "ISOLATION_STATE_DIRECTORY": str(self.state(role)),
                **self._paths,
            },
            stdout=(self.root / f"{role}.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        eventually(lambda: b"ready for commands" in (self.root / f"{role}.log").read_bytes()[printed:])

    def stop(self, role: str) -> None:
        """Stop an executor as ECS does."""
        process = self._executors.pop(role)
        os.kill(self.first_process(process), signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def kill(self, role: str) -> None:
        """Kill an executor with all processes of its container."""
        process = self._executors.pop(role)
        os.kill(self.first_process(process), signal.SIGKILL)
        process.wait(20)

    def first_process(self, process: "subprocess.Popen[bytes]") -> int:
        """The first process of the namespace, as this process sees it."""
        return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()[0])

    def work(self, role: str) -> Path:
        """The executor's copies, as this process sees them."""
        return self.root / f"{role}-work"

    def state(self, role: str) -> Path:
        """The executor's own directory."""
        return self.root / f"{role}-state"

    def log(self, role: str) -> str:
        """What the executor has printed."""
        return (self.root / f"{role}.log").read_text(encoding="utf-8")

    def write(self, path: str, content: str, *, mode: int = 0o644) -> Path:
        """Write a file of the checkout."""
        file = self.checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)
        subprocess.run(["chown", "-R", f"{SERVER}:1000", self.checkout], check=True)
        return file

    def program(self, name: str, script: str) -> None:
        """Put a shell program into the image."""
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def popen(
        self, *command: str, directory: str = ".", environment: Mapping[str, str] | None = None, merge: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Start a shim as the server does."""
        folder = PROGRAMS / ("bin" if command[0].startswith("run-in-") else "shims")
        return subprocess.Popen(
            [folder / command[0], *command[1:]],
            cwd=self.checkout / directory,
            env={
                "PATH": f"{PROGRAMS / 'shims'}:{self.bin}:{_PATH}",
                "WORKSPACE": "default",
                **self._paths,
                **(environment or {}),
            },
            user=SERVER,
            group=1000,
            extra_groups=[],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            start_new_session=True,
        )

    def run(
        self, *command: str, given: str = "", directory: str = ".", environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a shim to its end."""
        process = self.popen(*command, directory=directory, environment=environment)
        out, error = process.communicate(given.encode(), timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, out.decode(), error.decode())

    @property
    def _paths(self) -> dict[str, str]:
        return {"ATLANTIS_DATA_DIR": str(self.data), "ISOLATION_RUN_DIRECTORY": str(self.root / "run")}

    def _assume(self, role_arn: str, session_name: str, _tags: Mapping[str, str]) -> Session:
        self.sessions.append((role_arn, session_name))
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.lifetime)
        return Session(f"AKIA{len(self.sessions)}", "secret", "token", expires)


if __name__ == "__main__":
    sys.exit(0 if can_separate() else "this machine can't separate users")
