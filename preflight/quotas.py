"""Quotas that the deployment could exceed: the values of Service Quotas for this account, or else AWS' defaults.

The defaults: https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
"""

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass

from components.settings.workers import SPOT
from preflight.aws import DENIED
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError
from preflight.existing_listener import existing_rules

_CONDITION_VALUES = 5
"""The maximum per listener rule. The rules for webhooks use two of them for path and method."""
_IAM_REGION = "us-east-1"
"""The region in which Service Quotas has the quotas of IAM, in the partition aws."""
_UNKNOWN = (*DENIED, "UnsupportedByLocalAws", "400")
"""The caller has no permission, the quota has no applied value, or the local AWS or another emulator lacks the service."""


@dataclass(frozen=True)
class _Quota:
    """One quota, and how much of it the deployment uses."""

    title: str
    service: str
    code: str
    default: int
    needed: Callable[[Deployment], int]
    used: Callable[[Deployment], int] = lambda _: 0
    """The usage by other resources that share the quota."""

    def check(self, deployment: Deployment) -> str:
        needed = self.needed(deployment)
        if not needed:
            return "none is needed"
        used = self.used(deployment)
        applied = self._applied(deployment)
        most = self.default if applied is None else applied
        source = "AWS' default; Service Quotas shows none for this account" if applied is None else "Service Quotas"
        others = f" in addition to {used} of others" if used else ""
        if needed + used > most:
            raise FailedError(
                f"the deployment needs {needed}{others}, and the quota is {most} ({source})",
                f"aws service-quotas request-service-quota-increase --service-code {self.service} --quota-code {self.code} "
                f"--desired-value {needed + used} --region {self._region(deployment)}",
            )
        return f"{needed}{others} of {most} ({source})"

    def _applied(self, deployment: Deployment) -> int | None:
        answer = deployment.aws.in_region(self._region(deployment)).find(
            "service-quotas", "get_service_quota", absent=_UNKNOWN, ServiceCode=self.service, QuotaCode=self.code
        )
        return int(answer["Quota"]["Value"]) if answer else None

    def _region(self, deployment: Deployment) -> str:
        is_iam = self.service == "iam" and deployment.names.partition == "aws"
        return _IAM_REGION if is_iam else deployment.settings.region


def rules_of_a_security_group(deployment: Deployment) -> int:
    """The rules of the load balancer's group, which has the most. AWS counts IPv4 and IPv6 rules separately."""
    ingress = deployment.settings.ingress
    allowed = ingress.allowed_sources
    # Only the stack's own load balancer also has rules for port 80.
    redirected = (
        allowed if deployment.settings.existing.https_listener_arn is None and ingress.has_load_balancer else []
    )
    blocks = [*allowed, *redirected, *(block for block in deployment.settings.webhook_sources if block not in allowed)]
    return max(sum(ipaddress.ip_network(block).version == version for block in blocks) for version in (4, 6))


def policies_of_terraforms_role(deployment: Deployment) -> int:
    """One policy for each set of permissions that the settings require, of the role that has the most.

    That is the task role or, if Terraform is isolated, the role of applies, which doesn't mount the file system.
    """
    terraform = deployment.settings.terraform
    with_state = bool(terraform.terraform_state_buckets or terraform.terraform_lock_tables)
    own = 2 + (not terraform.isolates) + with_state + 5 * bool(terraform.managed_name_prefixes)
    return own + len(terraform.additional_policy_arns)


def listener_rules(deployment: Deployment) -> int:
    """The rules for webhooks and users, with a few ranges each, and the two that deny changes."""
    ingress, of_host = deployment.settings.ingress, int(deployment.settings.existing.https_listener_arn is not None)
    if not ingress.has_load_balancer:
        return 0
    return (
        math.ceil(len(deployment.settings.webhook_sources) / (_CONDITION_VALUES - 2 - of_host))
        + math.ceil(len(ingress.allowed_sources) / (_CONDITION_VALUES - of_host))
        # In addition to an existing listener's other rules, one more denies changes, and one the rest of the host.
        + 2
        + 2 * of_host
    )


def _others_rules(deployment: Deployment) -> int:
    return len(existing_rules(deployment)) if deployment.settings.existing.https_listener_arn else 0


def _others(deployment: Deployment, resources: str) -> int:
    """The Vpcs or Addresses of others."""
    found = deployment.aws.read("ec2", f"describe_{resources.lower()}")[resources]
    return sum(not deployment.owns(each.get("Tags", [])) for each in found)


def _vcpus(deployment: Deployment, provider: str) -> int:
    """The vCPUs of the tasks with this capacity provider, at the most workers. A deployment of workers starts the new ones first."""
    task, groups = deployment.settings.task, deployment.settings.worker_groups
    units = task.cpu if task.capacity_provider == provider else 0
    units += sum(2 * group.most * group.cpu for group in groups if group.capacity_provider == provider)
    return math.ceil(units / 1024)


def _one_with_a_new_vpc(deployment: Deployment) -> int:
    return 0 if deployment.settings.network.vpc_id else 1


CHECKS = tuple(
    Check("quotas", quota.title, quota.check)
    for quota in (
        _Quota("rules of a security group", "vpc", "L-0EA8095F", 60, rules_of_a_security_group),
        _Quota("listener rules", "elasticloadbalancing", "L-7EED9B64", 100, listener_rules, _others_rules),
        _Quota("policies of a role", "iam", "L-0DA4ABF3", 10, policies_of_terraforms_role),
        _Quota("Fargate vCPUs", "fargate", "L-3032A538", 6, lambda of: _vcpus(of, "FARGATE")),
        _Quota("Fargate Spot vCPUs", "fargate", "L-36FBB829", 6, lambda of: _vcpus(of, SPOT)),
        _Quota("VPCs", "vpc", "L-F678F1CE", 5, _one_with_a_new_vpc, lambda of: _others(of, "Vpcs")),
        _Quota(
            *("elastic IP addresses", "ec2", "L-0263D0A3", 5, _one_with_a_new_vpc),
            lambda of: _others(of, "Addresses"),
        ),
    )
)
