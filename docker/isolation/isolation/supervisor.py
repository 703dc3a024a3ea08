"""One command of an executor, from the request to the exit code, in a separate process that has root's rights."""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from isolation import checkout, copying, job, paths, protocol
from isolation.checkout import CheckoutError, open_beneath
from isolation.job import Attention, Interrupts, Limits
from isolation.outcomes import KEPT_OUTPUT, Outcomes
from isolation.protocol import Channel, ProtocolError
from isolation.session import SessionError, Sessions
from isolation.users import Tenancy, Users, as_user

_OWN = re.compile(r"AWS_CONTAINER_\w+|ECS_\w+|ISOLATION_\w+|HOSTNAME|PWD|OLDPWD|SHLVL|_")
"""Variables of the executor that no command gets: those of ECS lead to the task role's credentials."""


class FullError(Exception):
    """The worker takes no command now; the message says why."""


class Slots:
    """How many commands run at once: `count` places, as files in `folder`, which are locked by the processes that hold them."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self.count = folder, count

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Take a place for a command; raises `FullError` if all are taken."""
        with self._examined() as taken:
            free = next((number for number in range(self.count) if number not in taken), None)
            if free is None:
                raise FullError(f"{self.count} commands run on this worker already")
            place = self._locked(str(free))
        try:
            yield
        finally:
            if place is not None:
                os.close(place)

    def taken(self) -> int:
        """How many commands run."""
        with self._examined() as taken:
            return len(taken)

    @contextlib.contextmanager
    def _examined(self) -> Iterator[set[int]]:
        """The numbers of the places that are taken; nobody else looks or takes one meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self._folder / "all", "w", encoding="ascii") as guard:  # noqa: PTH123
            fcntl.flock(guard, fcntl.LOCK_EX)
            taken = set()
            for number in range(self.count):
                if (place := self._locked(str(number))) is None:
                    taken.add(number)
                else:
                    os.close(place)
            yield taken

    def _locked(self, name: str) -> int | None:
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


@dataclass(frozen=True)
class Options:
    """How an executor runs commands."""

    role: str
    users: Users
    limits: Limits
    slots: Slots
    outcomes: Outcomes
    keeps_copies: bool
    """Whether files that are unchanged since an earlier command aren't sent again."""
    problem: str
    """What was wrong when the executor started; empty if nothing was."""


@dataclass
class Command:
    """A command to run. Paths are relative to the checkout's root."""

    kind: str
    program: str
    arguments: list[str]
    checkout: str
    directory: str
    workspace: str
    environment: dict[str, str]
    collect: list[str]
    init: list[str] | None
    merge: bool
    plan_file: str | None = None
    plan_sha256: str | None = None
    git: dict[str, str] | None = None
    """A token that reads modules, and its host."""
    stale: bool = False
    """Whether what `init` has made in the directory is outdated: the server's checkout lacks it."""


def _checked(request: Mapping[str, Any], role: str) -> Command:
    """The command of `request` for the executor `role`: nothing in it leads out of a checkout or to the wrong kind of worker."""
    command = Command(**{each.name: request[each.name] for each in dataclasses.fields(Command) if each.name in request})
    if not checkout.valid_name(command.checkout):
        raise ProtocolError(f"{command.checkout!r} isn't a checkout")
    for path in (command.directory, *command.collect, command.plan_file or "."):
        if path.startswith("/") or ".." in path.split("/"):
            raise ProtocolError(f"{path!r} isn't a path in a checkout")
    # A worker of the other kind has the other credentials.
    if request["role"] != role or (
        command.kind != "run" and (command.kind in paths.APPLY_ONLY) != (role == paths.APPLY)
    ):
        raise ProtocolError(f"{command.kind} doesn't run on {role} workers")
    if role == paths.APPLY and (command.plan_file is None) != (command.kind == "import"):
        raise ProtocolError("apply workers apply a plan file, or import")
    return command


class _CommandFailedError(Exception):
    """A command ends before its program has run; the message and the exit code say how."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


_FAILURES = (CheckoutError, ProtocolError, SessionError, OSError, shutil.Error, KeyError, TypeError, ValueError)
"""What ends a command with a sentence; the last three are of a request that no shim sends."""


def serve(connection: socket.socket, options: Options, *, ending: bool) -> None:
    """Run the command, or answer the question, that comes in on `connection`; `ending` if the worker takes no more commands."""
    channel, kept = Channel(connection), ""
    channel.keep_alive()
    try:
        message = channel.receive()
        if message is None:
            return
        request = protocol.decode(message[1])
        if message[0] != protocol.REQUEST or request.get("protocol") != protocol.VERSION:
            raise ProtocolError(
                f"the worker's protocol is {protocol.VERSION}, the server's {request.get('protocol')}: one of both services still "
                "has the image of before; wait for its deployment, and repeat the command"
            )
        if answer := _QUESTIONS.get(request["kind"]):
            if found := answer(options, request):
                channel.send(protocol.DATA, json.dumps(found).encode())
            ended: dict[str, Any] = {"code": 0}
        elif ending:
            ended = {"code": 1, "full": True, "message": "this worker ends"}
        else:
            channel, ended, kept = _command(channel, options, request)
    except _CommandFailedError as problem:
        ended = {"code": problem.code, "message": f"{options.role}: {problem}"}
    except FullError as problem:
        ended = {"code": 1, "full": True, "message": str(problem)}
    except _FAILURES as problem:
        detail = (
            str(problem) if not isinstance(problem, KeyError | TypeError | ValueError) else f"the request: {problem!r}"
        )
        ended = {"code": 1, "message": f"{options.role}: {detail}"}
    if _end(channel, ended):
        options.outcomes.acknowledge(kept)


def _end(channel: Channel, ended: Mapping[str, Any]) -> bool:
    """Send how the command ended; whether the shim has it."""
    connection = channel.connection
    with contextlib.suppress(OSError):
        channel.send_json(protocol.EXIT, {**ended, "message": ended.get("message", "")[-4096:]})
        # What the shim still sends would reset the connection before it has read the answer.
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        while (message := channel.receive()) is not None:
            if message[0] == protocol.ACKNOWLEDGE:
                return True
    return False


def _ping(options: Options, _request: Mapping[str, Any]) -> None:
    if options.problem:
        raise _CommandFailedError(options.problem)


_QUESTIONS: Mapping[str, Callable[[Options, Mapping[str, Any]], object]] = {
    "ping": _ping,
    "status": lambda options, _: {
        # A result that nobody has protects the task, too.
        "running": options.slots.taken() + options.outcomes.waiting(),
        "commands": options.slots.count,
    },
    "results": lambda options, _: {"results": options.outcomes.all()},
    "forget": lambda options, request: options.outcomes.forget(request["id"]),
}


def _command(channel: Channel, options: Options, request: Mapping[str, Any]) -> tuple[Channel, dict[str, Any], str]:
    """Run a command; returns the channel, how it ended, and the ID under which this is kept until it is commented."""
    interrupts = Interrupts()
    _ping(options, request)
    command = _checked(request, options.role)
    began = time.time()
    with options.slots.hold(), options.users.tenant(command.checkout) as tenancy:
        _log(command, "start")
        run = _Run(channel, options, interrupts, command, tenancy)
        try:
            code, message = run.run()
            ended: dict[str, Any] = {"code": code, "message": message}
        except _CommandFailedError as problem:
            ended = {"code": problem.code, "message": f"{options.role}: {problem}"}
        except _FAILURES as problem:
            ended = {"code": 1, "message": f"{options.role}: {problem}"}
        _log(command, "end", seconds=round(time.time() - began, 1), exit=ended["code"])
    if interrupts.received and ended["code"]:
        if options.role == paths.PLAN:
            ended["again"] = True
        elif run.began:
            ended["message"] = f"{ended['message']}\n{_STOPPED}".strip()
    # What came before the program of an apply isn't worth a comment: nothing was changed.
    if run.began:
        run.keep(ended=time.time(), **ended)
    return run.channel, ended, run.identity


_STOPPED = (
    "The worker was stopped while this command ran, so it may have changed only a part. "
    "Plan again, and compare before you apply the rest"
)


def _log(command: Command, event: str, **more: object) -> None:
    """A line for people and metric filters: who runs what."""
    owner, name, pull, _ = command.checkout.split("/", 3)
    line = {
        "command": command.kind,
        "event": event,
        "repository": f"{owner}/{name}",
        "pull": pull,
        "directory": command.directory,
        "workspace": command.workspace,
    }
    print(json.dumps({**line, **more}), flush=True)


class _Run:
    """The steps of a command, in the order of `run`."""

    def __init__(
        self, channel: Channel, options: Options, interrupts: Interrupts, command: Command, tenancy: Tenancy
    ) -> None:
        self.channel, self._options, self._interrupts = channel, options, interrupts
        self._command, self._tenancy = command, tenancy
        self._sessions = Sessions(
            broker=paths.BROKER_SOCKET,
            # Of this command alone: the session's name has the command.
            folder=options.users.state / "credentials" / f"{tenancy.uid}-{os.getpid()}",
            uid=tenancy.uid,
            question={"checkout": command.checkout, "command": command.kind},
        )
        self._plan_copy: Path | None = None
        self.identity = secrets.token_hex(8)
        self.began = False
        """Whether the program of an apply has been started, so that something may be changed."""
        self._kept: dict[str, Any] = {
            "id": self.identity,
            "checkout": command.checkout,
            "directory": command.directory,
            "workspace": command.workspace,
            "command": command.kind,
            "began": time.time(),
        }
        self._output = b""

    def run(self) -> tuple[int, str]:
        """Run the command; returns its exit code and a message."""
        try:
            self._receive()
            self.channel.send(protocol.READY)
            self._sessions.write()
            self._keep_plan()
            if self._needs_init():
                self._init()
            if self._command.kind in paths.APPLY_ONLY and (lost := self._local_state()):
                raise _CommandFailedError(f"nothing was changed: {lost}")
            downloads = self._sessions.write_git(self._command.git) if self._command.kind in {"init", "get"} else {}
            send, limits = self.channel.send, dataclasses.replace(self._options.limits, continues=0)
            if self._options.role == paths.APPLY:
                if _has_ended(self.channel.connection):
                    raise _CommandFailedError("the server is gone, so nothing was changed")
                self.began, send, limits = True, self._send, self._options.limits
            code, message = self._job([self._command.program, *self._arguments()], downloads, send, limits)
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

    def _send(self, kind: bytes, content: bytes) -> None:
        """Send output of an apply, and remember its end."""
        self._output = (self._output + content)[-KEPT_OUTPUT:]
        self.channel.send(kind, content)

    def keep(self, **ended: object) -> None:
        """Keep the result, for a server that comes later; without `ended`, that the command continues."""
        self._kept |= {"output": self._output.decode(errors="replace"), **ended}
        self._options.outcomes.write(self._kept)

    def _receive(self) -> None:
        alone = self._tenancy.try_alone()
        kept = _providers if self._options.role == paths.APPLY else _made
        folder = self._command.directory
        if self._command.stale:
            self._marker().unlink(missing_ok=True)
        # The copying process reads the messages, and sends the heartbeats.
        self.channel.leave()
        with contextlib.ExitStack() as stack:
            stack.callback(self._tenancy.share)
            memory = stack.enter_context(self._memory()) if self._options.keeps_copies else None
            failed = as_user(
                self._tenancy.uid,
                lambda: copying.receive(
                    self.channel,
                    self._tenancy.root,
                    kept=kept,
                    alone=alone,
                    memory=memory,
                    stale=f"{folder}/.terraform" if self._command.stale else "",
                ),
            )
        if failed:
            raise _CommandFailedError(
                "the checkout can't be copied: the log stream of the worker's executor has the reason (is its disk full?)"
            )
        self.channel = Channel(self.channel.connection)
        self.channel.keep_alive()

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
        """The arguments, with the path of the protected plan file instead of the checkout's."""
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
        """Apply and import always; a plan after another worker or a removal has left the copy without."""
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
        downloads = self._sessions.write_git(self._command.git)
        code, message = self._job(
            [self._command.program, *arguments],
            downloads,
            lambda kind, content: printed.append((kind, content)),
            dataclasses.replace(self._options.limits, continues=0),
        )
        if code:
            for kind, content in printed:
                self.channel.send(kind, content)
            raise _CommandFailedError(
                message or f"{self._command.program} init failed on the {self._options.role} worker", code
            )
        self._marker().touch()

    def _local_state(self) -> str:
        """What would be lost if the state is a file in this worker's copy of the checkout; empty if it isn't."""
        file = self._tenancy.root / self._command.directory / ".terraform" / "terraform.tfstate"
        # As the user, because its commands can put a link there.
        if as_user(self._tenancy.uid, lambda: _require_remote_backend(file), quiet=True) == 0:
            return ""
        return (
            f"{self._command.directory} has a local state, which would be lost with the worker's copy of the checkout. "
            'Add a backend to its configuration, such as terraform { backend "s3" { ... } }, and plan again'
        )

    def _job(
        self, command: list[str], extra: Mapping[str, str], send: Callable[[bytes, bytes], None], limits: Limits
    ) -> tuple[int, str]:
        try:
            return job.run(
                self.channel,
                self._tenancy,
                command,
                environment={**self._environment(), **extra},
                directory=self._tenancy.root / self._command.directory,
                merge=self._command.merge,
                attention=Attention(self._interrupts, limits, send, self.keep, self._sessions.renew),
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
            # `terraform workspace select` needs an initialised directory.
            environment.setdefault("TF_WORKSPACE", self._command.workspace)
        if self._plan_copy:
            environment["PLANFILE"] = str(self._plan_copy)
        return {**environment, "HOME": str(self._tenancy.home), "TMPDIR": str(temporary), "GIT_TERMINAL_PROMPT": "0"}

    def _collect(self) -> None:
        for path in self._command.collect:
            if as_user(self._tenancy.uid, lambda path=path: copying.send_file(self.channel, self._tenancy.root, path)):
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


def _has_ended(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
