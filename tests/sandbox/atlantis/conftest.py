"""A local AWS with a service, or a whole deployed stack, and the real Atlantis server running as that service's task."""

import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest

from sandbox.atlantis import lifecycle
from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws, processes
from sandbox.testbed.certificates import Certificates
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github.store import Store
from sandbox.testbed.local_aws import instance
from sandbox.testbed.local_aws.task_status import Status, StatusFile
from tests.sandbox import identity_provider
from tests.sandbox.atlantis.containers import ContainerScratch
from tests.sandbox.atlantis.local_service import LocalService
from tests.sandbox.atlantis.served import reachable_scratch, service_of
from tests.sandbox.atlantis.waiting import eventually  # noqa: F401 - tests import it from here
from tests.sandbox.harness import Scratch, own_processes
from tests.sandbox.identity_provider import IdentityProvider


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """The service, deployed but not running; what a test starts is stopped afterwards."""
    made = LocalService(tmp_path_factory.mktemp("service"))
    yield made
    lifecycle.take_down(made.deployment)
    assert [process for process in processes.recorded(made.deployment.state) if process.name != instance.NAME] == []
    local_aws.stop(made.deployment.state)


@pytest.fixture
def running(local: LocalService) -> LocalService:
    """The service with its task healthy."""
    lifecycle.bring_up(local.deployment, clean_environment())
    return local


@pytest.fixture
def github(running: LocalService) -> Store:
    """What the stand-in of GitHub holds."""
    return Store(running.deployment.state / "github")


@pytest.fixture(scope="module")
def provider_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The identity provider's, which the local AWS must trust from its start."""
    return identity_provider.certificates(tmp_path_factory.mktemp("identity-provider"))


@pytest.fixture(scope="module")
def provider(provider_certificates: Certificates) -> Iterator[IdentityProvider]:
    """A running identity provider."""
    with identity_provider.running(provider_certificates) as running:
        yield running


@pytest.fixture(scope="module")
def up(provider_certificates: Certificates) -> Iterator[Scratch]:
    """`make up` of the stack with the server in it."""
    with reachable_scratch() as scratch:
        scratch.deployed()
        # Only a new one trusts the provider.
        local_aws.stop(scratch.state)
        answer = scratch.cli("up", SSL_CERT_FILE=str(provider_certificates.bundle))
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
        address = re.search(r"http://127\.0\.0\.1:\d+/", answer.stderr)
        assert address is not None
        assert fetch(address[0])[0] == 401
        yield scratch
        assert scratch.cli("down", "--force").returncode == 0
        assert list(own_processes(scratch.base)) == []


@pytest.fixture
def service(up: Scratch) -> DeployedService:
    """The service of ``up``."""
    return service_of(Sandbox(up.stack, state=up.state, policy_pack=None))


def status(local: LocalService) -> Status:
    return StatusFile(local.deployment.state, local.deployment.name).read()


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[ContainerScratch]:
    """A folder for tasks without a service."""
    made = ContainerScratch(tmp_path)
    yield made
    made.stop()


def server_process(local: LocalService) -> processes.Process:
    """Process 1 of the server's container."""
    found = processes.find(local.deployment.state, local.deployment.name)
    assert found is not None
    return found


def server_environment(local: LocalService) -> dict[str, str]:
    """The variables of that process."""
    content = Path(f"/proc/{server_process(local).pid}/environ").read_bytes().decode()
    return dict(item.split("=", 1) for item in content.split("\0") if item)


def seen_by(process: processes.Process, path: str) -> Path:
    """What ``process`` sees at ``path``; its container, if it has one, has other files than this machine."""
    return Path(f"/proc/{process.pid}/root{path}")


def fetch(url: str) -> tuple[int, bytes]:
    """GET a loopback address; status and body."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    try:
        connection.request("GET", address.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def open_websocket(root: str, path: str) -> tuple[int, BinaryIO]:
    """Ask for a WebSocket at a loopback address; the status of the answer, and what comes after its headers."""
    address = urlsplit(root)
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=120) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        stream = connection.makefile("rb")
    code = int(stream.readline().split()[1])
    while stream.readline().strip():
        pass
    return code, stream


def files_without_business_with_secrets(state: Path) -> list[Path]:
    """Every file of a sandbox but the memory of Secrets Manager itself, which the local AWS writes when it stops."""
    memory = state / "local-aws"
    return [
        path
        for path in state.rglob("*")
        if path.is_file() and not (memory in path.parents and path.name.startswith("secretsmanager"))
    ]
