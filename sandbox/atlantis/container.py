"""The server's container, as a process: its environment, its file system and its port on this machine.

The process gets the environment variables and the secrets of the task definition. In addition, it gets only the
variables that Fargate and the image set (``PATH``, ``HOME``, region, credentials endpoint) and those that replace the
task's network (``AWS_ENDPOINT_URL``; for GitHub, ``HTTPS_PROXY`` and the certificate authority to trust). Three values
are mapped:

- A path below a mount point becomes the access point's directory in the state folder, because the sandbox can't create
  ``/home/atlantis/.atlantis`` on the user's machine.
- The container port becomes a free loopback port, in the environment and in the health check's command.
- The address of a locking database becomes that of the local redis-server.
"""

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.atlantis import image_tools
from sandbox.atlantis.errors import TaskStartError
from sandbox.atlantis.task_definition import TaskDefinition
from sandbox.atlantis.task_user import TaskUser
from sandbox.certificates import HOSTS
from sandbox.paths import private_directory

__all__ = ["Container", "TaskNetwork", "free_port", "local_port", "prepare", "wiring_problems"]

_HOME = "home/atlantis"
_DEFAULT_DATA_DIRECTORY = f"/{_HOME}/.atlantis"
_DEFAULT_PORT = "4141"


@dataclass(frozen=True)
class TaskNetwork:
    """The endpoints that the task can reach: the local AWS and, through a proxy, the GitHub stand-in.

    ``trusted`` is the CA bundle (PEM) with the stand-in's certificate authority.
    """

    aws_endpoint: str
    region: str
    github_proxy: str
    trusted: Path


@dataclass(frozen=True)
class Container:
    """Everything needed to start the process; ``root`` is the writable layer, which is removed with the task."""

    root: Path
    home: Path
    environment: dict[str, str]
    command: list[str]
    health_command: list[str]
    port: int
    user: TaskUser | None
    """The user that the process runs as; None for the sandbox's own user."""

    def remove(self) -> None:
        """Remove the writable layer, because it contains the git credentials that Atlantis wrote. Volumes are kept."""
        shutil.rmtree(self.root, ignore_errors=True)


def wiring_problems(definition: TaskDefinition, target_port: int) -> list[str]:
    """Find ports that don't match, a GitHub host without a stand-in, and a data directory that is on no volume."""
    problems = []
    port = definition.environment.get("ATLANTIS_PORT", _DEFAULT_PORT)
    if port != str(definition.port):
        problems.append(
            f"ATLANTIS_PORT is {port}, and the container maps port {definition.port}: nothing would reach the server"
        )
    if target_port != definition.port:
        problems.append(f"the service sends requests to port {target_port}, and the container maps {definition.port}")
    host = definition.environment.get("ATLANTIS_GH_HOSTNAME", HOSTS[0])
    if host != HOSTS[0]:
        problems.append(f"ATLANTIS_GH_HOSTNAME is {host}; the sandbox stands in for {HOSTS[0]} only")
    data = definition.environment.get("ATLANTIS_DATA_DIR", _DEFAULT_DATA_DIRECTORY)
    if not any(_below(data, mount.container_path) for mount in definition.mounts):
        problems.append(f"the data directory {data} is on no volume: locks and plans would be lost with every task")
    return problems


def prepare(
    definition: TaskDefinition,
    secrets: Mapping[str, str],
    *,
    root: Path,
    volumes: Mapping[str, Path],
    image: Path,
    tools: Path,
    network: TaskNetwork,
    credentials_url: str,
    agent_url: str,
    database: Mapping[str, str],
    user: TaskUser | None,
) -> Container:
    """Create the container's file system below ``root`` and assemble its environment.

    ``volumes`` maps a mount's container path to its directory on this machine. ``image`` is the directory of the
    image's programs; ``tools`` is the directory of stand-ins for tools that this machine lacks. ``database`` has the
    variables with the local address of the locking database, if the task uses one. ``user`` becomes the owner of
    ``root``.
    """
    overlapping = sorted(definition.environment.keys() & secrets.keys())
    if overlapping:
        raise TaskStartError([f"{name} is set both as environment and as secret" for name in overlapping])
    home = private_directory(root / _HOME)
    for container_path, directory in volumes.items():
        inside = root / container_path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.symlink_to(directory, target_is_directory=True)
    port = free_port()
    environment = {name: _mapped(value, volumes) for name, value in definition.environment.items()}
    environment |= {"ATLANTIS_PORT": str(port), **database}
    platform = _platform(root, [str(image), os.environ["PATH"], str(tools)], network, credentials_url, agent_url)
    check = definition.health_check
    container = Container(
        root=root,
        home=home,
        environment={**platform, **environment, **secrets},
        command=_command(definition),
        health_command=local_port(check.command if check else [], definition.port, port),
        port=port,
        user=user,
    )
    if user:
        user.own(root)
    return container


def _command(definition: TaskDefinition) -> list[str]:
    """Return the command of process 1; a task definition that sets ``entryPoint`` also discards the image's command."""
    if definition.entry_point:
        return [*definition.entry_point, *definition.command]
    return [image_tools.ENTRY_POINT, *(definition.command or ["server"])]


def free_port(preferred: int = 0) -> int:
    """Return a free loopback port: ``preferred`` if no process listens on it."""
    for candidate in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise TaskStartError(["no loopback port is free on this machine"])


def _platform(
    root: Path, path: list[str], network: TaskNetwork, credentials_url: str, agent_url: str
) -> dict[str, str]:
    trusted = shutil.copy(network.trusted, root / "trusted.pem")
    terraform = Path(path[-1], image_tools.TERRAFORM_CONFIGURATION)
    return {
        **({"TF_CLI_CONFIG_FILE": str(shutil.copy(terraform, root))} if terraform.exists() else {}),
        # Providers listen on a Unix socket, whose path is limited to 107 characters. A path relative to Terraform's
        # working directory stays within the limit.
        "PLUGIN_UNIX_SOCKET_DIR": ".",
        "PATH": os.pathsep.join(path),
        "HOME": str(root / _HOME),
        "TMPDIR": str(private_directory(root / "tmp")),
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": network.region,
        "AWS_DEFAULT_REGION": network.region,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials_url,
        "ECS_AGENT_URI": agent_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": network.aws_endpoint,
        "HTTPS_PROXY": network.github_proxy,
        "NO_PROXY": "127.0.0.1,localhost",
        "SSL_CERT_FILE": str(trusted),
        "GIT_SSL_CAINFO": str(trusted),
    }


def _mapped(value: str, volumes: Mapping[str, Path]) -> str:
    for container_path, directory in volumes.items():
        if _below(value, container_path):
            return str(directory) + value[len(container_path) :]
    return value


def _below(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent + "/")


def local_port(words: Sequence[str], container_port: int, port: int) -> list[str]:
    """Return the command with ``container_port`` replaced by ``port``, the container's port on this machine."""
    return [
        word.replace(f"localhost:{container_port}", f"localhost:{port}").replace(
            f"127.0.0.1:{container_port}", f"127.0.0.1:{port}"
        )
        for word in words
    ]
