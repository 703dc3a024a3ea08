"""Resources of aws-native, read as those of aws by the central policies."""

from typing import Any

import pytest

from tests.policy.servicer import UNKNOWN, Pack, Planned

WORLD = "0.0.0.0/0"
REDIRECT = [{"type": "redirect", "redirectConfig": {"protocol": "HTTPS"}}]
CONTAINER = {"name": "a", "image": "runatlantis/atlantis:v0.47.1", "mountPoints": [{"sourceVolume": "d"}]}
VOLUMES = [{"name": "d", "efsVolumeConfiguration": {"filesystemId": "fs-1", "transitEncryption": "ENABLED"}}]


def _native(token: str, name: str = "it", **properties: Any) -> Planned:
    return Planned(f"aws-native:{token}", name, properties)


def _checks(*resources: Planned) -> set[tuple[str, str]]:
    found = Pack().review(*resources)
    return {(each.policy, each.check) for each in found if each.policy != "evaluation-report"}


@pytest.mark.parametrize(
    ("bad", "good", "expected"),
    [
        (
            _native("efs:FileSystem", encrypted=False),
            _native("efs:FileSystem", encrypted=True),
            ("encryption", "at-rest"),
        ),
        (_native("ec2:Volume", size=8), _native("ec2:Volume", encrypted=True), ("encryption-stack", "at-rest")),
        (_native("rds:DbInstance"), _native("rds:DbInstance", storageEncrypted=True), ("encryption", "at-rest")),
        (
            _native("rds:DbInstance"),
            _native("rds:DbInstance", sourceDbInstanceIdentifier="a"),
            ("encryption", "at-rest"),
        ),
        (
            _native("kinesis:Stream"),
            _native("kinesis:Stream", streamEncryption={"encryptionType": "KMS", "keyId": "k"}),
            ("encryption", "at-rest"),
        ),
        (_native("kms:Key"), _native("kms:Key", enableKeyRotation=True), ("encryption", "key-rotation")),
        (_native("kms:Key"), _native("kms:Key", keySpec="RSA_2048"), ("encryption", "key-rotation")),
        (
            _native("elasticloadbalancingv2:Listener", protocol="HTTP", port=80, defaultActions=[{"type": "forward"}]),
            _native("elasticloadbalancingv2:Listener", protocol="HTTP", port=80, defaultActions=REDIRECT),
            ("encryption-stack", "listener-tls"),
        ),
        (
            _native("ec2:SecurityGroup", securityGroupIngress=[{"ipProtocol": "tcp", "cidrIp": WORLD}]),
            _native("ec2:SecurityGroup", securityGroupIngress=[{"ipProtocol": "tcp", "cidrIp": "10.0.0.0/8"}]),
            ("cidr-restriction", "ranges"),
        ),
        (
            _native("ec2:SecurityGroupIngress", groupId="sg-1", ipProtocol="tcp", cidrIp=WORLD),
            _native("ec2:SecurityGroupIngress", groupId="sg-1", ipProtocol="tcp", cidrIp="10.0.0.0/8"),
            ("cidr-restriction", "ranges"),
        ),
        (
            _native("elasticloadbalancingv2:LoadBalancer", type="network", scheme="internet-facing"),
            _native("elasticloadbalancingv2:LoadBalancer", type="network", scheme="internal"),
            ("cidr-restriction", "guarded"),
        ),
    ],
)
def test_fault_is_found_and_its_passing_twin_is_not(bad: Planned, good: Planned, expected: tuple[str, str]) -> None:
    assert expected in _checks(bad)
    assert expected not in _checks(good)


@pytest.mark.parametrize(("count", "expected"), [(2, True), (1, False)])
def test_two_tasks_on_a_lock_file_are_found(count: int, expected: bool) -> None:
    deployment = {"maximumPercent": 100, "minimumHealthyPercent": 0}
    service = Planned(
        "aws-native:ecs:Service",
        "service",
        {"taskDefinition": UNKNOWN, "desiredCount": count, "deploymentConfiguration": deployment},
        {"taskDefinition": ("task",)},
    )
    task = _native("ecs:TaskDefinition", "task", containerDefinitions=[CONTAINER], volumes=VOLUMES)
    checks = {each for each in _checks(service, task) if each[0] == "single-task"}
    assert checks == ({("single-task", "desired-count")} if expected else set())


def test_rules_that_are_not_central_leave_them_alone() -> None:
    policies = {policy for policy, _ in _checks(_native("s3:Bucket", bucketName="b"), _native("sqs:Queue"))}
    assert policies == {"encryption-stack"}  # the bucket has no policy that requires TLS
