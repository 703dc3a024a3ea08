"""The locking database: none by default, or two nodes under a password that nobody sees."""

import json
from typing import Any

import pytest

from tests.unit.recording import DEPLOYER, EXISTING_VPC, Graph, arn_of
from tests.unit.stacks import EXECUTION_ROLE_SESSIONS, LARGEST, REDIS, TAGS, stack, tagged

DATABASE = "aws:elasticache/replicationGroup:ReplicationGroup"
SUBNETS = "aws:elasticache/subnetGroup:SubnetGroup"


def task_of(graph: Graph) -> tuple[dict[str, str], dict[str, str]]:
    """Environment and secrets of the container."""
    container = json.loads(graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])[0]
    environment = {variable["name"]: variable["value"] for variable in container["environment"]}
    return environment, {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}


def test_without_a_locking_database_nothing_of_one_is_made_or_told_to_the_task() -> None:
    graph = stack()
    assert [
        resource.name for resource in graph.resources if "redis" in resource.name or "locking" in resource.name
    ] == []
    environment, secrets = task_of(graph)
    assert [name for name in [*environment, *secrets] if "REDIS" in name or "LOCKING" in name] == []


def test_the_database_has_two_nodes_that_fail_over_encrypted_in_rest_and_in_transit() -> None:
    database = stack(**REDIS).one(DATABASE)
    assert database.inputs == {
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
        "securityGroupIds": ["network-redis-id"],
        "atRestEncryptionEnabled": True,
        "kmsKeyId": arn_of("locking-key"),
        "transitEncryptionEnabled": True,
        "transitEncryptionMode": "required",
        "authToken": "generated-secret-value",
        "authTokenUpdateStrategy": "ROTATE",
        "snapshotRetentionLimit": 7,
        "autoMinorVersionUpgrade": True,
        "applyImmediately": True,
        "tags": TAGS,
    }
    assert database.secret_inputs == {"authToken"}
    assert (database.parent, database.protect) == ("locking", True)


def test_the_database_stands_in_the_private_subnets() -> None:
    assert stack(**REDIS).one(SUBNETS).inputs == {
        "name": "atlantis-prod",
        "description": "Atlantis prod: subnets of the locking database",
        "subnetIds": ["subnet-private-1", "subnet-private-2"],
        "tags": TAGS,
    }
    assert stack(**LARGEST).one(SUBNETS).inputs["subnetIds"] == EXISTING_VPC["privateSubnetIds"]


def test_node_type_and_password_generation_are_settings() -> None:
    graph = stack(**REDIS, lockingNodeType="cache.r7g.large", lockingPasswordGeneration=3, deletionProtection=False)
    assert graph.one(DATABASE).inputs["nodeType"] == "cache.r7g.large"
    password = graph.one("random:index/randomPassword:RandomPassword", "locking-password-value")
    assert password.inputs == {"length": 48, "special": False, "keepers": {"generation": "3"}}
    assert not graph.one(DATABASE).protect


def test_the_password_is_a_secret_of_its_own_that_the_execution_role_and_whoever_deploys_read() -> None:
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
    (refusal,) = graph.one("aws:secretsmanager/secretPolicy:SecretPolicy", "locking-password-policy").document()
    assert refusal["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": [*EXECUTION_ROLE_SESSIONS, DEPLOYER]}}
    version = graph.one("aws:secretsmanager/secretVersion:SecretVersion", "locking-password-version")
    assert version.decoded == {
        "secretId": arn_of("locking-password"),
        "secretString": {"password": "generated-secret-value"},
    }
    assert version.secret_inputs == {"secretString"}


def test_the_key_serves_elasticache_and_secrets_manager_only() -> None:
    graph = stack(**REDIS)
    key = graph.one("aws:kms/key:Key", "locking-key")
    users = key.document()[1:]
    assert [user["Condition"]["StringEquals"]["kms:ViaService"] for user in users] == [
        "elasticache.ap-northeast-2.amazonaws.com",
        "secretsmanager.ap-northeast-2.amazonaws.com",
    ]
    assert key.inputs["enableKeyRotation"] is True
    assert graph.one("aws:kms/alias:Alias", "locking-key-alias").inputs["name"] == "alias/locking-atlantis"


def test_only_the_task_reaches_the_database() -> None:
    graph = stack(**REDIS)
    assert graph.one("aws:ec2/securityGroup:SecurityGroup", "network-redis").inputs == {
        "name": "atlantis-redis-prod",
        "description": "Atlantis locking database: reached by the Atlantis task only",
        "vpcId": "vpc-new",
        "tags": tagged("atlantis-redis-prod"),
    }
    port: dict[str, Any] = {"ipProtocol": "tcp", "fromPort": 6379, "toPort": 6379, "tags": TAGS}
    described = port | {"description": "Atlantis task to its locking database (Redis)"}
    task, database = "network-ecs-tasks-id", "network-redis-id"
    assert graph.one(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "network-tasks-to-redis-egress"
    ).inputs == described | {"securityGroupId": task, "referencedSecurityGroupId": database}
    assert graph.one(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "network-tasks-to-redis-ingress"
    ).inputs == described | {"securityGroupId": database, "referencedSecurityGroupId": task}


def test_the_task_is_told_where_the_database_is_and_gets_its_password_by_reference() -> None:
    environment, secrets = task_of(stack(**REDIS))
    assert {name: value for name, value in environment.items() if "REDIS" in name or "LOCKING" in name} == {
        "ATLANTIS_LOCKING_DB_TYPE": "redis",
        "ATLANTIS_REDIS_HOST": "primary.redis.example",
        "ATLANTIS_REDIS_PORT": "6379",
        "ATLANTIS_REDIS_TLS_ENABLED": "true",
    }
    assert secrets["ATLANTIS_REDIS_PASSWORD"] == f"{arn_of('locking-password')}:password::"


def test_the_execution_role_reads_the_password_too() -> None:
    read, decrypt = stack(**REDIS).one("aws:iam/rolePolicy:RolePolicy").document()
    assert read["Resource"] == [arn_of(name) for name in ("secrets-github-app", "secrets-webhook", "locking-password")]
    assert decrypt["Resource"] == [arn_of("secrets-key"), arn_of("locking-key")]


def test_with_a_database_the_next_task_starts_before_the_last_one_stops() -> None:
    service = stack(**REDIS).one("aws:ecs/service:Service").inputs
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (100, 200)
    assert (service["desiredCount"], service["availabilityZoneRebalancing"]) == (1, "DISABLED")


@pytest.mark.parametrize("name", ["locking-password-version", "permissions-execution-secrets"])
def test_the_service_waits_for_the_password_and_the_right_to_read_it(name: str) -> None:
    assert name in stack(**REDIS).one("aws:ecs/service:Service").depends_on
