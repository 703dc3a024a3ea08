"""A stack of the engine: the commands for it, run in the sandbox's environment, and its state on disk."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from sandbox.testbed import local_aws
from sandbox.testbed.engine import attached, installation, plugins
from sandbox.testbed.engine.workspace import Workspace
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import read_json


class EngineError(SandboxError):
    """The engine failed. It has printed the error itself, unless ``output`` has it."""

    def __init__(self, verb: str, code: int, output: str = "") -> None:
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"`pulumi {verb}` {ended}{f':{os.linesep}{output}' if output else '; its reasons are above'}")
        self.code = code


class EngineStack:
    """The stack ``name`` in ``workspace``, whose files have been prepared.

    The state of a ``disposable`` one is written only when a run ends: after a killed run, nobody continues with it.
    """

    def __init__(self, name: str, workspace: Workspace, *, disposable: bool = False) -> None:
        self.name = name
        self.workspace = workspace
        self._disposable = disposable

    @cached_property
    def engine(self) -> installation.Engine:
        """The engine, which is built on first use if there is none."""
        return installation.locate()

    @property
    def exists(self) -> bool:
        """Whether the engine has a state of this stack."""
        return self._checkpoint_file is not None

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The resources in the engine's state; empty if the stack was never deployed."""
        return self._checkpoint.get("resources") or []

    @property
    def has_pending_operations(self) -> bool:
        """Whether the engine recorded operations whose result it doesn't know."""
        return bool(self._checkpoint.get("pending_operations"))

    def restore(self) -> bool:
        """Replace a truncated state with its newest valid copy. A state is truncated if the disk is full, for example.

        The engine copies the state before it writes a new one, so a second interrupted write truncates the copy too.
        It also keeps the state of each completed run. Returns whether the state was replaced. Raises ``SandboxError``
        if no copy is valid.
        """
        self._remove_cut_attributes()
        file = self._checkpoint_file
        if file is None or _readable(file):
            return False
        kept = sorted(self._kept_states(file), key=_written_at, reverse=True)
        whole = next((path for path in kept if _readable(path)), None)
        if whole is None:
            raise SandboxError(
                f"The engine's state {file} is damaged, and so are its copies. Restore a valid "
                f"one, or delete the stack: run `make down`, then delete the folder {self.workspace.state}."
            )
        file.rename(file.with_name(f"{file.name}.damaged"))
        shutil.copy2(whole, file)
        return True

    def _remove_cut_attributes(self) -> None:
        """Delete truncated attribute files, which the engine rejects. It writes one for each file, but needs none."""
        for folder in ("stacks", "locks"):
            for attributes in (self.workspace.backend / ".pulumi" / folder).rglob("*.attrs"):
                if not _readable(attributes):
                    attributes.unlink()

    def _kept_states(self, file: Path) -> list[Path]:
        own = self.workspace.backend / ".pulumi"
        return [
            *file.parent.glob(f"{file.name}.bak"),
            *own.glob(f"backups/*/{self.name}/*.json"),
            *own.glob(f"history/*/{self.name}/*.checkpoint.json"),
        ]

    def create(self) -> None:
        """Create the stack in the engine's backend."""
        self.ask("stack", "init", self.name, "--secrets-provider", "passphrase", stack=False)

    def cancel(self) -> None:
        """Remove the lock of an engine that was killed."""
        self.ask("cancel", "--yes", self.name, stack=False)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs by name, with masked secrets."""
        return json.loads(self.ask("stack", "output", "--json"))

    def export(self) -> dict[str, Any]:
        """The engine's state of the stack, with encrypted secrets."""
        return json.loads(self.ask("stack", "export"))

    def steps(self, lock: int | None) -> list[dict[str, Any]]:
        """What an update would do: the engine's steps as in `pulumi preview --json`, each with its detailed diff."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            try:
                self.run("preview", "--json", lock=lock, output=output)
            except EngineError as error:
                output.seek(0)
                raise EngineError("preview", error.code, output.read()) from None
            output.seek(0)
            return json.load(output)["steps"]

    def run(self, verb: str, *arguments: str, lock: int | None, output: IO[str] | None = None) -> None:
        """Run the engine with its output on the terminal or in ``output``. It inherits the file descriptor ``lock``."""
        command = self._command([verb, *arguments, "--suppress-permalink=true"])
        environment = self._environment()
        if verb == "refresh" or self._disposable:
            # The engine would write the whole state after each resource, which takes as long as the rest of a refresh and a fifth
            # of a first deployment. A refresh creates nothing: if it is killed, the earlier state is still valid.
            environment["PULUMI_SKIP_CHECKPOINTS"] = "true"
        with attached.start(plugins.stand_ins(), environment, language=self.engine.language_host is None) as servers:
            child = subprocess.Popen(
                command,
                env={**environment, **servers.environment},
                pass_fds=[*([] if lock is None else [lock]), *servers.descriptors],
                stdout=output,
            )
            code = _wait(child)
        if code != 0:
            raise EngineError(verb, code)

    def ask(self, *arguments: str, stack: bool = True) -> str:
        """Run the engine without showing its output, and return its standard output."""
        answer = subprocess.run(
            [*self._command(arguments, stack=stack), "--non-interactive"],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise EngineError(" ".join(arguments[:2]), answer.returncode, answer.stderr.strip())
        return answer.stdout

    def _command(self, arguments: Sequence[str], *, stack: bool = True) -> list[str]:
        chosen = ["--stack", self.name] if stack else []
        return [str(self.engine.executable), "-C", str(self.workspace.project), *arguments, *chosen]

    def _environment(self) -> dict[str, str]:
        return self.workspace.environment(local_aws.running(self.workspace.state))

    @property
    def _checkpoint_file(self) -> Path | None:
        # The folder in between has the project's name; a state folder has one project.
        return next(self.workspace.backend.glob(f".pulumi/stacks/*/{self.name}.json"), None)

    @property
    def _checkpoint(self) -> dict[str, Any]:
        file = self._checkpoint_file
        document = (read_json(file) if file and _readable(file) else None) or {}
        return document.get("checkpoint", {}).get("latest") or {}


def _written_at(state: Path) -> int:
    """When the engine wrote a state, in ns since 1970: the time in its name, which copying the folder preserves."""
    in_name = re.search(r"[.-](\d{19})(?:\.checkpoint)?\.json$", state.name)
    return int(in_name[1]) if in_name else state.stat().st_mtime_ns


def _readable(file: Path) -> bool:
    try:
        return bool(read_json(file))
    except ValueError:  # neither JSON nor text
        return False


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the engine, even on an interrupt: it completes its running operations and writes its state."""
    if threading.current_thread() is not threading.main_thread():
        return child.wait()

    def forward(_signal: int, _frame: object) -> None:
        child.send_signal(signal.SIGINT)

    previous: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, forward)
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The terminal has sent the interrupt to the engine as well.
                continue
    finally:
        signal.signal(signal.SIGTERM, previous)
