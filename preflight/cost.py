"""Print what the stack costs a month, part by part, with the prices of AWS' price list. The caller needs pricing:GetProducts.

What depends on use has a price and no amount: data, storage, requests. Taxes, discounts and the free tier aren't considered.
"""

import argparse
import datetime
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from components.context import physical_names
from components.network.network import GATEWAY_ENDPOINTS
from components.settings import Settings
from components.settings.groups import TaskArgs
from components.settings.workers import SPOT, WorkerGroup
from preflight.aws import Aws
from preflight.collisions import created_secrets, key_stores
from preflight.deployment import Deployment
from preflight.errors import FailedError
from preflight.printed import columns, parser, print_document

HOURS: Final = 730
"""Hours of a month, as AWS' calculator counts them."""
_LIST_REGION: Final = "us-east-1"
_INCLUDED_STORAGE: Final = 20
_SPOT_DISCOUNT: Final = 0.7
_ZONES: Final = 2
_PREFIX: Final = r"(?:(?:[A-Z]{2,4}\d?|[a-z]{2}(?:-[a-z]+)+-\d)-)?"
"""Usage types begin with a region's short name, its name, or nothing in us-east-1."""

_USAGE: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "vCPU": ("AmazonECS", "Fargate-vCPU-Hours:perCPU", {}),
    "GiB": ("AmazonECS", "Fargate-GB-Hours", {}),
    "vCPU (ARM64)": ("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU", {}),
    "GiB (ARM64)": ("AmazonECS", "Fargate-ARM-GB-Hours", {}),
    "GiB of disk": ("AmazonECS", "Fargate-EphemeralStorage-GB-Hours", {}),
    "load balancer": ("AWSELB", "LoadBalancerUsage", {"productFamily": "Load Balancer-Application"}),
    "capacity unit": ("AWSELB", "LCUUsage", {"productFamily": "Load Balancer-Application"}),
    "NAT gateway": ("AmazonEC2", "NatGateway-Hours", {"productFamily": "NAT Gateway"}),
    "GB through NAT": ("AmazonEC2", "NatGateway-Bytes", {"productFamily": "NAT Gateway"}),
    "public IPv4": ("AmazonVPC", "PublicIPv4:InUseAddress", {}),
    "endpoint": ("AmazonVPC", "VpcEndpoint-Hours", {}),
    "GB through endpoints": ("AmazonVPC", "VpcEndpoint-Bytes", {}),
    "key": ("awskms", "KMS-Keys", {}),
    "secret": ("AWSSecretsManager", "AWSSecretsManager-Secrets", {}),
    "GB of files": ("AmazonEFS", "TimedStorage-ByteHrs", {}),
    "GB of backups": ("AWSBackup", "WarmStorage-ByteHrs-EFS", {"productFamily": "AWS Backup Storage"}),
    "alarm": ("AmazonCloudWatch", "CW:AlarmMonitorUsage", {}),
    "metric": ("AmazonCloudWatch", "CW:MetricMonitorUsage", {}),
    "GB of logs": ("AmazonCloudWatch", "DataProcessing-Bytes", {}),
}
"""By unit: the service's code in the price list, the usage type, and filters that keep the answer small."""
_MONTHLY: Final = {"key", "secret", "alarm", "metric"}


@dataclass(frozen=True)
class Line:
    """One part, the settings that decide it, and its price. `month` is None if the amount depends on use."""

    part: str
    settings: str
    amount: float
    unit: str
    price: float
    month: float | None


_Part: TypeAlias = tuple[str, str, Mapping[str, float]]
"""A part, its settings, and its amounts by unit, which are 0 if they depend on use."""


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or a call to AWS fails."""
    options = parser("preflight.cost", __doc__)
    options.add_argument("--json", action="store_true", help="print the lines as JSON")
    arguments = options.parse_args()
    return print_document(arguments, lambda deployment: document(deployment, arguments))


def document(deployment: Deployment, arguments: argparse.Namespace) -> str:
    """The table, or JSON."""
    settings = deployment.settings
    lines, saved = estimate(settings, deployment.aws), savings(settings, deployment.aws)
    total = sum(line.month or 0 for line in lines)
    if arguments.json:
        found = {"region": settings.region, "month": round(total, 2), "lines": [asdict(line) for line in lines]}
        return json.dumps({**found, "savings": {choice: round(usd, 2) for choice, usd in saved.items()}}, indent=2)
    rows = [("part", "setting", "amount", "price in USD", "USD a month")]
    for line in lines:
        each = f"{line.price:.7g} a {'month' if line.unit in _MONTHLY else 'hour'}"
        fixed = line.month is not None
        rows.append(
            (
                line.part,
                line.settings,
                f"{line.amount:g} {line.unit}" if fixed else "depends on use",
                each if fixed else f"{line.price:.7g} a {line.unit}",
                f"{line.month:.2f}" if line.month is not None else "-",
            )
        )
    text = columns(rows)
    text.append(f"\n{total:.2f} a month in {settings.region} without use ({datetime.date.today()}, AWS' price list)")
    text += [f"saves {usd:>7.2f}: {choice}" for choice, usd in saved.items()]
    return "\n".join(text)


def estimate(settings: Settings, aws: Aws) -> list[Line]:
    """Every part with its price, those that depend on use at the end.

    Raises:
        FailedError: AWS denies the call, or its list lacks a price.
    """
    prices = _Prices(settings, aws)
    lines = [
        Line(part, keys, amount, unit, price := prices.of(unit), _month(amount, unit, price))
        for part, keys, amounts in _parts(settings)
        for unit, amount in amounts.items()
        if amount or len(amounts) == 1
    ]
    return sorted(lines, key=lambda line: line.month is None)


def savings(settings: Settings, aws: Aws) -> dict[str, float]:
    """What cheaper choices save a month, by choice."""
    lines = estimate(settings, aws)
    prices = _Prices(settings, aws)

    def months(*parts: str) -> float:
        return sum(line.month or 0 for line in lines if line.part in parts)

    found: dict[str, float] = {}
    if settings.task.cpu_architecture == "X86_64":
        of_arm = sum(
            (line.price - prices.of(f"{line.unit} (ARM64)")) * line.amount * HOURS
            for line in lines
            if line.unit in ("vCPU", "GiB")
        )
        found["cpuArchitecture: ARM64, with an image for it"] = of_arm
    for group in settings.worker_groups:
        if group.role == "plan" and group.capacity_provider != SPOT:
            spot = _SPOT_DISCOUNT * months("plan workers")
            found["planWorkerCapacityProvider: FARGATE_SPOT, at a discount of 70 %, the most that AWS names"] = spot
    found["vpcEndpoints: [], with a route through a NAT gateway"] = months("interface endpoints")
    found["vpcId of a VPC that has a NAT gateway"] = months("NAT gateway", "address of the NAT gateway")
    found["httpsListenerArn of a load balancer that exists"] = months("load balancer", "addresses of the load balancer")
    found["lockingDatabase: boltdb, with 30 seconds without a server at each deployment"] = months("cache nodes")
    return {choice: usd for choice, usd in found.items() if usd > 0}


def _month(amount: float, unit: str, price: float) -> float | None:
    return amount * price * (1 if unit in _MONTHLY else HOURS) if amount else None


def _parts(settings: Settings) -> Iterator[_Part]:
    """What the stack creates, without what is free."""
    # The numbers of secrets and keys don't depend on the account.
    names = physical_names(settings, account="", partition="aws")
    task, arm = settings.task, " (ARM64)" if settings.task.cpu_architecture == "ARM64" else ""

    def tasks(part: str, keys: str, count: int, size: TaskArgs | WorkerGroup) -> _Part:
        amounts = {f"vCPU{arm}": count * size.cpu / 1024, f"GiB{arm}": count * size.memory / 1024}
        return part, keys, {**amounts, "GiB of disk": count * (size.ephemeral_storage - _INCLUDED_STORAGE)}

    spot = "capacityProvider FARGATE_SPOT: up to 70 % less"
    keys = spot if task.capacity_provider == SPOT else "cpu, memory"
    yield tasks("server", keys, task.desired_count, task)
    for group in settings.worker_groups:
        keys = f"{group.role}Workers" + (f", up to {group.most}" if group.scales else "")
        keys += "; FARGATE_SPOT: up to 70 % less" if group.capacity_provider == SPOT else ""
        yield tasks(f"{group.role} workers", keys, group.least, group)
    if settings.ingress.has_load_balancer and not settings.existing.https_listener_arn:
        yield "load balancer", "httpsListenerArn", {"load balancer": 1}
        if settings.ingress.load_balancer_scheme == "internet-facing":
            yield "addresses of the load balancer", "loadBalancerScheme", {"public IPv4": _ZONES}
        yield "requests", "-", {"capacity unit": 0}
    if not settings.network.vpc_id:
        yield "NAT gateway", "vpcId", {"NAT gateway": 1}
        yield "address of the NAT gateway", "vpcId", {"public IPv4": 1}
        yield "traffic through NAT", "-", {"GB through NAT": 0}
    if interfaces := [service for service in settings.vpc_endpoints if service not in GATEWAY_ENDPOINTS]:
        zones = len(settings.network.private_subnet_ids) if settings.network.vpc_id else _ZONES
        yield "interface endpoints", "vpcEndpoints", {"endpoint": len(interfaces) * zones}
        yield "traffic through endpoints", "-", {"GB through endpoints": 0}
    yield "keys", "logKeyArn, backupRetentionDays", {"key": len(key_stores(settings, names))}
    if secrets := created_secrets(settings, names):
        yield "secrets", "githubAppSecretName and others", {"secret": len(secrets)}
    if settings.storage.uses_redis:
        yield "cache nodes", "lockingDatabase, lockingNodeType", {settings.storage.locking_node_type: 2}
    if alarms := _alarms(settings):
        yield "alarms", "alarmTopicArns", {"alarm": alarms}
    drift = 4 if settings.drift.enabled else 0
    if metrics := 7 * len(settings.worker_groups) + drift:
        yield "metrics", "terraformIsolation, driftProjects", {"metric": metrics}
    yield "files", "-", {"GB of files": 0}
    yield "backups", "backupRetentionDays", {"GB of backups": 0}
    yield "logs", "-", {"GB of logs": 0}


def _alarms(settings: Settings) -> int:
    if not settings.operations.alarm_topic_arns or not settings.task.desired_count:
        return 0
    of_requests = 3 if settings.ingress.has_load_balancer else 1
    of_certificate = settings.ingress.has_load_balancer and not settings.existing.https_listener_arn
    return of_requests + of_certificate + 2 + 2 * settings.drift.enabled + 2 * len(settings.worker_groups)


class _Prices:
    """The prices of one region."""

    def __init__(self, settings: Settings, aws: Aws) -> None:
        self._region, self._list = settings.region, aws.in_region(_LIST_REGION)

    def of(self, unit: str) -> float:
        """The price of a unit in its first tier."""
        node = ("AmazonElastiCache", f"NodeUsage:{unit}", {"instanceType": unit, "cacheEngine": "Valkey"})
        service, usage, filters = _USAGE.get(unit, node)
        wanted = {"regionCode": self._region, **filters}
        answer = self._list.read(
            "pricing",
            "get_products",
            ServiceCode=service,
            Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()],
        )
        for product in map(json.loads, answer["PriceList"]):
            found = re.fullmatch(_PREFIX + re.escape(usage), product["product"]["attributes"].get("usagetype", ""))
            if found and (price := _first_tier(product)) is not None:
                return price
        raise FailedError(
            f"AWS' price list has no {usage} of {service} in {self._region}",
            "see the service's page of prices, and report it",
        )


def _first_tier(product: Mapping[str, Any]) -> float | None:
    for offer in product["terms"].get("OnDemand", {}).values():
        for tier in offer["priceDimensions"].values():
            if tier.get("beginRange", "0") == "0" and "USD" in tier["pricePerUnit"]:
                return float(tier["pricePerUnit"]["USD"])
    return None


if __name__ == "__main__":
    sys.exit(main())
