"""A task definition as the task runner uses it: its containers, with ECS' defaults filled in, and its volumes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

# The capabilities of a container on Fargate, which are Docker's defaults.
_DEFAULT_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
        "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip


def capabilities(added: Iterable[str], dropped: Iterable[str]) -> frozenset[str]:
    """The capabilities of a container, without the prefix ``CAP_``; ``ALL`` drops every default one."""
    dropped = set(dropped)
    kept = frozenset() if "ALL" in dropped else _DEFAULT_CAPABILITIES - dropped
    return kept | frozenset(added)


class Condition(Enum):
    """When a dependency on another container is met."""

    START = "START"
    COMPLETE = "COMPLETE"
    SUCCESS = "SUCCESS"
    HEALTHY = "HEALTHY"


@dataclass(frozen=True)
class Dependency:
    """The container that must meet ``condition`` before another one starts."""

    container: str
    condition: Condition


@dataclass(frozen=True)
class HealthCheck:
    """A container's health check; times in seconds. The defaults are those of ECS."""

    command: list[str]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0


@dataclass(frozen=True)
class EfsVolume:
    """A volume on EFS, which outlives the task."""

    file_system: str
    access_point: str | None


@dataclass(frozen=True)
class MountPoint:
    """The path in a container at which a volume is mounted."""

    container_path: str
    volume: str
    read_only: bool = False


@dataclass(frozen=True)
class RestartPolicy:
    """ECS restarts the container, at the earliest ``period`` seconds after its last start, unless its exit code is ignored."""

    period: float
    ignored_exit_codes: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ContainerDefinition:
    """One container of the task.

    ``secrets`` maps a variable to its ``valueFrom``; ``log_options`` are the options of the ``awslogs`` driver.
    ``entry_point`` and ``command`` are empty if the task definition doesn't set them; ``user`` is ``uid:gid``, or empty
    for the image's user. ``memory_mib`` is the hard limit of the container's memory, or None.
    """

    name: str
    image: str
    log_options: dict[str, str]
    port: int | None = None
    environment: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    mounts: tuple[MountPoint, ...] = ()
    health_check: HealthCheck | None = None
    start_seconds: float = 180
    stop_seconds: float = 30
    entry_point: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    user: str = ""
    working_directory: str = ""
    read_only_root: bool = False
    capabilities: frozenset[str] = _DEFAULT_CAPABILITIES
    essential: bool = True
    dependencies: tuple[Dependency, ...] = ()
    restart: RestartPolicy | None = None
    memory_mib: int | None = None


@dataclass(frozen=True)
class TaskDefinition:
    """The parts of a task definition that determine how its containers run.

    ``architecture`` is the CPU architecture, ``X86_64`` or ``ARM64``. A volume is None if it is on the task's own disk, which has
    ``disk_gib``. All containers together may use ``memory_mib``; ``cpu`` are their units.
    """

    arn: str
    architecture: str
    execution_role: str
    task_role: str
    volumes: dict[str, EfsVolume | None]
    containers: tuple[ContainerDefinition, ...]
    memory_mib: int | None = None
    cpu: int = 1024
    disk_gib: int = 20

    @property
    def server(self) -> ContainerDefinition:
        """The container that serves the task's port."""
        return next(container for container in self.containers if container.port is not None)

    @property
    def port(self) -> int:
        """The port of the server in its container."""
        port = self.server.port
        assert port is not None  # noqa: S101 - the server is the container with a port
        return port
