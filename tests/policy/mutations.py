"""Faults put into the recorded production stack, one at a time, with what the pack must say of each: no more, no less."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.policy.cases import ABSENT, with_value
from tests.policy.recording import Recording
from tests.policy.servicer import Planned

__all__ = ["NAMESAKE_MUTATIONS", "TAGS", "Mutation", "addition", "fault", "removal", "unprotected"]

DOCUMENT_MARK: Final = "|"
"""In a path: what follows is inside the JSON document that stands there."""


@dataclass(frozen=True)
class Mutation:
    """One fault. expected: pairs of policy and check.

    name: the resource. path and value: the property and what it becomes (``ABSENT`` removes it); without a path the
    resource is removed, or ``added`` is put beside it. unprotected: Pulumi's own protection is taken off instead.
    """

    name: str
    path: str
    value: Any
    expected: frozenset[tuple[str, str]]
    added: Planned | None = None
    unprotected: bool = False

    @property
    def label(self) -> str:
        """How pytest names it."""
        what = (
            self.added.type.rpartition(":")[2]
            if self.added
            else self.path or ("protect" if self.unprotected else "removed")
        )
        return f"{self.name}-{what}-{'-'.join(sorted(check for _, check in self.expected))}"

    def apply(self, recording: Recording) -> Recording:
        """The recording with the fault."""
        if self.added is not None:
            return recording.with_added(self.added)
        if self.unprotected:
            return recording.changed(self.name, lambda each: replace(each, protect=False))
        if not self.path:
            return recording.without(self.name)
        return recording.changed(self.name, self._break)

    def _break(self, resource: Planned) -> Planned:
        outer, mark, inner = self.path.partition(DOCUMENT_MARK)
        if not mark:
            return replace(resource, properties=with_value(resource.properties, outer, self.value))
        document = json.loads(resource.properties[outer])
        root = "document"
        mended = with_value({root: document}, f"{root}{inner if inner.startswith('[') else f'.{inner}'}", self.value)
        return replace(resource, properties={**resource.properties, outer: json.dumps(mended[root])})


def fault(name: str, path: str, value: Any, *expected: str) -> Mutation:
    """A property of a resource becomes another value."""
    return Mutation(name, path, value, _pairs(expected))


def removal(name: str, *expected: str) -> Mutation:
    """A resource is left out."""
    return Mutation(name, "", None, _pairs(expected))


def addition(resource: Planned, *expected: str) -> Mutation:
    """A resource is put beside the others."""
    return Mutation(resource.name, "", None, _pairs(expected), added=resource)


def unprotected(name: str, *expected: str) -> Mutation:
    """Pulumi's own protection is taken off a resource."""
    return Mutation(name, "", None, _pairs(expected), unprotected=True)


def _pairs(expected: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((policy, check) for policy, _, check in (each.partition("/") for each in expected))


TAGS: Final = {
    "Environment": "prod",
    "Service": "atlantis",
    "ManagedBy": "pulumi",
    "Project": "atlantis",
    "Team": "platform",
    "Owner": "platform",
    "DataClass": "confidential",
}
_ALB_GROUP: Final = (
    "urn:pulumi:prod::atlantis::atlantis:index:Atlantis$"
    "atlantis:index:Network$aws:ec2/securityGroup:SecurityGroup::network-alb"
)
_TASK_GROUP: Final = _ALB_GROUP.replace("network-alb", "network-ecs-tasks")
_EFS_GROUP: Final = _ALB_GROUP.replace("network-alb", "network-efs")
_SERVICE: Final = (
    "urn:pulumi:prod::atlantis::atlantis:index:Atlantis$atlantis:index:Compute$aws:ecs/service:Service::compute-service"
)
_TASK: Final = _SERVICE.replace("service:Service", "taskDefinition:TaskDefinition").replace(
    "compute-service", "compute-task"
)
_ALLOWED: Final = "203.0.113.0/24"


def _ingress(name: str, group: str, **properties: Any) -> Planned:
    given = {
        "securityGroupId": "sg-unlisted",
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "tags": TAGS,
        **properties,
    }
    return Planned(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", name, given, {"securityGroupId": (group,)}
    )


def _old_rule(name: str, **properties: Any) -> Planned:
    given = {"type": "ingress", "protocol": "tcp", "fromPort": 443, "toPort": 443, "securityGroupId": "x", **properties}
    return Planned("aws:ec2/securityGroupRule:SecurityGroupRule", name, given, {"securityGroupId": (_ALB_GROUP,)})


_ENCRYPTION: Final = (
    fault("storage-efs", "encrypted", False, "encryption/at-rest"),
    fault("storage-efs", "encrypted", ABSENT, "encryption/at-rest"),
    fault("storage-efs", "kmsKeyId", ABSENT, "encryption/customer-key"),
    fault("storage-efs", "kmsKeyId", "alias/aws/elasticfilesystem", "encryption/customer-key"),
    fault("storage-repository", "encryptionConfigurations[0].encryptionType", "AES256", "encryption/customer-key"),
    fault("storage-repository", "encryptionConfigurations", ABSENT, "encryption/customer-key"),
    fault("secrets-github-app", "kmsKeyId", ABSENT, "encryption/customer-key"),
    fault("secrets-webhook", "kmsKeyId", "alias/aws/secretsmanager", "encryption/customer-key"),
    fault("compute-logs", "kmsKeyId", ABSENT, "encryption/customer-key"),
    *(
        fault(key, "enableKeyRotation", False, "encryption/key-rotation")
        for key in ("storage-efs-key", "storage-ecr-key", "secrets-key", "compute-logs-key")
    ),
    fault("storage-efs-key", "customerMasterKeySpec", "RSA_2048", "encryption-stack/key-resolved"),
    fault("secrets-key", "isEnabled", False, "encryption-stack/key-resolved"),
    fault("ingress-https", "sslPolicy", "ELBSecurityPolicy-2016-08", "encryption/listener-tls"),
    fault("ingress-https", "sslPolicy", ABSENT, "encryption/listener-tls"),
    fault("ingress-http", "defaultActions[0].type", "forward", "encryption-stack/listener-tls"),
    fault("ingress-http", "defaultActions[0].redirect.protocol", "HTTP", "encryption-stack/listener-tls"),
    fault(
        "compute-task",
        "volumes[0].efsVolumeConfiguration.transitEncryption",
        "DISABLED",
        "encryption/volume-transit",
    ),
    fault(
        "storage-efs-policy",
        "policy|Statement[3].Effect",
        "Allow",
        "encryption/plain-transport",
        "public-exposure/public-policy",
    ),
    fault(
        "storage-efs-policy",
        "policy|Statement[3].Condition.Bool",
        {"aws:SecureTransport": "true"},
        "encryption/plain-transport",
    ),
    fault("ingress-access-logs-policy", "policy|Statement[1].Condition.Bool", {}, "encryption/plain-transport"),
    removal("ingress-access-logs-policy", "encryption-stack/transport-policy"),
    removal("storage-efs-policy", "encryption-stack/transport-policy"),
)

_NETWORK: Final = (
    *(
        fault("network-alb-https-from-203.0.113.0/24", "cidrIpv4", block, "cidr-restriction/ranges")
        for block in ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.112.0/23")
    ),
    fault("network-alb-http-from-203.0.113.0/24", "cidrIpv4", "0.0.0.0/0", "cidr-restriction/ranges"),
    fault("network-alb-https-from-203.0.113.0/24", "cidrIpv6", "::/0", "cidr-restriction/ranges"),
    fault("network-alb-https-from-203.0.113.0/24", "prefixListId", "pl-elsewhere", "cidr-restriction/prefix-list"),
    fault("ingress-allowed-0", "conditions[0].sourceIp.values[0]", "0.0.0.0/0", "cidr-restriction/ranges"),
    fault("ingress-webhook-0", "conditions[2].sourceIp.values[0]", "0.0.0.0/0", "cidr-restriction/ranges"),
    fault(
        "network-alb",
        "ingress",
        [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}],
        "cidr-restriction/ranges",
        "single-manager/inline-and-separate",
    ),
    addition(_old_rule("added", cidrBlocks=["128.0.0.0/1"]), "cidr-restriction/ranges"),
    addition(_old_rule("added", ipv6CidrBlocks=["::/0"]), "cidr-restriction/ranges"),
    addition(_ingress("added", _ALB_GROUP, cidrIpv4="0.0.0.0/0"), "cidr-restriction/ranges"),
    addition(Planned("aws:sns/topic:Topic", "added", {"tags": TAGS}), "encryption-advice/service-key"),
    addition(
        _ingress("added", _ALB_GROUP, cidrIpv4="0.0.0.0/0", fromPort=22, toPort=22),
        "cidr-restriction/ranges",
        "public-exposure/open-port",
    ),
    addition(_ingress("added", _TASK_GROUP, cidrIpv4=_ALLOWED), "path-integrity/task-port"),
    addition(
        _ingress("added", _TASK_GROUP, cidrIpv4="0.0.0.0/0", fromPort=4141, toPort=4141),
        "cidr-restriction/ranges",
        "path-integrity/task-port",
    ),
    addition(
        _ingress("added", _EFS_GROUP, cidrIpv4=_ALLOWED, fromPort=2049, toPort=2049), "path-integrity/file-system-port"
    ),
)

_SINGLE_TASK: Final = (
    fault("compute-service", "desiredCount", 2, "single-task/desired-count"),
    fault("compute-service", "deploymentMaximumPercent", 200, "single-task/maximum-percent"),
    fault("compute-service", "deploymentMaximumPercent", ABSENT, "single-task/maximum-percent"),
    fault("compute-service", "deploymentMinimumHealthyPercent", 100, "single-task/minimum-healthy"),
    fault("compute-service", "deploymentMinimumHealthyPercent", ABSENT, "single-task/minimum-healthy"),
    fault("compute-service", "deploymentController.type", "CODE_DEPLOY", "single-task/rolling"),
    fault("compute-service", "deploymentConfiguration", {"strategy": "BLUE_GREEN"}, "single-task/rolling"),
    fault("compute-service", "availabilityZoneRebalancing", "ENABLED", "single-task/rebalancing"),
    fault("compute-service", "schedulingStrategy", "DAEMON", "single-task/desired-count"),
    addition(
        Planned(
            "aws:appautoscaling/target:Target",
            "added",
            {"resourceId": "service/atlantis-prod/atlantis-prod", "maxCapacity": 3, "tags": TAGS},
        ),
        "single-task/autoscaling",
    ),
    addition(
        Planned(
            "aws:ecs/service:Service",
            "added",
            {
                "taskDefinition": "another revision",
                "desiredCount": 1,
                "deploymentMaximumPercent": 100,
                "deploymentMinimumHealthyPercent": 0,
                "tags": TAGS,
            },
            {"taskDefinition": (_TASK,)},
        ),
        "single-task/file-system",
    ),
)

NAMESAKE_MUTATIONS: Final = (*_ENCRYPTION, *_NETWORK, *_SINGLE_TASK)
"""Those of the policies that give the pack its name, and of path-integrity."""
