"""What the end-to-end tests share: a separate sandbox, driven in this process or by its command line."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sandbox.sandbox import Sandbox
from sandbox.testbed import processes
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.local_aws import instance as local_aws
from sandbox.testbed.paths import CHECKOUT, STATE_VARIABLE
from sandbox.testbed.ports import free_port

SEED_OUTPUTS = {
    "atlantis_ecr_repository_url",
    "atlantis_ecr_repository_arn",
    "atlantis_ecs_cluster_id",
    "atlantis_ecs_cluster_name",
    "atlantis_ecs_service_name",
    "atlantis_task_definition_arn",
    "atlantis_task_definition_revision",
    "atlantis_alb_dns_name",
    "atlantis_alb_zone_id",
    "atlantis_target_group_arn",
    "atlantis_alb_security_group_id",
    "atlantis_ecs_tasks_security_group_id",
    "atlantis_ecs_task_execution_role_arn",
    "atlantis_ecs_task_role_arn",
    "atlantis_efs_id",
    "atlantis_efs_dns_name",
    "atlantis_efs_access_point_id",
    "atlantis_cloudwatch_log_group_name",
    "atlantis_cloudwatch_log_group_arn",
}
URL_OUTPUTS = {"atlantis_url", "atlantis_webhook_url"}

WEB_ACL = "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/platform/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
"""As a stack file names one; a sandbox replaces it with a substitute."""


def begin_to_stop(state: Path, name: str) -> None:
    """Stop a recorded process as a command does that is killed once it has sent its signal."""

    def die(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_wait", die)
        with pytest.raises(KeyboardInterrupt):
            processes.stop(state, name)


@dataclass
class Scratch:
    """A folder for sandboxes; each stack in it has a separate state folder, as in a checkout."""

    shapes: ClassVar[Path]
    """The folder of the stacks that are deployed once for all tests of a run."""
    base: Path
    stack: str = "local"

    @property
    def state(self) -> Path:
        """The state folder of the stack."""
        return self.base / self.stack

    def sandbox(self, *, pack: Path | None = CHECKOUT / "policy", disposable: bool = True, **settings: Any) -> Sandbox:
        """The sandbox without Atlantis itself, with ``settings`` of the namespace ``atlantis:`` over the stack file's.

        Only a run that is disturbed must not be ``disposable``: it writes its state again and again.
        """
        return Sandbox(
            self.stack,
            state=self.state,
            settings={f"atlantis:{key}": value for key, value in settings.items()},
            policy_pack=pack,
            run_atlantis=False,
            disposable=disposable,
        )

    def deployed(self, **settings: Any) -> Sandbox:
        """The stack with these settings, deployed without Atlantis: a copy of the state folder of the run's first one.

        A whole deployment takes 12 seconds of a processor, and a copy 2.
        """
        digest = hashlib.sha256(json.dumps([self.stack, settings], sort_keys=True).encode()).hexdigest()[:16]
        shape, draft = self.shapes / digest, Scratch(self.shapes / f"{digest}.draft", self.stack)
        self.shapes.mkdir(exist_ok=True)
        with (self.shapes / f"{digest}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not shape.exists():
                shutil.rmtree(draft.base, ignore_errors=True)
                try:
                    draft.sandbox(**settings).up()
                finally:
                    draft.stop()
                draft.base.rename(shape)
        shutil.copytree(shape, self.base, dirs_exist_ok=True, symlinks=True)
        self._move_to_free_port()
        sandbox = self.sandbox(**settings)
        local_aws.start(self.state, clean_environment())
        return sandbox

    def _move_to_free_port(self) -> None:
        """The copy's local AWS can't have the port of the first one, which is in the engine's state too."""
        file = self.state / local_aws.NAME / "port.json"
        free = free_port()
        old, new = f"127.0.0.1:{int(file.read_text())}".encode(), f"127.0.0.1:{free}".encode()
        file.write_text(str(free), encoding="ascii")
        for folder in ("backend", "project", local_aws.NAME):
            for path in (self.state / folder).rglob("*.*"):
                if path.is_file() and old in (text := path.read_bytes()):
                    path.write_bytes(text.replace(old, new))

    def with_server(self, *, pack: Path | None = None, **settings: Any) -> Sandbox:
        """The sandbox as `sandbox` makes it, with Atlantis itself."""
        made = self.sandbox(pack=pack, **settings)
        made.run_atlantis = True
        return made

    def environment(self) -> dict[str, str]:
        """The environment in which the command line uses this folder."""
        return {**os.environ, STATE_VARIABLE: str(self.base)}

    def command(self, verb: str, *arguments: str) -> list[str]:
        """The command line of ``verb`` on the stack."""
        return [sys.executable, "-m", "sandbox", verb, "--stack", self.stack, *arguments]

    def cli(self, verb: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line as ``make`` does."""
        return subprocess.run(
            self.command(verb, *arguments),
            cwd=CHECKOUT,
            env={**self.environment(), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def engine_state(self) -> Path:
        """The file with the engine's state of the stack."""
        return next((self.state / "backend").glob(f".pulumi/stacks/*/{self.stack}.json"))

    def stop(self) -> None:
        """Stop whatever the test left running."""
        processes.stop_all(self.state)


def own_processes(base: Path) -> Iterator[tuple[int, str]]:
    """Id and command line of every process of this machine that works in ``base``."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(base) in command or str(base) in environment:
            yield int(entry.name), command


def last_changes(sandbox: Sandbox) -> dict[str, tuple[str, str]]:
    """Id of every resource in the engine's state, and when the engine last changed it, by URN."""
    return {item["urn"]: (item.get("id", ""), item["modified"]) for item in sandbox.resources()}


def resource(sandbox: Sandbox, type_: str, name: str | None = None) -> dict[str, Any]:
    """The one resource of this type (and name) in the engine's state."""
    found = [
        item
        for item in sandbox.resources()
        if item["type"] == type_ and (name is None or item["urn"].endswith(f"::{name}"))
    ]
    assert len(found) == 1, [item["urn"] for item in found]
    return found[0]
