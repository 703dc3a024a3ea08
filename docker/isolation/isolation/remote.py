"""Hands a command of the server's container to a worker, and writes down what comes back.

It starts for each command of a plan, and most of its CPU time is that of its imports. It and the modules that it imports therefore do
without `dataclasses` and `secrets`, and import `shutil` and `zipfile` where they are used: that halves the time.
"""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from isolation import client, commands, packing, paths, plan_file, protocol
from isolation.checkout import LARGEST_FILE, Checkout, CheckoutError, locate, open_beneath, write_beneath
from isolation.client import ExecutorError, Outcome
from isolation.commands import CommandError, TerraformCommand
from isolation.packing import Packed
from isolation.plan_file import PlanFileError
from isolation.protocol import Channel, ProtocolError
from isolation.records import Records

LOCK_FILE = ".terraform.lock.hcl"
FAILURES = (CheckoutError, CommandError, ExecutorError, PlanFileError, ProtocolError, OSError)
"""What ends a command with a sentence."""

OWN_NAMES = "ISOLATION_SERVER_NAMES"
"""The variable with the names that the server was started with, separated by spaces; those are the server's own."""
FOR_TERRAFORM = "ISOLATION_FORWARD"
"""The variable with the names that are for Terraform although the server was started with them (`serverSecrets`)."""

_TERRAFORMS = re.compile(r"(TF|TOFU|TG|TERRAGRUNT)_\w+")
# Directories and programs of the server's container, and what makes a program load other code. An executor sets its own.
_NEVER = re.compile(
    r"PATH|HOME|PWD|OLDPWD|SHLVL|_|TMPDIR|LD_\w+|PYTHON\w+|GIT_\w+|ISOLATION_\w+|ECS_\w+|SSH_\w+"
    r"|AWS_CONTAINER_\w+|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE"
    # An image's own; the cache would be a directory that all commands write.
    r"|TF_PLUGIN_CACHE_DIR|TF_DATA_DIR|TF_CLI_CONFIG_FILE"
)


class RefusedPlanError(CommandError):
    """A plan file isn't applied."""


def main() -> NoReturn:
    """Run the command of this process' arguments, the first of which is the program's name."""
    program, arguments = sys.argv[1], sys.argv[2:]
    if program.startswith("run-in-"):
        from isolation import run_in  # noqa: PLC0415 - takes long

        work: Callable[[], int] = lambda: run_in.run(program, arguments)  # noqa: E731
    else:
        work = lambda: _terraform(program, arguments)  # noqa: E731
    try:
        code = work()
    except FAILURES as problem:
        print(f"{program}: {problem}", file=sys.stderr, flush=True)
        code = 1
    end(code)


def _terraform(program: str, arguments: list[str]) -> int:
    """Run a command of Terraform or OpenTofu."""
    checkout = locate(paths.data_directory() / "repos")
    command = commands.parse(arguments, checkout)
    if arguments == ["workspace", "show"]:
        # Each command runs in it; a worker may have to be initialised first to answer.
        print(checkout.workspace, flush=True)
        return 0
    return _run(program, checkout, command).code


def end(code: int) -> NoReturn:
    """End this process as the command ended: with its exit code, or by its signal."""
    sys.stdout.flush()
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL needs no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _run(program: str, checkout: Checkout, command: TerraformCommand) -> Outcome:
    records = Records(paths.data_directory(), checkout)
    lock_file = checkout.relative(LOCK_FILE)
    collected = {lock_file} if command.kind in {"init", "get", "providers"} else set()
    if command.plan_output:
        records.set_plan(command.plan_output, None)
        collected.add(command.plan_output)
    request: dict[str, Any] = {
        "kind": command.kind,
        "program": program,
        "arguments": command.arguments,
        "init": records.init(checkout.directory),
        "stale": not _has_mark(checkout),
        "collect": sorted(collected),
    }
    if command.plan_input:
        request |= planned(checkout, records, command.plan_input)
    outcome, packed = run_on_executor(command.role, checkout, request)
    if outcome.code == 0 and command.kind == "init":
        position = command.arguments.index("init")
        records.set_init(checkout.directory, command.arguments[position + 1 :])
        _mark(checkout)
    if (content := outcome.files.get(lock_file)) is not None:
        write_beneath(checkout.root, lock_file, content, mode=0o644)
    # With -detailed-exitcode, 2 is a plan with changes.
    content = outcome.files.get(command.plan_output or "")
    if command.plan_output and outcome.code in {0, 2} and content is not None:
        accept_plan(checkout, records, command.plan_output, content, packed=packed, opentofu=program.startswith("tofu"))
    return outcome


def accept_plan(
    checkout: Checkout, records: Records, path: str, content: bytes, *, packed: Packed | None, opentofu: bool
) -> None:
    """Write a plan file that came back into the checkout and record it, if it is a plan of the checkout."""
    try:
        plan_file.verify(content, directory=checkout.directory, packed=packed, opentofu=opentofu)
    except PlanFileError as problem:
        raise PlanFileError(
            f"the plan file {path} isn't accepted: {problem}. The plan's own code has changed it, or generates configuration: "
            "docker/isolation/README.md says what to do about the second"
        ) from problem
    write_beneath(checkout.root, path, content)
    records.set_plan(path, plan_file.digest(content))


def planned(checkout: Checkout, records: Records, path: str) -> dict[str, str]:
    """The part of a request that names the plan file and its hash; raises `RefusedPlanError` unless it is the one that was made."""
    expected = records.plan(path)
    with open(open_beneath(checkout.root, path), "rb") as file:  # noqa: PTH123 a descriptor
        found = plan_file.digest(file.read(LARGEST_FILE + 1))
    if expected is None:
        raise RefusedPlanError(
            f"{path} wasn't made by a plan in this checkout, or before its stack isolated Terraform: plan again"
        )
    if found != expected:
        raise RefusedPlanError(f"{path} isn't the plan that was made (SHA-256 {found}, planned {expected}): plan again")
    return {"plan_file": path, "plan_sha256": expected}


def _mark(checkout: Checkout) -> None:
    """Show that `init` has run: a workflow that removes `.terraform` here means the worker's."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(checkout.root / checkout.directory / ".terraform")  # noqa: PTH102


def _has_mark(checkout: Checkout) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISDIR(os.lstat(checkout.root / checkout.directory / ".terraform").st_mode)
    return False


def run_on_executor(role: str, checkout: Checkout, request: dict[str, Any]) -> tuple[Outcome, Packed]:
    """Run a command on a worker of `role`; prints what its executor reports.

    A plan whose worker ends starts again on another one, once. An apply never does.
    """
    packed: list[Packed] = []

    def send(channel: Channel) -> None:
        packed.clear()
        if sent := packing.send(checkout.root, channel):
            packed.append(sent)

    request = {
        "role": role,
        "checkout": checkout.name,
        "directory": checkout.directory,
        "workspace": os.environ.get("WORKSPACE") or checkout.workspace,
        "environment": forwarded(os.environ),
        "merge": merges_output(),
        **request,
    }
    tried: list[str] = []
    restarts = 0
    while True:
        connection, worker, git = _connected(request, tried)
        with connection:
            outcome = client.run(connection, {**request, "git": git}, send)
        if outcome.ended and not (outcome.full or outcome.again):
            break
        tried.append(worker)
        if outcome.interrupted:
            raise ExecutorError(f"interrupted; the worker {worker} has ended, too")
        if outcome.full or not outcome.started:
            # Nothing ran there.
            if not outcome.full:
                _note(f"the {role} worker {worker} doesn't answer; another one takes the command")
            continue
        if role == paths.APPLY:
            raise ExecutorError(_LOST.format(worker=worker, kind=request["kind"]))
        if (restarts := restarts + 1) > 1:
            raise ExecutorError(
                f"two workers ended while this command ran, the last one is {worker}: the log streams plan/ have the reason. "
                "If the command needs more memory than a worker has, raise planWorkerMemory"
            )
        _note(f"the plan worker {worker} ended while this command ran; the command starts again on another one")
    if outcome.message:
        print(outcome.message, file=sys.stderr, flush=True)
    return outcome, packed[0] if packed else Packed(checkout.root, {})


def forwarded(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a command gets. The server's own stay, because its secrets and its configuration are among them."""
    own = set(environment.get(OWN_NAMES, "").split())
    for_terraform = set(environment.get(FOR_TERRAFORM, "").split())
    return {
        name: value
        for name, value in environment.items()
        if not _NEVER.fullmatch(name) and (name not in own or name in for_terraform or _TERRAFORMS.fullmatch(name))
    }


_LOST = (
    "the connection with the apply worker {worker} ended while {kind} ran, so a part may have been applied. If the worker lives, it "
    "continues, and its result follows as a comment. Otherwise the lock of the state may remain. Don't repeat the apply: plan again, which "
    "shows what is left. If the plan finds the state locked, and no apply of this state runs, release the lock with terraform "
    "force-unlock and the ID that the plan prints, with your own credentials"
)


def _connected(request: dict[str, Any], tried: list[str]) -> tuple[socket.socket, str, dict[str, str] | None]:
    """A connection with a worker, its ID, and a token for modules; the agent waits until there is a worker."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(paths.DISPATCHER_SOCKET))
        asked = {
            "ticket": os.environ.get("ISOLATION_TICKET", ""),
            "role": request["role"],
            "checkout": request["checkout"],
            "tried": tried,
            # A step of a workflow has none, because its command decides what to do with it.
            "git": request["kind"] != "run",
        }
        connection.sendall(json.dumps(asked).encode() + b"\n")
        while True:
            answer = protocol.line(connection)
            if "say" not in answer:
                break
            _note(answer["say"])
    except (OSError, ValueError) as problem:
        connection.close()
        raise ExecutorError(
            f"the agent container gives no worker ({problem}), so nothing ran: its log stream has the reason"
        ) from problem
    if "error" in answer:
        connection.close()
        raise ExecutorError(answer["error"])
    return connection, answer["worker"], answer["git"]


def _note(text: str) -> None:
    """A line about the worker, where the server doesn't read the output as a whole."""
    if os.environ.get("ISOLATION_SHOWN"):
        print(text, file=sys.stderr, flush=True)


def merges_output() -> bool:
    """Whether output and errors go to the same place, so that the executor keeps their order."""
    try:
        out, error = os.fstat(1), os.fstat(2)
    except OSError:
        return False
    return (out.st_dev, out.st_ino) == (error.st_dev, error.st_ino)
