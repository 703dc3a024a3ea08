"""The nodes of a deployed replication group: a real redis-server on loopback, with TLS and a password.

The local AWS stores the replication group and runs no nodes. The task's environment must match the deployed group: its
host and port are the group's primary endpoint, and the group and the task use TLS and a password. Host and port are
then mapped to those of the redis-server. No AWS API returns a group's password, so it is taken from the task's
environment; the configuration contains only its hash. As with ElastiCache's ``ROTATE`` strategy, the previous password
stays valid.
"""

import hashlib
import os
import re
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.testbed import processes
from sandbox.testbed.certificates import LOOPBACK, Certificates
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_private
from sandbox.testbed.local_aws.cache_nodes import DATA, PROCESS, USER
from sandbox.testbed.paths import private_directory
from sandbox.testbed.ports import free_port

_HOST, _PORT, _DEFAULT_PORT = "ATLANTIS_REDIS_HOST", "ATLANTIS_REDIS_PORT", "6379"
_START_SECONDS = 15.0

NO_SERVER = (
    "the stack uses Redis for its locks, but this machine has no redis-server: install it (Debian: apt-get install "
    "redis-server), or remove lockingDatabase from the stack's settings"
)


def require_server(settings: Mapping[str, Any]) -> None:
    """Raise ``SandboxError`` if a stack with these settings needs a redis-server and this machine has none."""
    if settings.get("atlantis:lockingDatabase") == "redis" and shutil.which("redis-server") is None:
        raise SandboxError(f"Nothing was deployed: {NO_SERVER}")


def keeps_locks_in_redis(environment: Mapping[str, str]) -> bool:
    """Whether a task with these variables keeps its locks in Redis, not in a file of its data directory."""
    return environment.get("ATLANTIS_LOCKING_DB_TYPE") == "redis"


def serve(deployment: DeployedService, environment: Mapping[str, str], certificates: Certificates) -> dict[str, str]:
    """Run the locking database of a task with these variables; returns the variables that differ on this machine.

    Raises ``TaskStartError`` if its environment differs from the deployed group, or if the machine has no redis-server.
    """
    if not keeps_locks_in_redis(environment):
        return {}
    group = _group(deployment, environment)
    password = environment.get("ATLANTIS_REDIS_PASSWORD", "")
    problems = _differences(group, environment, password)
    executable = shutil.which("redis-server")
    if executable is None:
        problems.append(NO_SERVER)
    if problems or executable is None:
        raise TaskStartError(*problems)
    port = _run(deployment.state, group["ReplicationGroupId"], executable, password, certificates)
    return {_HOST: LOOPBACK, _PORT: str(port)}


def stop(state: Path) -> None:
    """Stop the databases of a state folder; their data is kept there."""
    for process in processes.recorded(state):
        if process.name.startswith(PROCESS):
            processes.stop(state, process.name)


def _group(deployment: DeployedService, environment: Mapping[str, str]) -> dict[str, Any]:
    wanted = (environment.get(_HOST, ""), environment.get(_PORT, _DEFAULT_PORT))
    groups = deployment.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    for group in groups:
        for shard in group["NodeGroups"]:
            primary = shard["PrimaryEndpoint"]
            if (primary["Address"], str(primary["Port"])) == wanted:
                return group
    known = ", ".join(group["ReplicationGroupId"] for group in groups) or "none"
    raise TaskStartError(
        f"{_HOST} and {_PORT} are {':'.join(wanted)}, the primary endpoint of no replication group (there is {known})"
    )


def _differences(group: Mapping[str, Any], environment: Mapping[str, str], password: str) -> list[str]:
    name = group["ReplicationGroupId"]
    problems = []
    if group["Status"] != "available":
        problems.append(f"the replication group {name} is {group['Status']}, not available")
    if not group.get("TransitEncryptionEnabled") or not group.get("AuthTokenEnabled"):
        problems.append(f"the replication group {name} has no TLS or no password, and locks would be sent in plaintext")
    if environment.get("ATLANTIS_REDIS_TLS_ENABLED") != "true":
        problems.append(
            f"ATLANTIS_REDIS_TLS_ENABLED is not true, and the replication group {name} answers over TLS only"
        )
    if not password:
        problems.append(f"ATLANTIS_REDIS_PASSWORD is not set, and the replication group {name} demands its password")
    return problems


def _run(state: Path, group: str, executable: str, password: str, certificates: Certificates) -> int:
    directory = private_directory(state / "elasticache" / group)
    configuration = directory / "redis.conf"
    known = re.findall(r"#([0-9a-f]{64})", configuration.read_text()) if configuration.exists() else []
    accepted = hashlib.sha256(password.encode()).hexdigest()
    running = processes.find(state, PROCESS + group)
    if running and running.lasting and running.port and accepted in known:
        return running.port
    # A restarted database keeps its port, so that a running task can reconnect.
    processes.stop(state, PROCESS + group)
    port = free_port(running.port or 0 if running else 0)
    hashes = [*[digest for digest in known if digest != accepted][-1:], accepted]
    write_private(configuration, _configuration(directory, port, hashes, certificates))
    process = processes.start(
        state,
        PROCESS + group,
        [executable, str(configuration)],
        environment={"PATH": os.environ["PATH"]},
        port=port,
        directory=directory,
    )
    _wait(state, process, port)
    return port


def _configuration(directory: Path, port: int, hashes: list[str], certificates: Certificates) -> str:
    lines = [
        "bind 127.0.0.1",
        "port 0",
        f"tls-port {port}",
        f'tls-cert-file "{certificates.chain}"',
        f'tls-key-file "{certificates.key}"',
        "tls-auth-clients no",
        f'dir "{directory}"',
        f"dbfilename {DATA}",
        "save 60 1",
        f"user default on {' '.join(f'#{digest}' for digest in hashes)} ~* &* +@all",
        f"user {USER} on nopass -@all +save",
    ]
    return "\n".join(lines) + "\n"


def _wait(state: Path, process: processes.Process, port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.alive and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    log = state / "logs" / f"{process.name}.log"
    raise TaskStartError(f"the redis-server of the locking database didn't start; its log is {log}")
