"""The local AWS: ministack as a detached process on a free loopback port, with its state kept over restarts."""

import contextlib
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import console, processes
from sandbox.errors import SandboxError
from sandbox.files import read_json, write_json
from sandbox.iam_evaluation import evaluator
from sandbox.local_aws import clients
from sandbox.paths import CHECKOUT, private_directory

__all__ = ["ACCOUNT", "REGION", "ROOT_KEY", "SERVICES", "LocalAws", "crashed", "running", "start", "stop"]

ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
ROOT_KEY = "test"
NAME = "local-aws"
START_SECONDS = 60.0
SAVE_SECONDS = 30.0

# What the AWS provider calls the services that this stack uses, in its `endpoints` setting.
SERVICES = (
    "acm",
    "backup",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "elasticache",
    "elbv2",
    "firehose",
    "iam",
    "kms",
    "logs",
    "route53",
    "s3",
    "secretsmanager",
    "sts",
    "wafv2",
)


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS."""

    endpoint: str
    region: str = REGION
    account: str = ACCOUNT
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """The boto3 client of ``service`` (boto3's own name, such as ``elbv2``) with the root credentials."""
        if service not in self._clients:
            self._clients[service] = clients.create(
                service,
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=ROOT_KEY,
                aws_secret_access_key=ROOT_KEY,
            )
        return self._clients[service]

    def environment(self) -> dict[str, str]:
        """Variables that point any AWS client at this local AWS, and at nothing else."""
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


def start(state: Path, environment: Mapping[str, str]) -> LocalAws:
    """The local AWS of ``state``: the one that runs, or a new process with the state that the last one saved."""
    found = processes.find(state, NAME)
    # The command that started it may have been killed before it answered.
    if found and found.lasting and _answers(found):
        return LocalAws(_endpoint(found.port or 0))
    # One whose stop was cut off saves its state first.
    stop(state)
    _install_evaluator()
    with console.timed("Starting the local AWS"):
        for _ in range(3):
            port = _choose_port(state)
            process = processes.start(
                state,
                NAME,
                [sys.executable, "-m", "sandbox.local_aws.server"],
                environment={**environment, **_settings(state, port), "PYTHONPATH": str(CHECKOUT)},
                port=port,
                directory=_directory(state),
            )
            if _answers(process):
                return LocalAws(_endpoint(port))
            processes.stop(state, NAME)
    log = state / "logs" / f"{NAME}.log"
    raise SandboxError(f"The local AWS didn't start; its log is {log}:\n{_tail(log)}")


def _install_evaluator() -> None:
    try:
        evaluator.install()
    except SandboxError as error:
        console.note(str(error))
        console.note("Until then, ministack evaluates IAM policies, and denies some calls of a task that AWS allows")


def running(state: Path) -> LocalAws | None:
    """The local AWS of ``state`` where its process runs and is to go on."""
    process = processes.find(state, NAME)
    return LocalAws(_endpoint(process.port)) if process and process.lasting and process.port else None


def crashed(state: Path) -> bool:
    """Whether the local AWS ended without saving: what it holds then is older than what the engine knows."""
    process = processes.find(state, NAME)
    return process is not None and not process.alive


def stop(state: Path) -> bool:
    """Stop the local AWS, which saves its state first; False where it didn't run."""
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
        # No containers: the sandbox runs the task itself, the same with and without a Docker daemon.
        "DOCKER_HOST": f"unix://{directory / 'no-docker.sock'}",
    }


def _choose_port(state: Path) -> int:
    """The port of the last time where it is free, so that the provider's endpoint stays the same; else any."""
    last = read_json(_directory(state) / "port.json")
    for candidate in [*([last] if last else []), 0]:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            port = probe.getsockname()[1]
            write_json(_directory(state) / "port.json", port)
            return port
    raise SandboxError("No loopback port is free for the local AWS")


def _answers(process: processes.Process) -> bool:
    """Wait until ``process`` serves; False where it ended instead (the port was taken in between, say)."""
    deadline = time.monotonic() + START_SECONDS
    health = f"{_endpoint(process.port or 0)}/_ministack/health"
    # No proxy of the person's environment may stand between this and loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.alive and time.monotonic() < deadline:
        try:
            with opener.open(health, timeout=2) as answer:
                return answer.status == 200 and process.alive
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _tail(log: Path, lines: int = 10) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
