"""The task as a target of the deployed load balancer, and requests through that load balancer's rules."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.testbed.containers.container_definition import HealthCheck
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.health import HealthMonitor, target_probe
from sandbox.testbed.errors import SandboxError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Response:
    """A response: status, headers (the last of each name), body, and the values of all ``Set-Cookie`` headers."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadBalancer:
    """The data plane of a load balancer in the local AWS; ``host`` is the host name that clients use.

    The local AWS selects the listener by the port in the Host header. It doesn't terminate TLS: a request to the HTTPS
    listener is sent in plaintext over loopback. A source IP condition matches every source there.
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
        """Send one request to the listener on ``port`` and read the whole response."""
        address = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(address.hostname or LOOPBACK, address.port, timeout=seconds)
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
    """Return the load balancer's idle timeout in seconds; ``client`` is boto3's ``elbv2``."""
    arn = client.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return float(next(item["Value"] for item in attributes if item["Key"] == "idle_timeout.timeout_seconds"))


def balancer_of(deployment: DeployedService, target_group: str, host: str) -> LoadBalancer:
    """The load balancer whose rules forward to ``target_group``.

    All rules are searched, because the local AWS lists a target group's load balancer only for default actions.
    """
    client = deployment.client("elbv2")
    for balancer in client.describe_load_balancers()["LoadBalancers"]:
        for listener in client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            rules = client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            if any(action.get("TargetGroupArn") == target_group for rule in rules for action in rule["Actions"]):
                return LoadBalancer(deployment.endpoint, balancer["LoadBalancerName"], host)
    raise SandboxError(f"No listener of a load balancer forwards to {target_group}, so nothing reaches the service")


def entrance(deployment: DeployedService) -> LoadBalancer:
    """Return the deployed load balancer, with the host name of Atlantis' URL."""
    service = deployment.require_service()
    url = deployment.variables(service.definition).get("ATLANTIS_ATLANTIS_URL", "")
    return balancer_of(deployment, service.target_group or "", urlsplit(url).hostname or deployment.name)


def health_monitor(deployment: DeployedService, target_group: str, port: int, grace: float) -> HealthMonitor:
    """Return a monitor with the target group's health check of ``port``; it ignores failures for ``grace`` seconds."""
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
    """Register the process on ``port`` as the only target of the group.

    The local AWS identifies a target by its address alone and ignores a second port, so that existing targets are
    deregistered first.
    """
    client = deployment.client("elbv2")
    known = client.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    if known:
        client.deregister_targets(TargetGroupArn=target_group, Targets=[item["Target"] for item in known])
    client.register_targets(TargetGroupArn=target_group, Targets=[{"Id": LOOPBACK, "Port": port}])


def is_registered(deployment: DeployedService, target_group: str, port: int) -> bool:
    """Whether the process on ``port`` is a target of the group."""
    known = deployment.client("elbv2").describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    return any(item["Target"] == {"Id": LOOPBACK, "Port": port} for item in known)


def deregister(deployment: DeployedService, target_group: str, port: int) -> None:
    """Deregister the process on ``port`` and wait for its open connections, as a load balancer does."""
    client = deployment.client("elbv2")
    client.deregister_targets(TargetGroupArn=target_group, Targets=[{"Id": LOOPBACK, "Port": port}])
    drain(deployment, target_group, port)


def drain(deployment: DeployedService, target_group: str, port: int) -> None:
    """Wait until the process on ``port``, which is no longer a target of the group, has no open connections.

    As a load balancer, it waits at most for the group's deregistration delay, and not at all if no request is in
    flight.
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
    """Return the number of established connections to ``port``; always 0 on a system other than Linux."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return 0
    local, established = f":{port:04X}", "01"
    rows = (line.split() for line in table.read_text(encoding="ascii").splitlines()[1:])
    return sum(row[1].endswith(local) and row[3] == established for row in rows)
