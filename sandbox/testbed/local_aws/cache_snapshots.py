"""The data of ElastiCache's snapshots: copies of the file that the redis-server of a replication group saves.

As on AWS, the deletion of a replication group deletes its data and its automatic snapshots
(https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.DeletingRepGroup.html).
"""

import shutil
import socket
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from ministack.services import elasticache

from sandbox.testbed import processes
from sandbox.testbed.certificates import LOOPBACK
from sandbox.testbed.local_aws.cache_nodes import DATA, PROCESS, USER
from sandbox.testbed.paths import private_directory

_AUTOMATIC: Final = "automatic."
"""The names of automatic snapshots begin with it."""
_Call = Callable[[Mapping[str, Any]], tuple[int, Any, bytes]]


def install(state: Path) -> None:
    """Install the calls. Must be called in ministack's process; `state` has the directories of the replication groups."""
    elasticache._create_snapshot = partial(_create, state, elasticache._create_snapshot)
    elasticache._create_replication_group = partial(_restore, state, elasticache._create_replication_group)
    elasticache._delete_replication_group = partial(_delete_group, state, elasticache._delete_replication_group)
    xml = elasticache._snapshot_xml
    elasticache._snapshot_xml = lambda snapshot: f"{xml(snapshot)}<KmsKeyId>{snapshot.get('KmsKeyId', '')}</KmsKeyId>"
    own = elasticache.handle_request

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        parameters = parse_qs(body.decode())
        if parameters.get("Action") == ["CopySnapshot"]:
            return _copy(state, parameters)
        return await own(method, path, headers, body, query)

    elasticache.handle_request = handle


def _create(state: Path, own: _Call, parameters: Mapping[str, Any]) -> Any:
    """Save a group's data. ElastiCache does so every day, under a name that nobody else can choose."""
    name, group = (elasticache._p(parameters, key) for key in ("SnapshotName", "ReplicationGroupId"))
    answer = own(parameters)
    if answer[0] == 200:
        elasticache._snapshots[name] |= {
            "KmsKeyId": elasticache._replication_groups[group]["KmsKeyId"],
            "SnapshotSource": "automated" if name.startswith(_AUTOMATIC) else "manual",
        }
        server = processes.find(state, PROCESS + group)
        if server and server.alive and server.port:
            _save(state / "github" / "tls" / "trusted.pem", server.port)
        shutil.copyfile(_group(state, group) / DATA, _data(state, name))
    return answer


def _save(trusted: Path, port: int) -> None:
    with (
        socket.create_connection((LOOPBACK, port), timeout=60) as plain,
        ssl.create_default_context(cafile=trusted).wrap_socket(plain, server_hostname=LOOPBACK) as connection,
        connection.makefile("rwb", buffering=0) as stream,
    ):
        stream.write(f"AUTH {USER} none\r\nSAVE\r\n".encode())
        answers = [stream.readline(), stream.readline()]
    if answers != [b"+OK\r\n"] * 2:
        raise RuntimeError(f"the locking database doesn't save: {answers}")


def _copy(state: Path, parameters: Mapping[str, Any]) -> Any:
    source, name = (elasticache._p(parameters, f"{end}SnapshotName") for end in ("Source", "Target"))
    if source not in elasticache._snapshots:
        return _missing(source)
    made = {"SnapshotName": name, "ARN": elasticache._arn_snapshot(name), "SnapshotSource": "manual"}
    elasticache._snapshots[name] = {**elasticache._snapshots[source], **made}
    shutil.copyfile(_data(state, source), _data(state, name))
    shown = elasticache._snapshot_xml(elasticache._snapshots[name])
    return elasticache._xml(
        200, "CopySnapshotResponse", f"<CopySnapshotResult><Snapshot>{shown}</Snapshot></CopySnapshotResult>"
    )


def _restore(state: Path, own: _Call, parameters: Mapping[str, Any]) -> Any:
    name, group = (elasticache._p(parameters, key) for key in ("SnapshotName", "ReplicationGroupId"))
    if name and name not in elasticache._snapshots:
        return _missing(name)
    answer = own(parameters)
    if name and answer[0] == 200:
        shutil.copyfile(_data(state, name), _group(state, group) / DATA)
    return answer


def _delete_group(state: Path, own: _Call, parameters: Mapping[str, Any]) -> Any:
    group, answer = elasticache._p(parameters, "ReplicationGroupId"), own(parameters)
    if answer[0] == 200:
        processes.stop(state, PROCESS + group)
        shutil.rmtree(_group(state, group))
        for name, snapshot in list(elasticache._snapshots.items()):
            if (snapshot["ReplicationGroupId"], snapshot["SnapshotSource"]) == (group, "automated"):
                del elasticache._snapshots[name]
    return answer


def _missing(name: str) -> Any:
    return elasticache._error("SnapshotNotFoundFault", f"Snapshot not found: {name}", 404)


def _group(state: Path, group: str) -> Path:
    return private_directory(state / "elasticache" / group)


def _data(state: Path, name: str) -> Path:
    return private_directory(state / "elasticache" / USER) / name
