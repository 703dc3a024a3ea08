"""The local AWS: ministack as a detached process on a free loopback port. Its state persists across restarts."""

import hashlib
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sandbox.testbed import console, processes
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.iam_evaluation import evaluator
from sandbox.testbed.local_aws import clients
from sandbox.testbed.local_aws.facts import FACTS
from sandbox.testbed.paths import CHECKOUT, private_directory
from sandbox.testbed.ports import free_port

ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
ROOT_KEY = "test"
NAME = "local-aws"
VERSION = "version.json"
CODE = (".py", ".yaml")
START_SECONDS = 60.0
SAVE_SECONDS = 30.0

SERVICES: tuple[str, ...] = tuple(FACTS["provider_services"])


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS."""

    endpoint: str
    region: str = REGION
    account: str = ACCOUNT

    def client(self, service: str) -> Any:
        """A boto3 client of ``service`` (boto3's name, such as ``elbv2``) with the root credentials."""
        return _client(service, self.endpoint, self.region)

    def environment(self) -> dict[str, str]:
        """Environment variables that configure AWS clients for this local AWS only."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


@lru_cache(maxsize=64)
def _client(service: str, endpoint: str, region: str) -> Any:
    # Each command of a sandbox finds the running local AWS anew, and loading a client takes 10 to 100 ms.
    return clients.create(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_KEY,
    )


def start(state: Path, environment: Mapping[str, str]) -> LocalAws:
    """The local AWS of ``state``: the running one, or a new process with the last saved state."""
    found = processes.find(state, NAME)
    known, version = read_json(_directory(state) / VERSION), _version()
    # The command that started the process may have been killed before the process was ready.
    if found and found.lasting and known == version and _answers(found):
        return LocalAws(_endpoint(found.port or 0))
    if found and found.alive and known != version:
        console.step("Restarting the local AWS, which another version of the sandbox started")
    # If stopping was interrupted, the process still runs; stop it so that it saves its state.
    stop(state)
    _install_evaluator()
    write_json(_directory(state) / VERSION, version)
    with console.timed("Starting the local AWS"):
        for _ in range(3):
            port = _choose_port(state)
            process = processes.start(
                state,
                NAME,
                [sys.executable, "-m", "sandbox.testbed.local_aws.server"],
                environment={**environment, **_settings(state, port), "PYTHONPATH": str(CHECKOUT)},
                port=port,
                directory=_directory(state),
            )
            if _answers(process):
                return LocalAws(_endpoint(port))
            processes.stop(state, NAME)
    log = state / "logs" / f"{NAME}.log"
    last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
    raise SandboxError(f"The local AWS didn't start; its log is {log}:\n{last}")


def _version() -> str:
    """What identifies the code of the process: an older one can't read what a newer task agent writes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in (CHECKOUT / "sandbox" / "testbed").rglob("*") if path.suffix in CODE):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _install_evaluator() -> None:
    try:
        evaluator.install()
    except SandboxError as error:
        console.note(str(error))
        console.note("Until then, ministack evaluates IAM policies, and denies some calls of a task that AWS allows")


def running(state: Path) -> LocalAws | None:
    """The local AWS of ``state``, if its process runs and isn't being stopped."""
    process = processes.find(state, NAME)
    return LocalAws(_endpoint(process.port)) if process and process.lasting and process.port else None


def crashed(state: Path) -> bool:
    """Whether the local AWS exited without saving. Its saved state is then older than the engine's state."""
    process = processes.find(state, NAME)
    return process is not None and not process.alive


def stop(state: Path) -> bool:
    """Stop the local AWS, which saves its state before it exits. False if it wasn't running."""
    return processes.stop(state, NAME, patience=SAVE_SECONDS)


def _directory(state: Path) -> Path:
    return private_directory(state / NAME)


def _endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _settings(state: Path, port: int) -> dict[str, str]:
    directory = _directory(state)
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(private_directory(directory / "services")),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(private_directory(directory / "buckets")),
        "TMPDIR": str(private_directory(directory / "temporary")),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        # Disables containers: the sandbox runs the task itself, with or without a Docker daemon.
        "DOCKER_HOST": f"unix://{directory / 'no-docker.sock'}",
    }


def _choose_port(state: Path) -> int:
    """The previous port if it is free, so that the provider's endpoint doesn't change; otherwise any free port."""
    file = _directory(state) / "port.json"
    port = free_port(read_json(file) or 0)
    write_json(file, port)
    return port


def _answers(process: processes.Process) -> bool:
    """Wait until ``process`` responds. False if it exited, for example because another process took the port."""
    deadline = time.monotonic() + START_SECONDS
    health = f"{_endpoint(process.port or 0)}/_ministack/health"
    # Ignore proxies in the user's environment for loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.alive and time.monotonic() < deadline:
        try:
            with opener.open(health, timeout=2) as answer:
                return answer.status == 200 and process.alive
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False
