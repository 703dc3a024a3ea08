"""A container of the task on this machine: its environment, its file system and its command.

Where the machine can run containers (``bubblewrap.py``), each has the paths, the user and the capabilities of the task definition.
Elsewhere, it is a process with the paths of this machine: a path below a mount point becomes the volume's directory.

A container gets the environment variables and the secrets of the task definition. In addition, it gets only the variables that
Fargate and the image set (``PATH``, ``HOME``, region, credentials endpoint) and those that replace the task's network
(``AWS_ENDPOINT_URL``; for GitHub, ``HTTPS_PROXY`` and the certificate authority to trust). Two values are mapped, because containers
share the machine's network:

- The server's port becomes a free loopback port, in its environment and in addresses of commands and variables.
- The address of a locking database becomes that of the local redis-server.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.atlantis import image_tools
from sandbox.testbed.certificates import HOSTS
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.bubblewrap import ContainerUser
from sandbox.testbed.containers.container_definition import ContainerDefinition, TaskDefinition
from sandbox.testbed.containers.image_files import HOME, Bind, file_system
from sandbox.testbed.containers.running_container import Container
from sandbox.testbed.containers.task_user import TaskUserError, container_user
from sandbox.testbed.paths import private_directory

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


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
class TaskParts:
    """What the containers of a task share.

    ``boundaries`` returns the words in front of a container's command that run it within the limits of the task.

    ``volumes`` maps a volume's name to its directory on this machine, ``database`` has the variables with the local address of the
    locking database, if the task uses one, and ``port`` is the server's port on this machine. ``image`` and ``tools`` are the
    directories of ``image_tools``.
    """

    definition: TaskDefinition
    volumes: Mapping[str, Path]
    network: TaskNetwork
    credentials_url: str
    agent_url: str
    database: Mapping[str, str]
    port: int
    image: Path
    tools: Path
    contained: bool
    boundaries: Callable[[ContainerDefinition], list[str]] = lambda _container: []


def wiring_problems(definition: TaskDefinition, *, contained: bool) -> list[str]:
    """Find a GitHub host without a stand-in, variables that are set twice, and users that the image doesn't have.

    Without containers, the task can have only one that has volumes, secrets, or isn't restarted.
    """
    problems = []
    host = definition.server.environment.get("ATLANTIS_GH_HOSTNAME", HOSTS[0])
    if host != HOSTS[0]:
        problems.append(f"ATLANTIS_GH_HOSTNAME is {host}; the sandbox stands in for {HOSTS[0]} only")
    for container in definition.containers:
        overlapping = sorted(container.environment.keys() & container.secrets.keys())
        problems += [f"{container.name}: {name} is set both as environment and as secret" for name in overlapping]
        try:
            container_user(container.user)
        except TaskUserError as problem:
            problems.append(f"{container.name}: {problem}")
        problems += [] if contained else _uncontained_problems(definition, container)
    return problems


def _uncontained_problems(definition: TaskDefinition, container: ContainerDefinition) -> list[str]:
    if container is definition.server:
        return (
            [f"readonlyRootFilesystem needs a container, and {bubblewrap.why_not()}"]
            if container.read_only_root
            else []
        )
    if container.mounts or container.secrets or container.essential or container.dependencies:
        return [
            f"{container.name} needs a separate container, and the sandbox runs this task without containers: "
            f"{bubblewrap.why_not()}"
        ]
    return []


def prepare(parts: TaskParts, definition: ContainerDefinition, secrets: Mapping[str, str], root: Path) -> Container:
    """Create the container's writable layer at ``root`` and assemble its environment and its command."""
    return (_contained if parts.contained else _plain)(parts, definition, secrets, root)


def _contained(parts: TaskParts, definition: ContainerDefinition, secrets: Mapping[str, str], root: Path) -> Container:
    ids = container_user(definition.user)
    user = ContainerUser(ids.uid, ids.gid, definition.capabilities)
    home, temporary = private_directory(root / "home"), private_directory(root / "tmp")
    ids.own(home)
    temporary.chmod(0o1777)
    trusted = Path(shutil.copy(parts.network.trusted, root / "trusted.pem"))
    trusted.chmod(0o644)
    own = _has_servers_image(parts, definition)
    files = {
        **(image_tools.container_files(parts.image, parts.tools) if own else image_tools.base_files(parts.image)),
        _CERTIFICATES: trusted,
    }
    mounts = [Bind(parts.volumes[mount.volume], mount.container_path, mount.read_only) for mount in definition.mounts]
    mounts += image_tools.container_directories(parts.image) if own else []
    options = file_system(files, mounts, read_only_root=definition.read_only_root, layer=root)
    directory = definition.working_directory or (HOME if own else "/")
    environment = {
        "PATH": image_tools.PATH,
        "HOME": {0: "/root", 100: HOME}.get(ids.uid, "/"),
        **(image_tools.container_environment() if own else {}),
        **_platform(parts, _CERTIFICATES),
        **_own_environment(parts, definition, secrets, {}),
    }
    return Container(
        definition,
        root,
        environment,
        _command(parts, definition),
        _health_command(parts, definition),
        Path("/"),
        user,
        lambda info: [*parts.boundaries(definition), *bubblewrap.prefix(options, user, directory, info)],
    )


def _plain(parts: TaskParts, definition: ContainerDefinition, secrets: Mapping[str, str], root: Path) -> Container:
    home = private_directory(root / HOME.lstrip("/"))
    volumes = {mount.container_path: parts.volumes[mount.volume] for mount in definition.mounts}
    for container_path, directory in volumes.items():
        inside = root / container_path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.symlink_to(directory, target_is_directory=True)
    trusted = str(shutil.copy(parts.network.trusted, root / "trusted.pem"))
    terraform = parts.tools / image_tools.TERRAFORM_CONFIGURATION
    environment = {
        **({"TF_CLI_CONFIG_FILE": str(shutil.copy(terraform, root))} if terraform.exists() else {}),
        # Providers listen on a Unix socket, whose path is limited to 107 characters. A path relative to Terraform's
        # working directory stays within the limit.
        "PLUGIN_UNIX_SOCKET_DIR": ".",
        "PATH": os.pathsep.join([str(parts.image), os.environ["PATH"], str(parts.tools)]),
        "HOME": str(home),
        "TMPDIR": str(private_directory(root / "tmp")),
        **_platform(parts, trusted),
        **_own_environment(parts, definition, secrets, volumes),
    }
    return Container(
        definition,
        root,
        environment,
        _command(parts, definition),
        _health_command(parts, definition),
        home,
        None,
        None,
    )


def _has_servers_image(parts: TaskParts, definition: ContainerDefinition) -> bool:
    """Whether a container has the files of the server's image, or only those of a base image (``images.py``)."""
    return definition.image == parts.definition.server.image


def _command(parts: TaskParts, definition: ContainerDefinition) -> list[str]:
    """Return the command of process 1; a task definition that sets ``entryPoint`` also discards the image's command."""
    if definition.entry_point or not _has_servers_image(parts, definition):
        words = [*definition.entry_point, *definition.command]
    else:
        words = [image_tools.ENTRY_POINT, *(definition.command or ["server"])]
    return local_port(words, parts.definition.port, parts.port)


def _health_command(parts: TaskParts, definition: ContainerDefinition) -> list[str]:
    check = definition.health_check
    return local_port(check.command if check else [], parts.definition.port, parts.port)


def _platform(parts: TaskParts, trusted: str) -> dict[str, str]:
    network = parts.network
    return {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": network.region,
        "AWS_DEFAULT_REGION": network.region,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": parts.credentials_url,
        "ECS_AGENT_URI": parts.agent_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": network.aws_endpoint,
        "HTTPS_PROXY": network.github_proxy,
        "NO_PROXY": "127.0.0.1,localhost",
        "SSL_CERT_FILE": trusted,
        "GIT_SSL_CAINFO": trusted,
    }


def _own_environment(
    parts: TaskParts, definition: ContainerDefinition, secrets: Mapping[str, str], volumes: Mapping[str, Path]
) -> dict[str, str]:
    own = {name: _mapped(value, volumes) for name, value in definition.environment.items()}
    names = list(own)
    own = dict(zip(names, local_port(own.values(), parts.definition.port, parts.port), strict=True))
    if parts.port != parts.definition.port and (definition is parts.definition.server or "ATLANTIS_PORT" in own):
        own["ATLANTIS_PORT"] = str(parts.port)
    if definition is parts.definition.server:
        own |= parts.database
    return {**own, **secrets}


def _mapped(value: str, volumes: Mapping[str, Path]) -> str:
    for container_path, directory in volumes.items():
        if value == container_path or value.startswith(f"{container_path}/"):
            return str(directory) + value[len(container_path) :]
    return value


def local_port(words: Iterable[str], container_port: int, port: int) -> list[str]:
    """Return ``words`` with ``container_port`` replaced by ``port``, the server's port on this machine."""
    return [
        word.replace(f"localhost:{container_port}", f"localhost:{port}").replace(
            f"127.0.0.1:{container_port}", f"127.0.0.1:{port}"
        )
        for word in words
    ]
