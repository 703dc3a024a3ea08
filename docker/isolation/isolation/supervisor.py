"""One command of an executor, from the request to the exit code, in a process of its own that has root's rights."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from isolation import checkout, copying, job, paths, protocol
from isolation.checkout import CheckoutError, open_beneath
from isolation.job import Interrupts, Limits
from isolation.protocol import Channel, ProtocolError
from isolation.request import Command, checked
from isolation.session import SessionError, Sessions
from isolation.users import Tenancy, Users, as_user

__all__ = ["Options", "serve"]

_OWN = re.compile(r"AWS_CONTAINER_\w+|ECS_\w+|ISOLATION_\w+|HOSTNAME|PWD|OLDPWD|SHLVL|_")
"""Variables of the executor that no command gets: those of ECS lead to the task role's credentials."""


@dataclass(frozen=True)
class Options:
    """How an executor runs commands."""

    role: str
    users: Users
    peers: frozenset[int]
    """The users that may connect: the server's, and root."""
    limits: Limits
    keeps_copies: bool
    """Whether files that are unchanged since an earlier command aren't sent again."""
    problem: Callable[[], str]
    """What was wrong when the executor started; empty if nothing was."""


class _CommandFailedError(Exception):
    """A command ends before its program has run; the message and the exit code say how."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def serve(connection: socket.socket, options: Options) -> None:
    """Run the command that comes in on `connection`."""
    channel = Channel(connection)
    interrupts = Interrupts()
    try:
        code, message = _serve(channel, options, interrupts)
    except _CommandFailedError as problem:
        code, message = problem.code, f"{options.role}: {problem}"
    except (CheckoutError, ProtocolError, SessionError, OSError, shutil.Error) as problem:
        code, message = 1, f"{options.role}: {problem}"
    try:
        channel.send_json(protocol.EXIT, {"code": code, "message": message[-4096:]})
        # What the shim still sends would reset the connection before it has read the answer.
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        while connection.recv(1 << 16):
            pass
    except OSError:
        return  # The shim is gone; nobody is left to tell.


def _serve(channel: Channel, options: Options, interrupts: Interrupts) -> tuple[int, str]:
    _, uid, _ = _credentials(channel.connection)
    if uid not in options.peers:
        raise _CommandFailedError(f"the user {uid} may not run commands here")
    message = channel.receive()
    if message is None or message[0] != protocol.REQUEST:
        raise ProtocolError("the connection begins without a request")
    request = protocol.decode(message[1])
    if request.get("protocol") != protocol.VERSION:
        raise ProtocolError(
            f"the protocol is {request.get('protocol')}, expected {protocol.VERSION}: use one image for the task"
        )
    if request["kind"] == "ping":
        problem = options.problem()
        return (1, problem) if problem else (0, "")
    if problem := options.problem():
        raise _CommandFailedError(problem)
    command = checked(request, options.role)
    with options.users.tenant(command.name) as tenancy:
        return _Run(channel, options, interrupts, command, tenancy).run()


class _Run:
    """The steps of a command, in the order of `run`."""

    def __init__(
        self, channel: Channel, options: Options, interrupts: Interrupts, command: Command, tenancy: Tenancy
    ) -> None:
        self._channel, self._options, self._interrupts = channel, options, interrupts
        self._command, self._tenancy = command, tenancy
        self._sessions = Sessions(
            broker=paths.broker_socket(options.role),
            # Of this command alone: the session's name has the command.
            folder=options.users.state / "credentials" / f"{tenancy.uid}-{os.getpid()}",
            uid=tenancy.uid,
            question={"checkout": command.name, "command": command.kind},
        )
        self._plan_copy: Path | None = None

    def run(self) -> tuple[int, str]:
        """Run the command; returns its exit code and a message."""
        try:
            self._receive()
            self._channel.send(protocol.READY)
            self._sessions.write()
            self._keep_plan()
            if self._needs_init():
                self._init()
            if self._command.kind in paths.APPLY_ONLY and (lost := self._local_state()):
                raise _CommandFailedError(f"nothing was changed: {lost}")
            downloads = self._sessions.write_git() if self._command.kind in {"init", "get"} else {}
            code, message = self._job([self._command.program, *self._arguments()], downloads, self._channel.send)
            if self._command.kind == "init" and code == 0:
                self._marker().touch()
            if self._command.kind == "plan" and code == 0 and (lost := self._local_state()):
                message = f"This plan can't be applied: {lost}"
            self._collect()
        finally:
            if self._plan_copy:
                shutil.rmtree(self._plan_copy.parent, ignore_errors=True)
            self._sessions.remove()
        return code, message

    def _receive(self) -> None:
        alone = self._tenancy.try_alone()
        kept = _providers if self._options.role == paths.APPLY else _made
        with contextlib.ExitStack() as stack:
            stack.callback(self._tenancy.share)
            memory = stack.enter_context(self._memory()) if self._options.keeps_copies else None
            failed = as_user(
                self._tenancy.uid,
                lambda: copying.receive(self._channel, self._tenancy.root, kept=kept, alone=alone, memory=memory),
            )
        if failed:
            raise _CommandFailedError(
                "the checkout can't be copied: the container's log stream has the reason (is the disk full?)"
            )
        # The copying process has read the messages.
        self._channel = Channel(self._channel.connection)

    def _memory(self) -> TextIO:
        """The file about the copies, which only the copying process gets, as a descriptor."""
        path = self._options.users.state / "locks" / f"{self._tenancy.uid}-copies.json"
        return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="ascii")  # noqa: PTH123

    def _keep_plan(self) -> None:
        """Copy the plan file to where no command's user can change it, and check that it is the one that was planned."""
        if not self._command.plan_file:
            return
        folder = self._options.users.state / "plans" / f"{self._tenancy.uid}-{os.getpid()}"
        folder.mkdir(parents=True, mode=0o711)
        folder.parent.chmod(0o711)
        self._plan_copy = folder / Path(self._command.plan_file).name
        with open(open_beneath(self._tenancy.root, self._command.plan_file), "rb") as file:  # noqa: PTH123
            content = file.read(checkout.LARGEST_FILE + 1)
        if hashlib.sha256(content).hexdigest() != self._command.plan_sha256:
            raise _CommandFailedError(f"{self._command.plan_file} isn't the plan that was made: plan again")
        self._plan_copy.write_bytes(content)
        os.chown(self._plan_copy, 0, self._tenancy.uid)
        self._plan_copy.chmod(0o640)

    def _arguments(self) -> list[str]:
        """The arguments, with the path of the protected plan file in the place of the checkout's."""
        arguments = self._command.arguments
        if not self._plan_copy or not self._command.plan_file:
            return arguments
        if self._command.kind == "apply":
            return [*arguments[:-1], str(self._plan_copy)]
        plan = str(self._tenancy.root / self._command.plan_file)
        return [argument.replace(plan, str(self._plan_copy)) for argument in arguments]

    def _marker(self) -> Path:
        return self._options.users.state / "locks" / f"{self._tenancy.uid}-{_hash(self._command.directory)}.initialised"

    def _needs_init(self) -> bool:
        """Apply and import always; in the plan container, after another task or a removal has left the copy without."""
        if self._command.kind in paths.APPLY_ONLY:
            return True
        prepared = self._marker().exists()
        return (
            self._command.kind in {"plan", "show", "providers", "output", "state"}
            and self._command.init is not None
            and not prepared
        )

    def _init(self) -> None:
        recorded = [argument for argument in self._command.init or [] if argument.lstrip("-") != "upgrade"]
        arguments = [
            "init",
            "-input=false",
            *(argument for argument in recorded if argument.lstrip("-") != "input=false"),
        ]
        if os.path.lexists(self._tenancy.root / self._command.directory / ".terraform.lock.hcl"):
            arguments.append("-lockfile=readonly")
        printed: list[tuple[bytes, bytes]] = []
        downloads = self._sessions.write_git()
        code, message = self._job(
            [self._command.program, *arguments], downloads, lambda kind, content: printed.append((kind, content))
        )
        if code:
            for kind, content in printed:
                self._channel.send(kind, content)
            raise _CommandFailedError(
                message or f"{self._command.program} init failed in the container {self._options.role}", code
            )
        self._marker().touch()

    def _local_state(self) -> str:
        """What would be lost if the state is a file in this container's copy of the checkout; empty if it isn't."""
        file = self._tenancy.root / self._command.directory / ".terraform" / "terraform.tfstate"
        # As the user, because its commands can put a link there.
        if as_user(self._tenancy.uid, lambda: _require_remote_backend(file), quiet=True) == 0:
            return ""
        return (
            f"{self._command.directory} has a local state, which would be lost with the container's copy of the checkout. "
            'Add a backend to its configuration, such as terraform { backend "s3" { ... } }, and plan again'
        )

    def _job(
        self, command: list[str], extra: Mapping[str, str], send: Callable[[bytes, bytes], None]
    ) -> tuple[int, str]:
        try:
            return job.run(
                self._channel,
                self._tenancy,
                command,
                environment={**self._environment(), **extra},
                directory=self._tenancy.root / self._command.directory,
                merge=self._command.merge,
                interrupts=self._interrupts,
                limits=self._options.limits,
                send=send,
                periodically=self._sessions.renew,
            )
        finally:
            self._sessions.remove_git()

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not _OWN.fullmatch(name)}
        temporary = self._tenancy.home / "tmp"
        if not temporary.is_dir():
            as_user(self._tenancy.uid, lambda: temporary.mkdir(exist_ok=True, mode=0o700))
        environment = {**own, **self._command.environment, **self._sessions.environment()}
        if self._command.workspace != "default":
            environment.setdefault("TF_WORKSPACE", self._command.workspace)
        if self._plan_copy:
            environment["PLANFILE"] = str(self._plan_copy)
        return {**environment, "HOME": str(self._tenancy.home), "TMPDIR": str(temporary), "GIT_TERMINAL_PROMPT": "0"}

    def _collect(self) -> None:
        for path in self._command.collect:
            if as_user(self._tenancy.uid, lambda path=path: copying.send_file(self._channel, self._tenancy.root, path)):
                raise _CommandFailedError(
                    f"{path} doesn't come back: it isn't a regular file of the checkout, or is too large"
                )


def _require_remote_backend(file: Path) -> None:
    """Raise an error unless `init` has configured a backend that isn't `local`; without one, there is no such file."""
    if json.loads(file.read_text(encoding="utf-8"))["backend"]["type"] == "local":
        raise ValueError(file)


def _providers(path: str) -> bool:
    """What an apply keeps of an earlier one: the providers, which Terraform compares with the lock file."""
    return ".terraform/providers" in path


def _made(path: str) -> bool:
    """What a plan keeps of an earlier command: what Terraform and Terragrunt have made."""
    return bool({".terraform", ".terragrunt-cache"} & set(path.split("/")))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _credentials(connection: socket.socket) -> tuple[int, int, int]:
    return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
