"""The server's task and workers for a test: executors in mount namespaces, the TLS end, the dispatcher, the real programs."""

import contextlib
import datetime
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pytest

from isolation import paths, tls
from isolation.aws import AwsError, Session
from isolation.broker import Broker, Roles
from isolation.dispatcher import Configuration, Dispatcher, Fleet
from sandbox.testbed.ports import free_port

PROGRAMS = Path(__file__).parents[3] / "docker" / "isolation"
CHECKOUT = "my-organization/infrastructure/7/default"
KEY = "k" * 40
SILENCE = 4
"""Seconds after which the other side of a connection is taken for gone."""
SERVER = 100
"""The user of the server's container."""
# Without the user's own directories, which the server's user can't enter.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Users are the machine's, not the container's: without a process namespace, a kill would reach another test's commands.
_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")


def can_separate() -> bool:
    """Whether this machine lets a test run processes as other users, in mount namespaces, and has stunnel."""
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("stunnel"):
        return False
    done = subprocess.run([*_NAMESPACES, "true"], capture_output=True, check=False)
    return done.returncode == 0


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _descends(process: int, first: int) -> bool:
    while process > 1 and process != first:
        process = int(Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    return process == first


def _refused(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) != 0


class Workers(Fleet):
    """What ECS would report: the address of each worker by its name, `plan` or `plan-2`."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.problem = ""

    def workers(self, service: str) -> dict[str, str]:
        if self.problem:
            raise AwsError(self.problem)
        return {name: address for name, address in self.addresses.items() if name.partition("-")[0] == service}


class Containers:
    """The server's task with its files in `data`, and the workers of `roles`; each has a TLS end and an executor.

    Each executor has its own directory mounted at the path that the checkouts have in the server's container.
    """

    def __init__(
        self, *executor_options: str, roles: Sequence[str] = paths.ROLES, commands: int = 4, wait: float = 60
    ) -> None:
        self._roles = roles
        self.root = Path(tempfile.mkdtemp(prefix="isolation-"))
        self.root.chmod(0o711)
        self.data = self.root / "data"
        self.checkout = self.data / "repos" / CHECKOUT
        self.checkout.mkdir(parents=True)
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self._options = ("--commands", str(commands), *executor_options)
        self.sessions: list[tuple[str, str]] = []
        self.lifetime = 3600.0
        self.fleet = Workers()
        self._brokers: list[Broker] = []
        self._executors: dict[str, subprocess.Popen[bytes]] = {}
        self._ends: dict[str, subprocess.Popen[bytes]] = {}
        self._stop, self._patch = threading.Event(), pytest.MonkeyPatch()
        for path in (self.data, self.data / "repos", self.bin, *list(self.checkout.parents)[:4]):
            path.chmod(0o755)
        subprocess.run(["chown", "-R", f"{SERVER}:1000", self.data], check=True)
        self._configuration = Configuration(
            cluster="atlantis",
            port=4142,
            wait=wait,
            server_service="server",
            users=frozenset({SERVER}),
            services={role: role for role in paths.ROLES},
            commands=dict.fromkeys(paths.ROLES, commands),
        )

    def __enter__(self) -> Self:
        for role in self._roles:
            self.start(role)
        for name, path in (("WAKE", "wake"), ("TICKETS", "tickets"), ("DISPATCHER_SOCKET", "dispatcher.sock")):
            self._patch.setattr(paths, name, self.run_directory / "workers" / path)
        self.dispatcher = Dispatcher(self._configuration, self.fleet, tls.Key(KEY), None, look_every=0.05)
        for part in (self.dispatcher.look, self.dispatcher.accept, self.dispatcher.run):
            threading.Thread(target=part, args=(self._stop,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._patch.undo()
        for name in list(self._executors):
            self.kill(name)
        for end in self._ends.values():
            end.kill()
            end.wait()
        for broker in self._brokers:
            broker.close()
        shutil.rmtree(self.root)

    @property
    def run_directory(self) -> Path:
        """`/run/isolation` of the server's task."""
        return self.root / "run"

    def start(self, name: str, *options: str, disk: str = "", healthy: bool = True) -> None:
        """Start a worker's executor and wait until it takes commands; with a `disk` of this size, its copies are in memory."""
        role, run = name.partition("-")[0], self.root / f"{name}-run"
        work = self.work(name)
        work.mkdir(exist_ok=True)
        printed = (self.root / f"{name}.log").stat().st_size if (self.root / f"{name}.log").exists() else 0
        mount = f'mount -t tmpfs -o mode=755,size={disk} none "$2"' if disk else 'mount --bind "$1" "$2"'
        # What the users of commands can all write is the worker's.
        script = (
            "mount --make-rprivate / && mount -t tmpfs none /dev/shm && mount -t tmpfs none /var/tmp && "
            f'{mount} && shift 2 && exec "$@"'
        )
        if name not in self._ends:
            self._connect(name, run)
        self._executors[name] = subprocess.Popen(
            [
                *(*_NAMESPACES, "sh", "-c", script, "executor", work, self.data / "repos"),
                *(PROGRAMS / "bin" / "executor", role, *self._options, *options),
            ],
            env={
                "PATH": f"{self.bin}:{_PATH}",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/secret",
                "ISOLATION_STATE_DIRECTORY": str(self.state(name)),
                "ISOLATION_RUN_DIRECTORY": str(run),
                **self._paths,
            },
            stdout=(self.root / f"{name}.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        eventually(lambda: b"ready for commands" in (self.root / f"{name}.log").read_bytes()[printed:])
        if not healthy:
            self.fleet.addresses.pop(name)

    def _connect(self, name: str, run: Path) -> None:
        """Start what a worker has in addition to its executor: the agent's socket, and the TLS end."""
        role = name.partition("-")[0]
        broker = Broker(
            role, run / "broker" / "agent.sock", Roles(f"arn:aws:iam::123456789012:role/{role}"), self._assume
        )
        threading.Thread(target=broker.serve, daemon=True).start()
        self._brokers.append(broker)
        port = free_port()
        self._ends[name] = subprocess.Popen(
            [PROGRAMS / "bin" / "tls-end", "--address", "127.0.0.1", "--port", str(port)],
            env={"PATH": _PATH, "WORKERS_KEY": KEY, "ISOLATION_RUN_DIRECTORY": str(run)},
            stdout=(self.root / f"{name}-tls.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        eventually(lambda: not _refused(port))
        self.fleet.addresses[name] = f"127.0.0.1:{port}"

    def cut(self, name: str) -> None:
        """End the connections of a worker, as the network does, and let nobody connect again."""
        end = self._ends.pop(name)
        end.kill()
        end.wait()
        del self.fleet.addresses[name]

    def freeze(self, name: str) -> None:
        """Stop all processes of an executor's container where they are."""
        for process in self.processes(name):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGSTOP)

    def processes(self, *names: str) -> Iterator[int]:
        """The processes of executors' containers, by default of all."""
        firsts = [self.first_process(self._executors[name]) for name in names or self._executors]
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if any(_descends(int(entry.parent.name), first) for first in firsts):
                    yield int(entry.parent.name)

    def stop(self, name: str) -> None:
        """Stop an executor as ECS does."""
        process = self._executors.pop(name)
        os.kill(self.first_process(process), signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def restart(self, name: str, *options: str, disk: str = "") -> None:
        """Stop an executor, and start it with other options."""
        self.stop(name)
        self.start(name, *options, disk=disk)

    def kill(self, name: str) -> None:
        """Kill an executor with all processes of its container."""
        process = self._executors.pop(name)
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
        self,
        *command: str,
        directory: str = ".",
        environment: Mapping[str, str] | None = None,
        merge: bool = False,
        programs: Path | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a shim as the server does."""
        folder = programs or PROGRAMS / ("bin" if command[0].startswith("run-in-") else "shims")
        return subprocess.Popen(
            [folder / command[0], *command[1:]],
            cwd=self.checkout / directory,
            env={
                "PATH": f"{PROGRAMS / 'shims'}:{self.bin}:{_PATH}",
                "WORKSPACE": "default",
                "ISOLATION_RUN_DIRECTORY": str(self.run_directory),
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
        return {"ATLANTIS_DATA_DIR": str(self.data), "ISOLATION_SILENCE_SECONDS": str(SILENCE)}

    def _assume(self, role_arn: str, session_name: str, _tags: Mapping[str, str]) -> Session:
        self.sessions.append((role_arn, session_name))
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.lifetime)
        return Session(f"AKIA{len(self.sessions)}", "secret", "token", expires)
