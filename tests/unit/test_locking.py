"""Locking: nothing without the setting; with it a database, its password, the way to it, and deployments that overlap."""

import json
from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, arn_of, id_of
from tests.unit.stacks import BARE, PRODUCTION, REDIS, TAGS, arn, stack

GROUP, SUBNETS = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/subnetGroup:SubnetGroup"
SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
INGRESS, EGRESS = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)


def container_of(**changes: Any) -> dict[str, Any]:
    return json.loads(stack(**changes).one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])[0]


def test_boltdb_by_name_is_the_default() -> None:
    named = stack(lockingDatabase="boltdb").resources
    assert sorted(named, key=lambda resource: (resource.type, resource.name)) == sorted(
        stack().resources, key=lambda resource: (resource.type, resource.name)
    )


@pytest.mark.parametrize(
    ("rule", "group", "other"),
    [(INGRESS, "network-redis", "network-ecs-tasks"), (EGRESS, "network-ecs-tasks", "network-redis")],
)
def test_only_the_task_reaches_it(rule: str, group: str, other: str) -> None:
    graph = stack(**REDIS)
    on_its_port = [found for found in graph.all(rule) if 6379 in (found.inputs["fromPort"], found.inputs["toPort"])]
    assert [found.inputs for found in on_its_port] == [
        {
            "securityGroupId": id_of(group),
            "referencedSecurityGroupId": id_of(other),
            "description": "Atlantis task to its locking database (Redis)",
            "ipProtocol": "tcp",
            "fromPort": 6379,
            "toPort": 6379,
            "tags": TAGS,
        }
    ]
    assert not [found for found in graph.all(EGRESS) if found.inputs["securityGroupId"] == id_of("network-redis")]


def test_its_password_is_generated_and_stored_under_its_own_key() -> None:
    graph = stack(**REDIS)
    secret = graph.one("aws:secretsmanager/secret:Secret", "locking-password")
    assert secret.inputs == {
        "name": "prod-atlantis-redis",
        "description": "Atlantis: password of the locking database (password), generated",
        "kmsKeyId": arn_of("locking-key"),
        "recoveryWindowInDays": 30,
        "tags": TAGS,
    }
    assert secret.protect
    assert graph.one("random:index/randomPassword:RandomPassword", "locking-password-value").inputs == {
        "length": 48,
        "special": False,
        "keepers": {"generation": "1"},
    }
    version = graph.one("aws:secretsmanager/secretVersion:SecretVersion", "locking-password-version")
    assert version.decoded == {
        "secretId": arn_of("locking-password"),
        "secretString": {"password": "generated-secret-value"},
    }
    assert version.secret_inputs == {"secretString"}


@pytest.mark.parametrize("changes", [{}, PRODUCTION])
def test_whoever_reads_the_webhook_secret_reads_its_password(changes: dict[str, Any]) -> None:
    graph = stack(**REDIS | changes)
    webhook = graph.one(SECRET_POLICY, "secrets-webhook-policy").decoded
    assert graph.one(SECRET_POLICY, "locking-password-policy").decoded == webhook | {
        "secretArn": arn_of("locking-password")
    }


def test_its_key_is_used_through_elasticache_and_secrets_manager_only() -> None:
    key = stack(**REDIS).one("aws:kms/key:Key", "locking-key")
    assert key.inputs["enableKeyRotation"] is True
    assert key.protect
    through = {
        statement["Sid"]: statement["Condition"] for statement in key.document() if statement["Sid"].startswith("Use")
    }
    assert through == {
        sid: {
            "StringEquals": {
                "kms:ViaService": f"{service}.ap-northeast-2.amazonaws.com",
                "kms:CallerAccount": ACCOUNT,
            }
        }
        for sid, service in (
            ("UseThroughElastiCache", "elasticache"),
            ("UseThroughSecretsManager", "secretsmanager"),
        )
    }
    assert stack(**REDIS).one("aws:kms/alias:Alias", "locking-key-alias").inputs["name"] == "alias/locking-atlantis"


def test_the_server_alone_gets_the_password() -> None:
    without, container = container_of(), container_of(**REDIS)
    assert [secret for secret in container["secrets"] if secret not in without["secrets"]] == [
        {"name": "ATLANTIS_REDIS_PASSWORD", "valueFrom": f"{arn_of('locking-password')}:password::"}
    ]
    assert "ATLANTIS_REDIS_PASSWORD" in "".join(container["command"])
    assert "authToken" in stack(**REDIS).one(GROUP).secret_inputs


_READ = ("secrets-github-app", "secrets-webhook", "secrets-web-password", "locking-password")


def test_the_execution_role_reads_the_password_and_the_task_role_must_not() -> None:
    graph = stack(**REDIS)
    read, decrypt = graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()
    assert read["Resource"] == [arn_of(name) for name in _READ]
    assert decrypt["Resource"] == [arn_of("secrets-key"), arn_of("locking-key")]
    refused = graph.one("aws:iam/policy:Policy", "permissions-task-own-stack").document()[0]
    assert refused["Effect"] == "Deny"
    assert arn("secretsmanager", "secret:prod-atlantis-*") in refused["Resource"]
    assert graph.one("aws:secretsmanager/secret:Secret", "locking-password").inputs["name"] == "prod-atlantis-redis"


def test_secrets_that_exist_leave_the_password_its_own_key() -> None:
    graph = stack(**BARE | REDIS)
    assert [key.name for key in graph.all("aws:kms/key:Key") if "secrets" in key.name] == []
    assert graph.one("aws:secretsmanager/secret:Secret").inputs["kmsKeyId"] == arn_of("locking-key")
    assert (
        arn_of("locking-key")
        in graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()[1]["Resource"]
    )


def test_without_protection_it_can_be_destroyed_at_once() -> None:
    graph = stack(**REDIS, deletionProtection=False)
    assert not graph.one(GROUP).protect
    assert graph.one("aws:secretsmanager/secret:Secret", "locking-password").inputs["recoveryWindowInDays"] == 0


def test_node_type_and_password_generation_are_settings() -> None:
    graph = stack(**REDIS, lockingNodeType="cache.m7g.large", lockingPasswordGeneration=3)
    assert graph.one(GROUP).inputs["nodeType"] == "cache.m7g.large"
    password = graph.one("random:index/randomPassword:RandomPassword", "locking-password-value")
    assert password.inputs["keepers"] == {"generation": "3"}
