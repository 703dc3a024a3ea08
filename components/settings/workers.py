"""The settings of the workers: the ECS tasks in which plans and applies run with terraformIsolation tasks."""

import dataclasses
import re
from collections.abc import Sequence

from pulumi import Input

from . import accepted, values
from .accepted import FARGATE_MEMORY
from .schema import Group, group, setting

ROLES = ("plan", "apply")
PORT = 4142
"""The port of a worker, for TLS connections of the server."""
IMAGE_LABEL, IMAGE_VERSION = "atlantis.isolation", "2"
"""Label of an image that has the programs, and the version of what the workers' containers expect of them."""
SPOT = "FARGATE_SPOT"
_MIB_OF_A_COMMAND = 1024
"""Memory of a worker for each command that it runs at once: Terraform with the AWS provider uses about half of it."""
_MOST_WORKERS = 100


def isolation(value: object) -> str:
    """`none` or `tasks`. `containers`, which ran Terraform in the server's task, is named in the message."""
    if value == "containers":
        raise values.UnacceptableError(
            "must be tasks, which replaces it: plans and applies run in workers, which are separate ECS tasks (docs/security.md). The "
            "image of this version's docker/ is required"
        )
    return values.one_of(("none", "tasks"))(value)


def _count(value: object) -> str:
    """A number of workers, or a range of it, as it is written."""
    text = str(int(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
    found = re.fullmatch(r"([1-9]\d{0,2})(?:-([1-9]\d{0,2}))?", text, re.ASCII) if isinstance(text, str) else None
    if found is None or not int(found[1]) <= int(found[2] or found[1]) <= _MOST_WORKERS:
        raise values.UnacceptableError(f"must be a number from 1 to {_MOST_WORKERS}, or a range such as 2-10")
    return found[0]


def _no_spot(value: object) -> str:
    if value == SPOT:
        raise values.UnacceptableError(
            "must be FARGATE: AWS can end a Spot task with two minutes' notice, and an apply that is ended leaves half of its changes "
            "and possibly a locked state; planWorkerCapacityProvider accepts FARGATE_SPOT, because a plan starts again"
        )
    return values.one_of(("FARGATE",))(value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """The workers of one kind of commands: one ECS service."""

    role: str
    """plan or apply."""
    least: int
    most: int
    """More than `least` if the service scales."""
    cpu: int
    memory: int
    ephemeral_storage: int
    capacity_provider: str
    subnet_ids: Sequence[Input[str]]
    """Empty: the stack's private subnets."""

    @property
    def commands(self) -> int:
        """How many commands a worker runs at once."""
        return max(1, self.memory // _MIB_OF_A_COMMAND)

    @property
    def scales(self) -> bool:
        return self.most > self.least


@group
class WorkersArgs(Group):
    """The workers. Only with terraformIsolation tasks."""

    plan_workers: str = setting(_count, default="1")
    """Number of workers for plans, or a range such as 2-10, within which the service scales"""
    plan_worker_cpu: int = setting(values.integer(tuple(FARGATE_MEMORY)), default=1024)
    """A worker's CPU units"""
    plan_worker_memory: int = setting(values.integer(range(512, 122881)), default=4096)
    """A worker's memory in MiB: one command at once for each 1024"""
    plan_worker_ephemeral_storage: int = setting(values.integer(range(20, 201)), default=20)
    """A worker's ephemeral storage in GiB, 20 to 200"""
    plan_worker_capacity_provider: str = setting(values.one_of(("FARGATE", SPOT)), default="FARGATE")
    """FARGATE, or FARGATE_SPOT, which is cheaper: a plan that AWS ends starts again"""
    plan_worker_subnet_ids: Sequence[Input[str]] = setting(accepted.subnet_ids, default=())
    """The workers' subnets. Only with vpcId. Empty: privateSubnetIds"""
    apply_workers: str = setting(_count, default="1")
    """Number of workers for applies, or a range"""
    apply_worker_cpu: int = setting(values.integer(tuple(FARGATE_MEMORY)), default=1024)
    """A worker's CPU units"""
    apply_worker_memory: int = setting(values.integer(range(512, 122881)), default=4096)
    """A worker's memory in MiB: one command at once for each 1024"""
    apply_worker_ephemeral_storage: int = setting(values.integer(range(20, 201)), default=20)
    """A worker's ephemeral storage in GiB, 20 to 200"""
    apply_worker_capacity_provider: str = setting(_no_spot, default="FARGATE")
    """FARGATE. An apply can't start again, so FARGATE_SPOT isn't accepted"""
    apply_worker_subnet_ids: Sequence[Input[str]] = setting(accepted.subnet_ids, default=())
    """The workers' subnets. Only with vpcId. Empty: privateSubnetIds"""
    worker_wait_minutes: int = setting(values.integer(range(1, 121)), default=15)
    """Minutes, 1 to 120, that a command waits for a worker with a free place before it fails"""
    apply_continues_minutes: int = setting(values.integer(range(1, 721)), default=60)
    """Minutes, 1 to 720, that an apply continues after its server has ended"""
    plan_secret_prefixes: Sequence[str] = setting(accepted.secret_prefixes, default=())
    """Prefixes of the names of secrets, such as shop/, whose values everyone who can open a pull request can read"""

    def of(self, role: str) -> WorkerGroup:
        """The workers for `plan` or `apply`."""
        named = {
            field: getattr(self, f"{role}_worker_{field}")
            for field in ("cpu", "memory", "ephemeral_storage", "capacity_provider", "subnet_ids")
        }
        least, _, most = getattr(self, f"{role}_workers").partition("-")
        return WorkerGroup(role=role, least=int(least), most=int(most or least), **named)
