"""Clients of the local AWS, and helpers for waiting and for error codes."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

_ALIASES = {
    "application-autoscaling": ("appautoscaling", "applicationautoscaling"),
    "elbv2": ("elbv2", "elb"),
    "logs": ("logs", "cloudwatchlogs", "cloudwatchlog"),
}
"""Names of services in the provider's `endpoints` setting, where they differ from botocore's."""
EVERY_SERVICE = "*"
"""The key of the endpoint for services that `endpoints` doesn't name."""
_FIRST_WAIT = 0.05
_LONGEST_WAIT = 2.0
CALL_LOG = "ATLANTIS_SANDBOX_CALLS"
"""The variable that names the file for a log of API calls, one JSON object per line. The parameters are logged unredacted and
include secrets, so only the owner can read the file. The deployment roles are checked against it."""
_PREFIXES = {"monitoring": "cloudwatch"}
"""IAM service prefixes of services whose signing name differs."""

Found = TypeVar("Found")


class WaitError(Exception):
    """An object didn't reach the expected state in time, or the wait was cancelled."""


@dataclass
class ProviderSettings:
    """The provider's settings (`aws:region` and so on)."""

    region: str
    endpoints: Mapping[str, str]
    access_key: str
    secret_key: str
    token: str | None = None
    roles: Sequence[str] = ()
    """Roles that are assumed one after the other."""
    default_tags: Mapping[str, str] = field(default_factory=dict)
    path_style: bool = True
    attempts: int = 12


class Session:
    """Clients for one region, created on first use."""

    def __init__(self, settings: ProviderSettings, stopping: threading.Event) -> None:
        self.settings = settings
        self.region = settings.region
        self.partition = _partition(settings.region)
        self._stopping = stopping
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service. It retries throttling and server errors."""
        with self._lock:  # botocore's session isn't thread-safe
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    @functools.cached_property
    def _session(self) -> Any:
        from boto3.session import Session as Boto3Session  # noqa: PLC0415  (delays startup by 0.2 seconds)

        settings, endpoints = self.settings, self.settings.endpoints
        session = Boto3Session(settings.access_key, settings.secret_key, settings.token, settings.region)
        for role in settings.roles:
            sts = session.client("sts", endpoint_url=endpoints.get("sts") or endpoints[EVERY_SERVICE])
            assumed = sts.assume_role(RoleArn=role, RoleSessionName="pulumi")["Credentials"]
            key = (assumed[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
            session = Boto3Session(*key, settings.region)
        return session

    def _make(self, service: str) -> Any:
        from botocore.config import Config  # noqa: PLC0415

        names = (*_ALIASES.get(service, (service,)), EVERY_SERVICE)
        endpoint = next((self.settings.endpoints[name] for name in names if name in self.settings.endpoints), None)
        if endpoint is None:
            raise LookupError(
                f"aws:endpoints names no endpoint for {service}; the stand-in talks only to a local AWS and never guesses one. Set "
                "AWS_ENDPOINT_URL, or pass endpoints to an explicit provider"
            )
        config = Config(
            retries={"mode": "standard", "max_attempts": self.settings.attempts},
            max_pool_connections=32,
            connect_timeout=5,
            read_timeout=60,
            s3={"addressing_style": "path" if self.settings.path_style else "auto"},
            ignore_configured_endpoint_urls=True,
        )
        client = self._session.client(service, endpoint_url=endpoint, config=config)
        if os.environ.get(CALL_LOG):
            client.meta.events.register("provide-client-params", _log)
        return client

    @functools.cached_property
    def account(self) -> str:
        """The account ID."""
        return self.client("sts").get_caller_identity()["Account"]

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def wait(self, what: str, attempt: Callable[[], Found | None], limit: float = 120.0) -> Found:
        """Call `attempt` at increasing intervals until it returns a result."""
        end = time.monotonic() + limit
        interval = _FIRST_WAIT
        while True:
            found = attempt()
            if found:
                return found
            if time.monotonic() > end:
                raise WaitError(f"{what} was not reached within {limit:.0f} s")
            if self._stopping.wait(interval):
                raise WaitError(f"waiting for {what} was cancelled")
            interval = min(interval * 1.5, _LONGEST_WAIT)


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def error_code(error: Exception) -> str:
    """The error code in AWS' response, or an empty string."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def is_gone(error: Exception) -> bool:
    """Whether the error means that the object doesn't exist. Each service has its own error code."""
    code = error_code(error)
    # For a missing task definition, ECS has no separate error code, only a message.
    no_definition = code == "ClientException" and "Unable to describe task definition" in str(error)
    return "NotFound" in code or "Nonexistent" in code or code.startswith("NoSuch") or code == "404" or no_definition


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """For deletions: ignore the error that the object doesn't exist."""
    try:
        yield
    except Exception as error:
        if not is_gone(error):
            raise


def _log(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    service = model.service_model.signing_name
    call = {"service": _PREFIXES.get(service, service), "operation": model.name, "parameters": params}
    line = json.dumps(call, default=str) + "\n"
    log = os.open(os.environ[CALL_LOG], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(log, line.encode())  # One write: several processes append to the file.
    finally:
        os.close(log)
