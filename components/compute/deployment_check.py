"""Deployment check: `pulumi up` waits for the ECS deployment that it started, and fails if the deployment fails.

ECS accepts a task definition immediately, and whether its tasks run is known minutes later. So a stash, a built-in
resource of Pulumi, depends on the service and has a hook that waits for the deployment. If the deployment fails, the
hook fails and the stash keeps its old value, so the next `pulumi up` runs the hook again, whatever else it changes.
The cost is a CLI that has `pulumi.Stash` and fails an operation if its hook fails (3.259). The alternatives are worse: the
provider's `wait_for_steady_state` treats a rollback as success (pulumi-aws issue 4487); a hook of the service fails after
the engine has recorded the new task definition, so the next `up` finds no change; a dynamic provider starts a process in
every preview and stores its code in the state; an output that waits runs in every `up`, and fails like the program.
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pulumi

from .ecs_deployment import EcsDeployment, Outcome, Progress

LOOK_EVERY = 5.0
"""Seconds between two requests to ECS."""
SAY_EVERY = 60.0
"""Seconds after which an unchanged reason for waiting is reported again."""


class DeploymentError(Exception):
    """The service doesn't run the requested task definition."""


class ServiceChange:
    """Whether this run of the engine changes the service. If not, the state in ECS is older than the run.

    `before` runs before the change, which fails with it: credentials that can't follow a deployment start none.
    """

    def __init__(self, name: str, before: Callable[[], Awaitable[Any]] | None) -> None:
        self.seen, self._before = False, before
        noted = pulumi.ResourceHook(f"{name}-changed", self._note)
        checked = [pulumi.ResourceHook(f"{name}-can-be-followed", self._check)] if before else []
        self.hooks = pulumi.ResourceHookBinding(
            before_create=[*checked], before_update=[*checked], after_create=[noted], after_update=[noted]
        )

    async def _check(self, _: pulumi.ResourceHookArgs) -> None:
        if self._before:
            await self._before()

    def _note(self, _: pulumi.ResourceHookArgs) -> None:
        self.seen = True


def check_deployment(
    name: str,
    service: pulumi.Resource,
    service_name: str,
    *,
    started_by: Mapping[str, pulumi.Input[Any]],
    change: ServiceChange,
    ecs_client: Callable[[], Awaitable[Any]],
    minutes: int,
    parent: pulumi.Resource,
) -> None:
    """Register the stash whose creation and update wait for the deployment, for at most `minutes`.

    `started_by`: cluster, taskDefinition, desiredCount (0: the check doesn't wait), and other inputs whose change starts a deployment:
    network, capacity. `ecs_client` creates the boto3 client of ECS with the AWS provider's credentials and endpoint.
    """

    async def wait(called: pulumi.ResourceHookArgs) -> None:
        inputs = (called.new_inputs or {})["input"]
        if inputs["desiredCount"] == 0:
            return
        await follow(
            EcsDeployment(await ecs_client(), inputs["cluster"], service_name, inputs["taskDefinition"]),
            wanted=inputs["taskDefinition"],
            started_now=change.seen,
            seconds=minutes * 60.0,
            say=lambda message: pulumi.log.info(message, resource=service),
            warn=lambda message: pulumi.log.warn(message, resource=service),
        )

    # The name is unique in the program: two components can have services of the same name, in two regions or accounts.
    hook = pulumi.ResourceHook(f"deployment of {service_name} ({name})", wait)
    pulumi.Stash(
        name,
        input=started_by,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[service],
            hooks=pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook]),
        ),
    )


async def follow(
    deployment: EcsDeployment,
    *,
    wanted: str,
    started_now: bool,
    seconds: float,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    every: float = LOOK_EVERY,
) -> None:
    """Wait until the deployment has completed, and report why it is delayed and what fails.

    If the deployment failed before this run (not `started_now`), it is started again first, as the cause may be fixed.

    Raises:
        DeploymentError: the deployment failed, was rolled back, or did not complete within `seconds`.
    """
    began = time.monotonic()
    told: dict[str, float] = {}
    progress = await asyncio.to_thread(deployment.look)
    # ECS lists stopped tasks for an hour. The reasons of an earlier run don't apply to this one.
    old = frozenset() if started_now else frozenset(progress.reasons)
    if not started_now and progress.outcome in (Outcome.FAILED, Outcome.ROLLED_BACK):
        say(f"ECS had given up on {_short(wanted)} and runs {_short(progress.running)}: deploying it again")
        await asyncio.to_thread(deployment.retry)
        progress = await asyncio.to_thread(deployment.look)
    while progress.outcome is Outcome.IN_PROGRESS:
        elapsed = time.monotonic() - began
        if elapsed >= seconds:
            raise DeploymentError("\n".join(_too_long(wanted, progress, seconds)))
        for reason in progress.reasons:
            if reason not in told and reason not in old:
                told[reason] = elapsed
                warn(f"{_short(wanted)}: {reason}")
        for cause in progress.waiting_for:
            if elapsed - told.get(cause, -SAY_EVERY) >= SAY_EVERY:
                told[cause] = elapsed
                say(f"waiting: {cause}")
        await asyncio.sleep(min(every, seconds - elapsed))
        progress = await asyncio.to_thread(deployment.look)
    if progress.outcome is not Outcome.SUCCEEDED:
        new = tuple(reason for reason in progress.reasons if reason not in old)
        raise DeploymentError(
            "\n".join(_failure(wanted, dataclasses.replace(progress, reasons=new or progress.reasons)))
        )


def _failure(wanted: str, progress: Progress) -> Iterator[str]:
    ending = (
        f"ECS rolled the service back to {_short(progress.running)}"
        if progress.outcome is Outcome.ROLLED_BACK
        else "no task runs, as there was nothing to roll back to"
    )
    yield f"{_short(wanted)} does not run: {ending}."
    yield from (f"  {reason}" for reason in progress.reasons)
    yield f"Fix the cause and run `pulumi up` again, which deploys {_short(wanted)} again if nothing else has changed."


def _too_long(wanted: str, progress: Progress, seconds: float) -> Iterator[str]:
    yield f"{_short(wanted)} did not become healthy within {seconds / 60:g} minutes (atlantis:deploymentTimeoutMinutes)."
    yield from (f"  {reason}" for reason in progress.reasons)
    yield from (f"  waiting: {cause}" for cause in progress.waiting_for)
    yield "ECS continues the deployment; the next `pulumi up` waits for its end."


def _short(task_definition: str) -> str:
    return task_definition.rpartition("/")[2]
