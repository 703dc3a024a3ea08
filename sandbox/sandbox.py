"""A sandbox: a state folder with a stack, the engine and a local AWS, and the operations on them."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.policy_pack import pack_arguments
from sandbox.substitutes.existing_resources import ExistingResources
from sandbox.testbed import (
    console,
    local_aws,
    locks,
    processes,
)
from sandbox.testbed.engine import plugins
from sandbox.testbed.engine.stack import EngineError, EngineStack
from sandbox.testbed.engine.workspace import Workspace, clean_environment, provider_settings
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.local_aws import LocalAws, bounded_roles, inventory
from sandbox.testbed.paths import CHECKOUT, state_directory

if TYPE_CHECKING:
    from sandbox.testbed.containers.deployed_service import DeployedService

PROTECTION = "atlantis:deletionProtection"
# While a stack is destroyed, nothing runs the task, so the update must not wait for its deployment.
DEPLOYMENT_TIMEOUT = "atlantis:deploymentTimeoutMinutes"
UNATTENDED = ("--yes", "--skip-preview")
# Without the program, the engine would use the provider endpoints of the last run, and their port may have changed.
CURRENT_PROVIDERS = "--run-program"


class Sandbox:
    """The sandbox of ``stack`` in the folder ``state``. Each stack has a separate folder and a separate local AWS.

    ``program`` is the folder of the Pulumi program. ``settings`` (``namespace:key`` to value) override its stack file.
    ``policy_pack`` evaluates every preview and update; None disables it. Its configuration is ``policy_configuration``,
    or the pack's own for the stack. If ``run_atlantis`` is False, the stack is deployed without starting its task. A ``disposable``
    sandbox is deleted after a killed run.
    """

    def __init__(
        self,
        stack: str = "local",
        *,
        state: Path | None = None,
        program: Path = CHECKOUT,
        settings: Mapping[str, Any] | None = None,
        policy_pack: Path | None = CHECKOUT / "policy",
        policy_configuration: Path | None = None,
        run_atlantis: bool = True,
        disposable: bool = False,
    ) -> None:
        self.stack = stack
        self.state = (state or state_directory() / stack).resolve()
        self.settings = dict(settings or {})
        self.policy_pack = policy_pack
        self.policy_configuration = policy_configuration
        self.run_atlantis = run_atlantis
        self.workspace = Workspace(self.state, program)
        self._stack = EngineStack(stack, self.workspace, disposable=disposable)
        self._forgetting = self.state / "forgetting"
        self._lock: int | None = None

    @property
    def aws(self) -> LocalAws:
        """The running local AWS."""
        if (found := local_aws.running(self.state)) is None:
            raise SandboxError(f"The local AWS of {self.state} isn't running. Run `make up` to start it")
        return found

    @property
    def endpoint(self) -> str:
        """The address of the local AWS, such as ``http://127.0.0.1:4566``."""
        return self.aws.endpoint

    def environment(self) -> dict[str, str]:
        """The environment of subprocesses, in which every AWS client and the engine use only this sandbox."""
        return self.workspace.environment(local_aws.running(self.state))

    def up(self) -> None:
        """Deploy the stack and start Atlantis."""
        with self._run("up"):
            self._start()
            self._recover()
            with self._starting_the_task():
                self._change("up", "Deploying", *self._policy())
            if service := self._service_to_run():
                from sandbox.atlantis import lifecycle  # noqa: PLC0415 - loads boto3, which most commands don't need

                lifecycle.after_up(service, self.environment(), self.stack, self.outputs())

    def preview(self, *, expect_no_changes: bool = False) -> None:
        """Show what ``up`` would change. Afterwards, the local AWS runs only if it ran before.

        Raises:
            EngineError: the program failed, or there are changes despite ``expect_no_changes``.
        """
        with self._run("preview"):
            was_running = local_aws.running(self.state) is not None
            self._start()
            if reason := locks.unfinished(self.state):
                console.step(f"{reason}: the next `make up` recovers it. Until then, this preview may be wrong")
                self._stack.cancel()
            try:
                strict = ("--expect-no-changes",) if expect_no_changes else ()
                self._stack.run("preview", *self._policy(), *strict, lock=self._lock)
            finally:
                if not was_running:
                    local_aws.stop(self.state)

    def steps(self) -> list[dict[str, Any]]:
        """What ``up`` would do, without the policy pack: the engine's steps with their detailed diffs."""
        with self._run("preview"):
            self._start()
            return self._stack.steps(self._lock)

    def refresh(self) -> None:
        """Update the engine's state from the local AWS."""
        with self._run("refresh"):
            self._start()
            self._recover()
            self._change("refresh", "Reading back", CURRENT_PROVIDERS)

    def down(self, *, force: bool = False) -> None:
        """Destroy all unprotected resources, or with ``force`` all resources. Every process is stopped, even after a failure."""
        with self._run("down"):
            try:
                if self.resources():
                    self._destroy(force=force)
            finally:
                stopped = processes.stop_all(self.state)
                console.step(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running")
            self._forget() if force else self._report_kept()

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs by name, with masked secrets."""
        self._require_stack()
        return self._stack.outputs()

    def export(self) -> dict[str, Any]:
        """The engine's state of the stack, with encrypted secrets."""
        self._require_stack()
        return self._stack.export()

    def service(self) -> "DeployedService | None":
        """The deployed service, identified by the stack's outputs; None if the program exports none."""
        from sandbox.testbed.containers.deployed_service import DeployedService  # noqa: PLC0415 - loads boto3

        outputs = self.outputs()
        if "atlantis_ecs_cluster_name" not in outputs or "atlantis_ecs_service_name" not in outputs:
            return None
        names = outputs["atlantis_ecs_cluster_name"], outputs["atlantis_ecs_service_name"]
        return DeployedService(self.state, self.aws.endpoint, self.aws.region, *names)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the engine's state; empty if the stack was never deployed."""
        return self._stack.resources

    def compare(self) -> inventory.Comparison:
        """Compare the local AWS with the engine's state, and ignore substitutes for existing resources."""
        known = ExistingResources(self.state, self.aws).ids
        return inventory.compare(inventory.take(self.aws), self.resources(), known)

    @contextmanager
    def _run(self, verb: str) -> Iterator[None]:
        if verb != "down":
            self.workspace.source_settings(
                self.stack
            )  # raises for a stack that doesn't exist, before anything is written
        with locks.one_run(self.state, verb) as lock:
            self._lock = lock
            if self._forgetting.exists():
                self._forget()
            if self._stack.restore():
                locks.mark_unfinished(
                    self.state, "the engine's state was damaged and was replaced with its newest valid copy"
                )
            try:
                yield
            finally:
                self._lock = None

    def _start(self) -> None:
        """Start the local AWS, and prepare the engine, the copies of the settings and the stack."""
        console.step(f"Engine: {self._stack.engine.origin}")
        crashed = local_aws.crashed(self.state)
        if crashed:
            locks.mark_unfinished(self.state, "the local AWS ended without saving its state")
        aws = local_aws.start(self.state, clean_environment())
        console.step(f"Local AWS: {aws.endpoint} (account {aws.account}, {aws.region})")
        if crashed:
            ExistingResources(self.state, aws).forget_lost(inventory.take(aws))
        self._prepare({})
        plugins.download_official(self._stack.engine.executable)
        console.step(plugins.install_providers(self.workspace.pulumi_home))
        if not self._stack.exists:
            self._stack.create()

    def _prepare(self, overrides: Mapping[str, Any]) -> None:
        # The provider settings of the stack file are for the real AWS, so the local AWS' settings override them.
        # Those of ``settings`` are for this run and take precedence.
        aws = self.aws
        source = {**self.workspace.source_settings(self.stack), **provider_settings(aws)}
        chosen = {**source, **self.settings, **overrides}
        given = {key: value for key, value in chosen.items() if value is not None}
        settings = ExistingResources(self.state, aws).replace(self.stack, given)
        self.workspace.prepare(self.stack, settings, self._stack.engine.language_host)

    def _recover(self) -> None:
        """Refresh the engine's state if the last run was interrupted."""
        if (reason := locks.unfinished(self.state)) is None:
            return
        console.step(f"Recovering first: {reason}")
        self._stack.cancel()
        self._stack.run("refresh", *UNATTENDED, CURRENT_PROVIDERS, "--clear-pending-creates", lock=self._lock)
        locks.clear_unfinished(self.state)

    def _change(self, verb: str, doing: str, *arguments: str) -> None:
        """Run an engine command that changes the state or the local AWS."""
        console.step(f"{doing} the stack {self.stack}")
        locks.mark_unfinished(self.state, f"`{verb}` did not end")
        try:
            self._stack.run(verb, *UNATTENDED, *arguments, lock=self._lock)
        except EngineError as error:
            if error.code > 0 and not self._stack.has_pending_operations:
                locks.clear_unfinished(self.state)
            raise
        locks.clear_unfinished(self.state)

    def _destroy(self, *, force: bool) -> None:
        self.workspace.source_settings(self.stack)
        self._start()
        self._recover()
        roles = bounded_roles.find(self.aws, self.resources())
        if roles and not force:
            raise SandboxError(bounded_roles.blocked_by(roles))
        if service := self._service_to_run():
            from sandbox.atlantis import lifecycle  # noqa: PLC0415 - loads boto3

            if lifecycle.take_down(service):
                console.step("Atlantis has stopped")
        of_others = self.compare().orphans if force else {}
        if roles:
            bounded_roles.detach(self.aws, roles)
            console.step(f"Detached the permissions boundary from the roles that Terraform created: {', '.join(roles)}")
        if force:
            self._lift_protection()
            self._change("destroy", "Destroying", CURRENT_PROVIDERS, "--remove", "--ignore-protect")
            self._require_nothing_left(of_others)
        else:
            self._unlock_load_balancers()
            self._change("destroy", "Destroying", CURRENT_PROVIDERS, "--exclude-protected")

    def _unlock_load_balancers(self) -> None:
        """Disable AWS' deletion protection of load balancers, which Pulumi doesn't protect: AWS refuses their deletion."""
        off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
        for item in self.resources():
            if item["type"] == "aws:lb/loadBalancer:LoadBalancer" and item["outputs"].get("enableDeletionProtection"):
                self.aws.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=item["id"], Attributes=off)

    def _lift_protection(self) -> None:
        """Disable Pulumi's and AWS' deletion protection. The policy pack requires both, so it isn't used."""
        self._prepare({PROTECTION: False, DEPLOYMENT_TIMEOUT: 0})
        try:
            self._change("up", "Disabling the deletion protection of", "--continue-on-error")
        except EngineError:
            # A stack that can't be deployed must still be removable. `destroy` reports what is still protected.
            console.step("The deployment was incomplete; destroying the stack anyway")

    def _require_nothing_left(self, of_others: inventory.Inventory) -> None:
        """Raise ``SandboxError`` for resources of the stack. ``of_others``, such as Terraform's, end with the local AWS."""
        left = self.compare().without(of_others)
        if not left.equal:
            raise SandboxError(
                f"The stack is destroyed, but these resources are left in the local AWS:\n{left.describe()}\n"
                f"Removing the folder {self.state} removes the local AWS with all it holds."
            )

    def _forget(self) -> None:
        """Empty the state folder, which includes the state of the local AWS and its substitutes for existing resources.

        A partly emptied folder is inconsistent, so the next run completes an interrupted call first.
        """
        self._forgetting.touch()
        for entry in self.state.iterdir():
            if entry == self._forgetting or entry.name in locks.FILES:
                continue
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()  # `efs` can be a link
        self._forgetting.unlink()

    def _report_kept(self) -> None:
        kept = [
            resource["urn"].rsplit("::", 1)[1]
            for resource in self.resources()
            if resource.get("custom") and not resource["type"].startswith("pulumi:providers:")
        ]
        if kept:
            console.step(
                f"Kept, because they are protected or a protected resource needs them: {', '.join(sorted(kept))}"
            )
            console.note("the local AWS has saved them for the next `make up`; `make down FORCE=1` destroys them too")

    def _starting_the_task(self) -> AbstractContextManager[None]:
        if not self.run_atlantis:
            return nullcontext()
        from sandbox.atlantis import early_start, locking_database  # noqa: PLC0415 - loads boto3

        locking_database.require_server({**self.workspace.source_settings(self.stack), **self.settings})
        return early_start.during_up(self.state, self.aws, self.environment())

    def _service_to_run(self) -> "DeployedService | None":
        return self.service() if self.run_atlantis else None

    def _policy(self) -> list[str]:
        return pack_arguments(self.policy_pack, self.stack, self.policy_configuration) if self.policy_pack else []

    def _require_stack(self) -> None:
        if not self.resources():
            raise SandboxError(f"The stack {self.stack} is not deployed in {self.state}; `make up` deploys it")
