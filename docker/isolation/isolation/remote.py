"""Hands a command of the server's container to the container it belongs to, and writes down what comes back.

It starts for each command of a plan, and most of its CPU time is that of its imports. It and the modules that it imports therefore do
without `dataclasses` and `secrets`, and import `shutil` and `zipfile` where they are used: that halves the time.
"""

import contextlib
import os
import signal
import sys
from typing import Any, NoReturn

from isolation import client, commands, packing, paths, plan_file
from isolation.checkout import LARGEST_FILE, Checkout, CheckoutError, locate, open_beneath, write_beneath
from isolation.client import ExecutorError, Outcome
from isolation.commands import CommandError, TerraformCommand
from isolation.forwarding import forwarded
from isolation.packing import Packed
from isolation.plan_file import PlanFileError
from isolation.protocol import Channel, ProtocolError
from isolation.records import Records

__all__ = ["RefusedPlanError", "end", "main", "merges_output", "planned", "run_on_executor"]

LOCK_FILE = ".terraform.lock.hcl"
FAILURES = (CheckoutError, CommandError, ExecutorError, PlanFileError, ProtocolError, OSError)
"""What ends a command with a sentence."""


class RefusedPlanError(CommandError):
    """A plan file isn't applied."""


def main(program: str, arguments: list[str]) -> NoReturn:
    """Run a command of Terraform or OpenTofu."""
    try:
        checkout = locate(paths.data_directory() / "repos")
        command = commands.parse(arguments, checkout)
        if arguments == ["workspace", "show"]:
            # Each command runs in it; another container may have to be initialised first to say so.
            print(checkout.workspace, flush=True)
            end(0)
        outcome = _run(program, checkout, command)
    except FAILURES as problem:
        print(f"{program}: {problem}", file=sys.stderr, flush=True)
        end(1)
    end(outcome.code)


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
        "collect": sorted(collected),
    }
    if command.plan_input:
        request |= planned(checkout, records, command.plan_input)
    outcome, packed = run_on_executor(command.role, checkout, request)
    if outcome.code == 0 and command.kind == "init":
        position = command.arguments.index("init")
        records.set_init(checkout.directory, command.arguments[position + 1 :])
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


def run_on_executor(role: str, checkout: Checkout, request: dict[str, Any]) -> tuple[Outcome, Packed]:
    """Run a command on the executor of `role`; prints what the executor has to say."""
    packed: list[Packed] = []

    def send(channel: Channel) -> None:
        if sent := packing.send(checkout.root, channel):
            packed.append(sent)

    outcome = client.run(
        paths.executor_socket(role),
        {
            "checkout": checkout.name,
            "directory": checkout.directory,
            "workspace": os.environ.get("WORKSPACE") or checkout.workspace,
            "environment": forwarded(os.environ),
            "merge": merges_output(),
            **request,
        },
        send,
    )
    if outcome.message:
        print(outcome.message, file=sys.stderr, flush=True)
    return outcome, packed[0] if packed else Packed(checkout.root, {})


def merges_output() -> bool:
    """Whether output and errors go to the same place, so that the executor keeps their order."""
    try:
        out, error = os.fstat(1), os.fstat(2)
    except OSError:
        return False
    return (out.st_dev, out.st_ino) == (error.st_dev, error.st_ino)
