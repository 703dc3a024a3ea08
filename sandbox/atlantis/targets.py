"""The task as a target of the deployed load balancer, and requests through that load balancer's rules."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.atlantis.deployed_service import DeployedService
from sandbox.atlantis.health import HealthMonitor, target_probe
from sandbox.atlantis.task_definition import HealthCheck
from sandbox.errors import SandboxError

__all__ = [
    "LoadBalancer",
    "Response",
    "balancer_of",
    "deregister",
    "drain",
    "entrance",
    "health_monitor",
    "idle_timeout",
    "is_registered",
    "register",
]

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Response:
    """An answer: status, headers (last one wins), body, and the values of all ``Set-Cookie`` headers."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadBalancer:
    """The data plane of a load balancer in the local AWS; ``host`` is what clients call it.

    The listener is chosen by the port in the Host header. The local AWS terminates no TLS: a request for the HTTPS
    listener travels in plaintext over loopback. Conditions on the source's address match every source there.
    """

    endpoint: str
    name: str
    host: str

    def request(
        self,
        method: str,
        path: str,
        *,
        port: int = 443,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = 60,
    ) -> Response:
        """Send one request to the listener of ``port`` and read the whole answer."""
        address = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(address.hostname or _HOST, address.port, timeout=seconds)
        try:
            own = {"Host": f"{self.host}:{port}", "Content-Length": str(len(body))}
            connection.request(method, f"/_alb/{self.name}{path}", body=body, headers={**(headers or {}), **own})
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            cookies = tuple(answer.headers.get_all("Set-Cookie", []))
            return Response(answer.status, received, answer.read(), cookies)
        finally:
            connection.close()


def idle_timeout(client: Any, name: str) -> float:
    """Seconds until the load balancer closes a connection on which nothing flows; ``client`` is boto3's ``elbv2``."""
    arn = client.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return float(next(item["Value"] for item in attributes if item["Key"] == "idle_timeout.timeout_seconds"))


def balancer_of(deployment: DeployedService, target_group: str, host: str) -> LoadBalancer:
    """The load balancer whose rules forward to ``target_group``.

    They are looked for: the local AWS lists a group's load balancer for default actions only.
    """
    client = deployment.client("elbv2")
    for balancer in client.describe_load_balancers()["LoadBalancers"]:
        for listener in client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            rules = client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            if any(action.get("TargetGroupArn") == target_group for rule in rules for action in rule["Actions"]):
                return LoadBalancer(deployment.endpoint, balancer["LoadBalancerName"], host)
    raise SandboxError(f"No listener of a load balancer forwards to {target_group}, so nothing reaches the service")


def entrance(deployment: DeployedService) -> LoadBalancer:
    """The deployed load balancer, under the host name of Atlantis' own URL."""
    service = deployment.require_service()
    url = deployment.variables(service.definition).get("ATLANTIS_ATLANTIS_URL", "")
    return balancer_of(deployment, service.target_group, urlsplit(url).hostname or deployment.name)


def health_monitor(deployment: DeployedService, target_group: str, port: int, grace: float) -> HealthMonitor:
    """Look at the process on ``port`` as the group's health check does; failures don't count for ``grace`` seconds."""
    group = deployment.client("elbv2").describe_target_groups(TargetGroupArns=[target_group])["TargetGroups"][0]
    check = HealthCheck(
        command=[],
        interval=group["HealthCheckIntervalSeconds"],
        timeout=group["HealthCheckTimeoutSeconds"],
        retries=group["UnhealthyThresholdCount"],
        start_period=grace,
    )
    return HealthMonitor(check, target_probe(port, group["HealthCheckPath"], group["Matcher"]["HttpCode"]))


def register(deployment: DeployedService, target_group: str, port: int) -> None:
    """Make the process on ``port`` the one target of the group.

    The local AWS knows a target by its address alone and ignores a second port of it, so older ones go first.
    """
    client = deployment.client("elbv2")
    known = client.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    if known:
        client.deregister_targets(TargetGroupArn=target_group, Targets=[item["Target"] for item in known])
    client.register_targets(TargetGroupArn=target_group, Targets=[{"Id": _HOST, "Port": port}])


def is_registered(deployment: DeployedService, target_group: str, port: int) -> bool:
    """Whether the process on ``port`` is a target of the group."""
    known = deployment.client("elbv2").describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    return any(item["Target"] == {"Id": _HOST, "Port": port} for item in known)


def deregister(deployment: DeployedService, target_group: str, port: int) -> None:
    """Take the process on ``port`` out of the group, and wait for its open requests as a load balancer does."""
    client = deployment.client("elbv2")
    client.deregister_targets(TargetGroupArn=target_group, Targets=[{"Id": _HOST, "Port": port}])
    drain(deployment, target_group, port)


def drain(deployment: DeployedService, target_group: str, port: int) -> None:
    """Wait for the open requests of a process that another has replaced in the group.

    A load balancer waits for the group's deregistration delay at most, and not at all where nothing is in flight.
    """
    client = deployment.client("elbv2")
    attributes = client.describe_target_group_attributes(TargetGroupArn=target_group)["Attributes"]
    delay = next(
        (float(item["Value"]) for item in attributes if item["Key"] == "deregistration_delay.timeout_seconds"), 300.0
    )
    deadline = time.monotonic() + delay
    while _connections(port) and time.monotonic() < deadline:
        time.sleep(0.2)


def _connections(port: int) -> int:
    """How many connections to ``port`` are established, where the system shows it (Linux)."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return 0
    local, established = f":{port:04X}", "01"
    rows = (line.split() for line in table.read_text(encoding="ascii").splitlines()[1:])
    return sum(row[1].endswith(local) and row[3] == established for row in rows)
