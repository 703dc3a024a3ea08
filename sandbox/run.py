"""One sandbox: a state folder, a stack, the engine and the local AWS, and what can be done with them."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import console, engine, hooks, local_aws, locks, plugins, processes
from sandbox.errors import SandboxError
from sandbox.files import read_json
from sandbox.local_aws import LocalAws
from sandbox.paths import CHECKOUT, state_directory
from sandbox.workspace import Workspace, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EngineError", "Sandbox"]

PROJECT = "atlantis"
PROTECTION = "atlantis:deletionProtection"
UNATTENDED = ("--yes", "--skip-preview")


class EngineError(SandboxError):
    """The engine ended with an error, which it has shown itself."""

    def __init__(self, verb: str, code: int, output: str = "") -> None:
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"`pulumi {verb}` {ended}{f':{os.linesep}{output}' if output else '; its reasons are above'}")
        self.code = code


class Sandbox:
    """The sandbox of ``stack`` in the folder ``state``.

    ``program`` is the folder of the Pulumi program; ``settings`` (``namespace:key`` to value) override its stack
    file; ``policy_pack`` judges every preview and update, None for no pack.
    """

    def __init__(
        self,
        stack: str = "local",
        *,
        state: Path | None = None,
        program: Path = CHECKOUT,
        settings: Mapping[str, Any] | None = None,
        policy_pack: Path | None = CHECKOUT / "policy",
    ) -> None:
        self.stack = stack
        self.state = (state or state_directory()).resolve()
        self.program = program
        self.settings = dict(settings or {})
        self.policy_pack = policy_pack
        self.workspace = Workspace(self.state, program)
        self._lock: int | None = None

    @property
    def aws(self) -> LocalAws:
        """The running local AWS."""
        found = local_aws.running(self.state)
        if found is None:
            raise SandboxError(f"The local AWS of {self.state} is not running; `make up` starts it")
        return found

    @property
    def endpoint(self) -> str:
        """The local AWS' address, such as ``http://127.0.0.1:4566``."""
        return self.aws.endpoint

    def environment(self) -> dict[str, str]:
        """The environment of subprocesses: every AWS client and the engine see this sandbox only."""
        return self.workspace.environment(local_aws.running(self.state))

    # -- what a person asks for ----------------------------------------------------------------------------------

    def up(self) -> None:
        """Deploy the stack and bring it to life."""
        with self._run("up"):
            self._start()
            self._recover()
            self._change("up", "Deploying", *UNATTENDED, *self._policy())
            for hook in hooks.load():
                hook.after_up(self)

    def preview(self) -> None:
        """Show what ``up`` would do."""
        with self._run("preview"):
            self._start()
            self._engine("preview", *self._policy())

    def refresh(self) -> None:
        """Bring the engine's state up to date with the local AWS."""
        with self._run("refresh"):
            self._start()
            self._recover()
            self._change("refresh", "Reading back", *UNATTENDED)

    def down(self, *, force: bool = False) -> None:
        """Destroy what is not protected, or with ``force`` everything, and stop every process."""
        with self._run("down"):
            if self.resources():
                self._start()
                self._recover()
                for hook in reversed(hooks.load()):
                    hook.before_down(self)
                if force:
                    self._lift_protection()
                self._change("destroy", "Destroying", *UNATTENDED, "--remove" if force else "--exclude-protected")
            stopped = processes.stop_all(self.state)
            console.step(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running")
            if force:
                self._forget()
            else:
                self._report_kept()

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs by name; secret ones are not shown in clear."""
        self._require_stack()
        return json.loads(self._captured("stack", "output", "--json"))

    def export(self) -> dict[str, Any]:
        """The engine's state of the stack as it stands on disk, secrets encrypted."""
        self._require_stack()
        return json.loads(self._captured("stack", "export"))

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the engine's state; empty where the stack was never deployed."""
        return self._checkpoint().get("resources") or []

    # -- how it is done ------------------------------------------------------------------------------------------

    @contextmanager
    def _run(self, verb: str) -> "Iterator[None]":
        with locks.one_run(self.state, verb) as lock:
            self._lock = lock
            try:
                yield
            finally:
                self._lock = None

    @cached_property
    def _found_engine(self) -> engine.Engine:
        return engine.locate()

    def _start(self) -> None:
        """Have the engine, the local AWS, the copies of the settings and the stack itself ready."""
        console.step(f"Engine: {self._found_engine.origin}")
        if local_aws.crashed(self.state):
            for stack in self._stacks():
                locks.mark_unfinished(self.state, stack, "the local AWS ended without saving its state")
        aws = local_aws.start(self.state, clean_environment())
        console.step(f"Local AWS: {aws.endpoint} (account {aws.account}, {aws.region})")
        self.workspace.prepare(self.stack, aws, self.settings)
        console.step(plugins.install_providers(self.workspace.pulumi_home))
        if not self._checkpoint_file.exists():
            self._captured("stack", "init", self.stack, "--secrets-provider", "passphrase", stack=False)

    def _recover(self) -> None:
        """Make the engine's state true again where the last run did not end."""
        reason = locks.unfinished(self.state, self.stack)
        if reason is None:
            return
        console.step(f"Recovering first: {reason}")
        self._captured("cancel", "--yes", self.stack, stack=False)
        self._engine("refresh", *UNATTENDED, "--clear-pending-creates")
        locks.clear_unfinished(self.state, self.stack)

    def _change(self, verb: str, doing: str, *arguments: str) -> None:
        """Run an engine command that changes the state or the local AWS."""
        console.step(f"{doing} the stack {self.stack}")
        locks.mark_unfinished(self.state, self.stack, f"`{verb}` did not end")
        try:
            self._engine(verb, *arguments)
        except EngineError as error:
            if error.code > 0 and not self._checkpoint().get("pending_operations"):
                locks.clear_unfinished(self.state, self.stack)
            raise
        locks.clear_unfinished(self.state, self.stack)

    def _lift_protection(self) -> None:
        """Deploy once more without the protections, the engine's own and AWS'; the policy pack would object."""
        self.workspace.prepare(self.stack, self.aws, {**self.settings, PROTECTION: False})
        self._change("up", "Lifting the protections of", *UNATTENDED)

    def _forget(self) -> None:
        """Remove the copy of a destroyed stack's settings, and with the last stack all that the state folder holds."""
        self.workspace.stack_file(self.stack).unlink(missing_ok=True)
        if not self._stacks():
            for entry in self.state.iterdir():
                if entry.name not in locks.FILES:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _report_kept(self) -> None:
        kept = [resource["urn"].rsplit("::", 1)[1] for resource in self.resources() if resource.get("custom")]
        if kept:
            console.step(f"Kept, being protected or needed by what is protected: {', '.join(sorted(kept))}")
            console.note("the local AWS has saved them for the next `make up`; `make down FORCE=1` removes them too")

    def _policy(self) -> list[str]:
        return ["--policy-pack", str(self.policy_pack)] if self.policy_pack else []

    def _engine(self, verb: str, *arguments: str) -> None:
        """Run the engine with its own display."""
        command = self._command([verb, *arguments, "--suppress-permalink=true"])
        inherited = [self._lock] if self._lock is not None else []
        child = subprocess.Popen(command, env=self.environment(), pass_fds=inherited)
        code = _wait(child)
        if code != 0:
            raise EngineError(verb, code)

    def _captured(self, *arguments: str, stack: bool = True) -> str:
        """Run the engine quietly; its standard output."""
        answer = subprocess.run(
            [*self._command(arguments, stack=stack), "--non-interactive"],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise EngineError(" ".join(arguments[:2]), answer.returncode, answer.stderr.strip())
        return answer.stdout

    def _command(self, arguments: Sequence[str], *, stack: bool = True) -> list[str]:
        chosen = ["--stack", self.stack] if stack else []
        return [str(self._found_engine.executable), "-C", str(self.workspace.project), *arguments, *chosen]

    @property
    def _checkpoint_file(self) -> Path:
        return self.state / "backend" / ".pulumi" / "stacks" / PROJECT / f"{self.stack}.json"

    def _checkpoint(self) -> dict[str, Any]:
        document = read_json(self._checkpoint_file) or {}
        return document.get("checkpoint", {}).get("latest") or {}

    def _stacks(self) -> list[str]:
        return sorted(path.stem for path in self._checkpoint_file.parent.glob("*.json"))

    def _require_stack(self) -> None:
        if not self._checkpoint_file.exists():
            raise SandboxError(f"The stack {self.stack} is not deployed in {self.state}; `make up` deploys it")


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the engine through interrupts: it ends what it does in order, and its state must be on disk."""

    def forward(_signal: int, _frame: object) -> None:
        child.send_signal(signal.SIGINT)

    previous = signal.signal(signal.SIGTERM, forward)
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The terminal has sent it to the engine as well.
                continue
    finally:
        signal.signal(signal.SIGTERM, previous)
