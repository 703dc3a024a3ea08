"""Locking: nothing without the setting; with it a database, its password, the way to it, and deployments that overlap."""

import json
from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, arn_of, id_of
from tests.unit.stacks import BARE, PRODUCTION, REDIS, TAGS, arn, stack, tagged

GROUP, SUBNETS = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/subnetGroup:SubnetGroup"
SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
INGRESS, EGRESS = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)
SERVICE = "aws:ecs/service:Service"


def container_of(**changes: Any) -> dict[str, Any]:
    return json.loads(stack(**changes).one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])[0]


def names_and_types(**changes: Any) -> set[tuple[str, str]]:
    return {(resource.type, resource.name) for resource in stack(**changes).resources}


def test_the_setting_adds_these_resources_and_takes_none_away() -> None:
    without, with_redis = names_and_types(), names_and_types(**REDIS)
    assert without - with_redis == set()
    assert with_redis - without == {
        ("atlantis:index:Locking", "locking"),
        ("atlantis:index:CustomerKey", "locking-key"),
        ("aws:kms/key:Key", "locking-key"),
        ("aws:kms/alias:Alias", "locking-key-alias"),
        ("aws:secretsmanager/secret:Secret", "locking-password"),
        (SECRET_POLICY, "locking-password-policy"),
        ("aws:secretsmanager/secretVersion:SecretVersion", "locking-password-version"),
        ("random:index/randomPassword:RandomPassword", "locking-password-value"),
        (SUBNETS, "locking-subnets"),
        (GROUP, "locking-redis"),
        ("aws:ec2/securityGroup:SecurityGroup", "network-redis"),
        (EGRESS, "network-tasks-to-redis-egress"),
        (INGRESS, "network-tasks-to-redis-ingress"),
    }


def test_the_setting_changes_only_what_uses_the_database() -> None:
    without = {(resource.type, resource.name): resource.inputs for resource in stack().resources}
    changed = {
        resource.name
        for resource in stack(**REDIS).resources
        if (resource.type, resource.name) in without and without[resource.type, resource.name] != resource.inputs
    }
    assert changed == {
        "compute-task",
        "compute-service",
        "permissions-execution-secrets",
        "dashboard",
        "permissions-task-security-groups",
    }


def test_boltdb_by_name_is_the_default() -> None:
    named = stack(lockingDatabase="boltdb").resources
    assert sorted(named, key=lambda resource: (resource.type, resource.name)) == sorted(
        stack().resources, key=lambda resource: (resource.type, resource.name)
    )


def test_the_database_has_two_nodes_in_two_zones_and_is_encrypted_at_rest_and_in_transit() -> None:
    group = stack(**REDIS).one(GROUP)
    assert group.inputs == {
        "replicationGroupId": "atlantis-prod",
        "description": "Atlantis prod: locks",
        "engine": "valkey",
        "engineVersion": "8.0",
        "nodeType": "cache.t4g.micro",
        "numCacheClusters": 2,
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "port": 6379,
        "subnetGroupName": "atlantis-prod",
        "securityGroupIds": [id_of("network-redis")],
        "atRestEncryptionEnabled": True,
        "kmsKeyId": arn_of("locking-key"),
        "transitEncryptionEnabled": True,
        "authToken": "generated-secret-value",
        "authTokenUpdateStrategy": "ROTATE",
        "snapshotRetentionLimit": 7,
        "autoMinorVersionUpgrade": True,
        "applyImmediately": True,
        "tags": TAGS,
    }
    assert group.protect
    assert "authToken" in group.secret_inputs


def test_its_security_group_belongs_to_it() -> None:
    assert stack(**REDIS).one("aws:ec2/securityGroup:SecurityGroup", "network-redis").inputs == {
        "name": "atlantis-redis-prod",
        "description": "Atlantis locking database: reached by the Atlantis task only",
        "vpcId": "vpc-new",
        "tags": tagged("atlantis-redis-prod"),
    }


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


def test_the_task_is_told_where_it_is_and_reads_the_password_by_its_key() -> None:
    without, container = container_of(), container_of(**REDIS)
    added = [variable for variable in container["environment"] if variable not in without["environment"]]
    assert added == [
        {"name": "ATLANTIS_LOCKING_DB_TYPE", "value": "redis"},
        {"name": "ATLANTIS_REDIS_HOST", "value": "redis.example"},
        {"name": "ATLANTIS_REDIS_PORT", "value": "6379"},
        {"name": "ATLANTIS_REDIS_TLS_ENABLED", "value": "true"},
    ]
    assert [secret for secret in container["secrets"] if secret not in without["secrets"]] == [
        {"name": "ATLANTIS_REDIS_PASSWORD", "valueFrom": f"{arn_of('locking-password')}:password::"}
    ]
    differ = {key for key, value in container.items() if without[key] != value}
    assert differ == {"command", "environment", "secrets"}
    assert "ATLANTIS_REDIS_PASSWORD" in "".join(container["command"])


def test_a_deployment_starts_the_new_task_before_it_stops_the_old_one() -> None:
    service = stack(**REDIS).one(SERVICE)
    assert service.inputs == stack().one(SERVICE).inputs | {
        "deploymentMinimumHealthyPercent": 100,
        "deploymentMaximumPercent": 200,
    }
    assert service.inputs["desiredCount"] == 1
    assert service.inputs["availabilityZoneRebalancing"] == "DISABLED"
    assert "locking-password-version" in service.depends_on


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
