"""Locks in the deployed database: a real redis-server behind the real Atlantis, and updates without a gap.

Only without a redis-server on PATH is this skipped.
"""

import base64
import hashlib
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.atlantis import locking_database
from sandbox.atlantis.operator import read_task_secrets
from sandbox.pull_requests import deliver
from sandbox.sandbox import Sandbox
from sandbox.testbed import processes
from sandbox.testbed.certificates import Certificates, issue
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store
from sandbox.testbed.local_aws.task_status import Status, StatusFile
from tests.needs import needs
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.pull_requests import comment, open_pull_request
from tests.sandbox.atlantis.served import service_of
from tests.sandbox.harness import Scratch

pytestmark = needs("redis-server")
needs_terraform = needs("terraform")

GROUP = "atlantis-local"
PASSWORD = "ATLANTIS_REDIS_PASSWORD"


def _sandbox(scratch: Scratch, **settings: Any) -> Sandbox:
    return scratch.with_server(**{"lockingDatabase": "redis", "deletionProtection": False, **settings})


@pytest.fixture(scope="module")
def up(module_scratch: Scratch) -> Scratch:
    """The stack with a locking database and the server in it."""
    _sandbox(module_scratch).up()
    return module_scratch


@pytest.fixture
def service(up: Scratch) -> DeployedService:
    return service_of(_sandbox(up))


def _status(service: DeployedService) -> Status:
    return StatusFile(service.state, service.name).read()


def _events(service: DeployedService) -> list[str]:
    return [line.partition(" ")[2] for line in _status(service).events]


def _database(service: DeployedService) -> processes.Process:
    found = processes.find(service.state, f"locking-{GROUP}")
    assert found is not None
    assert found.alive
    return found


def _password(service: DeployedService) -> str:
    described = service.task_definition(service.require_service().definition)
    return read_task_secrets(service, described, [PASSWORD])[PASSWORD]


def _ask(service: DeployedService, *words: str, password: str | None = None) -> str:
    """Say one thing to the database, over TLS that the sandbox's authority vouches for; the whole answer."""
    context = ssl.create_default_context(cafile=str(service.state / "github" / "tls" / "trusted.pem"))
    port = _database(service).port
    with (
        socket.create_connection(("localhost", port or 0), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
        connection.makefile("rwb", buffering=0) as stream,
    ):
        if password is not None:
            stream.write(f"AUTH {password}\r\n".encode())
            answer = stream.readline().decode()
            if not answer.startswith("+OK"):
                return answer
        stream.write((" ".join(words) + "\r\n").encode())
        time.sleep(0.2)
        return stream.read(65536).decode()


class Visitor:
    """Asks for the server's health through the load balancer, again and again, until it is stopped."""

    def __init__(self, service: DeployedService) -> None:
        self.balancer, self.answers = entrance(service), list[int]()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            self.answers.append(self.balancer.request("GET", "/healthz").status)
            time.sleep(0.02)


def test_state_and_local_aws_agree_on_the_database(up: Scratch) -> None:
    assert _sandbox(up).compare().describe() == ""
    types = {resource["type"] for resource in _sandbox(up).resources()}
    assert "aws:elasticache/replicationGroup:ReplicationGroup" in types


def test_the_server_uses_the_database_and_no_lock_file(service: DeployedService) -> None:
    log = (service.state / "logs" / f"{service.name}.log").read_text()
    assert f"Utilizing Redis DB in single-node mode, host: localhost, port: {_database(service).port}" in log
    assert "BoltDB" not in log
    assert list((service.state / "efs").rglob("atlantis.db")) == []
    assert entrance(service).request("GET", "/readyz").status == 200


def test_the_database_answers_over_tls_and_to_the_deployed_password_only(service: DeployedService) -> None:
    assert "NOAUTH" in _ask(service, "PING")
    assert "WRONGPASS" in _ask(service, "PING", password="x" * 48)
    assert _ask(service, "PING", password=_password(service)) == "+PONG\r\n"


def test_the_password_is_in_no_argument_and_no_file(service: DeployedService) -> None:
    password = _password(service).encode()
    database = _database(service)
    assert password not in Path(f"/proc/{database.pid}/cmdline").read_bytes()
    assert password not in Path(f"/proc/{database.pid}/environ").read_bytes()
    files = [path for path in service.state.rglob("*") if path.is_file() and "local-aws" not in path.parts]
    assert [path for path in files if password in path.read_bytes()] == []
    configuration = service.state / "elasticache" / GROUP / "redis.conf"
    assert configuration.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(password).hexdigest() in configuration.read_text()


@needs_terraform
def test_an_update_starts_the_new_task_before_it_stops_the_old_one_whose_lock_outlives_it(
    up: Scratch, service: DeployedService
) -> None:
    github = Store(service.state / "github")
    pull = open_pull_request(github, "network", "v1")
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert "Plan: 1 to add" in plan, plan
    keys = _ask(service, "KEYS", "*", password=_password(service))
    assert "network" in keys

    old, before = _status(service), len(_events(service))
    with Visitor(service) as visitor:
        _sandbox(up, logLevel="error").up()
    new = _status(service)
    assert old.task is not None
    assert new.task is not None
    assert new.task != old.task
    steps = [line.split(" of ")[0] for line in _events(service)[before:]]
    assert steps == [
        f"task {old.task[:8]} keeps running until a new task has replaced it",
        f"task {new.task[:8]}",
        f"task {new.task[:8]} is healthy and registered with the load balancer",
        f"stopping task {old.task[:8]}: a new one has replaced it",
        f"task {old.task[:8]} has stopped",
    ]
    assert len([process for process in service.processes() if "." not in process.name]) == 1
    # The local AWS can't swap the one target of an address at once: a request may fall between the two calls.
    refused = [answer for answer in visitor.answers if answer != 200]
    assert len(visitor.answers) > 50
    assert len(refused) <= 2

    assert _ask(service, "KEYS", "*", password=_password(service)) == keys
    user, password = up.cli("password").stdout.split()
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    page = entrance(service).request("GET", "/", headers={"Authorization": f"Basic {credentials}"})
    assert "network" in page.body.decode()


def test_an_update_that_fails_leaves_the_old_task_where_it_is(service: DeployedService) -> None:
    before = _status(service)
    described = service.task_definition(before.definition or "")
    broken = service.client("ecs").register_task_definition(
        **{
            key: described[key]
            for key in (
                *("family", "networkMode", "cpu", "memory", "requiresCompatibilities", "volumes"),
                *("executionRoleArn", "taskRoleArn"),
            )
        },
        containerDefinitions=[_with(described["containerDefinitions"][0], "ATLANTIS_LOG_LEVEL", "deafening")],
    )["taskDefinition"]["taskDefinitionArn"]
    with Visitor(service) as visitor:
        service.client("ecs").update_service(cluster=service.cluster, service=service.name, taskDefinition=broken)
        eventually(
            "the rollback",
            lambda: (
                _status(service).state == "healthy"
                and any("rolls back" in line for line in _status(service).events[-5:])
            ),
        )
    assert _status(service).task == before.task
    assert service.require_service().definition == before.definition
    assert set(visitor.answers) == {200}
    service.client("ecs").deregister_task_definition(taskDefinition=broken)


def _with(container: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    kept = [item for item in container["environment"] if item["name"] != name]
    return container | {"environment": [*kept, {"name": name, "value": value}]}


def test_a_new_password_is_valid_next_to_the_old_one_until_the_task_is_replaced(
    up: Scratch, service: DeployedService
) -> None:
    old, database = _password(service), _database(service)
    _sandbox(up, logLevel="error", lockingPasswordGeneration=2).up()
    new = _password(service)
    assert new != old
    service.client("ecs").update_service(cluster=service.cluster, service=service.name, forceNewDeployment=True)
    replaced = _status(service).task
    eventually("a new task", lambda: _status(service).state == "healthy" and _status(service).task != replaced)
    assert _database(service).port == database.port
    assert _ask(service, "PING", password=old) == _ask(service, "PING", password=new) == "+PONG\r\n"


def _variables(service: DeployedService, **changes: str) -> dict[str, str]:
    return service.variables(service.require_service().definition) | {PASSWORD: "p" * 48} | changes


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return issue(tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"ATLANTIS_REDIS_HOST": "elsewhere"},
            "the primary endpoint of no replication group (there is atlantis-local)",
        ),
        ({"ATLANTIS_REDIS_TLS_ENABLED": "false"}, "answers over TLS only"),
        ({PASSWORD: ""}, "demands its password"),
    ],
)
def test_a_task_that_is_told_otherwise_than_what_is_deployed_does_not_start(
    service: DeployedService, certificates: Certificates, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(TaskStartError) as refused:
        locking_database.serve(service, _variables(service, **changes), certificates)
    assert problem in str(refused.value)


def test_a_machine_without_a_redis_server_is_told_what_to_install(
    service: DeployedService, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="apt-get install redis-server"):
        locking_database.serve(service, _variables(service), certificates)


def test_back_to_the_lock_file_the_old_task_stops_first(up: Scratch, service: DeployedService) -> None:
    old = _status(service).task
    _sandbox(up, lockingDatabase="boltdb").up()
    new, events = _status(service).task, _events(service)
    assert old is not None
    assert new is not None
    stopped = events.index(f"stopping task {old[:8]}: a new deployment replaces it") + 1
    assert events[stopped] == f"task {old[:8]} has stopped"
    assert new[:8] not in "".join(events[:stopped])
    assert _status(service).state == "healthy"
    assert service.client("elasticache").describe_replication_groups()["ReplicationGroups"] == []
