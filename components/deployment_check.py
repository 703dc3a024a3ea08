"""Deployment check: `pulumi up` ends with the outcome of the ECS deployment that it started, not with its beginning.

ECS accepts a task definition and answers at once; whether a task of it ever runs shows minutes later. So a small
resource of the engine's own (a stash) stands behind the service, with a hook that waits. Where the deployment fails,
the hook fails, the stash keeps its old value, and the next `pulumi up` comes here again, whatever else it changes.
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
"""Seconds after which a wait that hasn't changed is reported again."""


class DeploymentError(Exception):
    """The service doesn't run the requested task definition."""


@dataclasses.dataclass(kw_only=True)
class DeploymentCheckArgs:
    """The service, its task definition, and how long to wait."""

    service: pulumi.Resource
    cluster_arn: pulumi.Input[str]
    service_name: str
    task_definition_arn: pulumi.Input[str]
    desired_count: int
    """0 waits for nothing."""
    starts_deployment: Mapping[str, pulumi.Input[Any]]
    """Changes of these start a deployment too, besides the task definition: network, capacity."""
    timeout_minutes: int
    """More than 0."""
    ecs_client: Callable[[], Awaitable[Any]]
    """Makes the boto3 client of ECS, with the credentials and the endpoint of the AWS provider; None where it can't."""


class ServiceChange:
    """Whether this run of the engine changes the service: ECS' state is older than the run where it does not."""

    def __init__(self, name: str) -> None:
        self.seen = False
        hook = pulumi.ResourceHook(f"{name}-changed", self._note)
        self.hooks = pulumi.ResourceHookBinding(after_create=[hook], after_update=[hook])

    def _note(self, _: pulumi.ResourceHookArgs) -> None:
        self.seen = True


class DeploymentCheck:
    """Registers the stash whose creation and update wait for the deployment."""

    def __init__(
        self, name: str, args: DeploymentCheckArgs, change: ServiceChange, opts: pulumi.ResourceOptions
    ) -> None:
        self._args, self._change = args, change
        hook = pulumi.ResourceHook(f"deployment of {args.service_name}", self._wait)
        pulumi.Stash(
            name,
            input={
                "cluster": args.cluster_arn,
                "taskDefinition": args.task_definition_arn,
                "desiredCount": args.desired_count,
                **args.starts_deployment,
            },
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(
                    depends_on=[args.service],
                    hooks=pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook]),
                ),
            ),
        )

    async def _wait(self, called: pulumi.ResourceHookArgs) -> None:
        args, inputs = self._args, (called.new_inputs or {})["input"]
        if args.desired_count == 0:
            return
        ecs = await args.ecs_client()
        if ecs is None:
            return
        deployment = EcsDeployment(ecs, inputs["cluster"], args.service_name, inputs["taskDefinition"])
        await follow(
            deployment,
            wanted=inputs["taskDefinition"],
            started_now=self._change.seen,
            seconds=args.timeout_minutes * 60.0,
            say=lambda message: pulumi.log.info(message, resource=args.service),
            warn=lambda message: pulumi.log.warn(message, resource=args.service),
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
    """Wait until ECS has ended the deployment, and say meanwhile what it waits for and what goes wrong.

    Where ECS had given up before this run (not `started_now`), it is asked once more first: what was wrong may be fixed.

    Raises:
        DeploymentError: it failed, was rolled back, or did not end within `seconds`.
    """
    began = time.monotonic()
    told: dict[str, float] = {}
    progress = await asyncio.to_thread(deployment.look)
    # ECS shows tasks for an hour after their end: those of an earlier run say nothing about this one.
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
    yield "ECS goes on with the deployment; the next `pulumi up` waits for its end."


def _short(task_definition: str) -> str:
    return task_definition.rpartition("/")[2]
