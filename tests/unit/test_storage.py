"""The file system, the repository and the locking database with its password."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.unit.isolated import containers_of
from tests.unit.recording import ACCOUNT, EXISTING_VPC, REGION, arn_of, id_of
from tests.unit.shapes import SHAPES
from tests.unit.stacks import (
    BARE,
    EXECUTION_ROLE_SESSIONS,
    PRODUCTION,
    REDIS,
    ROOT,
    TAGS,
    arn,
    stack,
)

VAULT, VAULT_POLICY = "aws:backup/vault:Vault", "aws:backup/vaultPolicy:VaultPolicy"
MOUNT_TARGET, FILE_SYSTEM_POLICY = "aws:efs/mountTarget:MountTarget", "aws:efs/fileSystemPolicy:FileSystemPolicy"


def test_in_an_existing_vpc_a_mount_target_keeps_its_name_in_another_order_of_the_subnets() -> None:
    private = EXISTING_VPC["privateSubnetIds"]
    for order in (private, private[::-1]):
        graph = stack(**EXISTING_VPC | {"privateSubnetIds": order})
        assert {target.name: target.inputs["subnetId"] for target in graph.all(MOUNT_TARGET)} == {
            "storage-mount-target-ap-northeast-2a": private[0],
            "storage-mount-target-ap-northeast-2c": private[1],
        }


@pytest.mark.parametrize(
    ("settings", "aliases"),
    [
        (
            EXISTING_VPC,
            {
                "storage-mount-target-ap-northeast-2a": ["storage-mount-target-1"],
                "storage-mount-target-ap-northeast-2c": ["storage-mount-target-2"],
            },
        ),
        ({}, {"storage-mount-target-1": [], "storage-mount-target-2": []}),
    ],
    ids=["named by zone", "named by position"],
)
def test_a_mount_target_that_was_named_by_its_position_keeps_that_name_as_an_alias(
    settings: dict[str, Any], aliases: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, found = aws.efs.MountTarget, {}

    def record(name: str, *, opts: pulumi.ResourceOptions, **inputs: Any) -> aws.efs.MountTarget:
        found[name] = [alias.name for alias in opts.aliases or [] if isinstance(alias, pulumi.Alias)]
        return made(name, opts=opts, **inputs)

    monkeypatch.setattr(aws.efs, "MountTarget", record)
    stack(**settings, owner=f"aliases-{len(settings)}")
    assert found == aliases


def refused(sid: str, actions: list[str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": [arn_of("storage-efs")],
    }
    return statement | ({"Condition": condition} if condition else {})


def test_the_file_system_is_mounted_through_the_access_point_over_tls_and_not_as_root_whoever_mounts() -> None:
    mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert stack().one(FILE_SYSTEM_POLICY).decoded == {
        "fileSystemId": "storage-efs-id",
        "policy": {
            "Version": "2012-10-17",
            "Id": "atlantis-prod",
            "Statement": [
                refused(
                    "DenyOtherAccessPoints",
                    mount,
                    {"StringNotEquals": {"elasticfilesystem:AccessPointArn": arn_of("storage-access-point")}},
                ),
                refused("DenyOtherNetworks", mount, {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}}),
                refused("DenyRoot", ["elasticfilesystem:ClientRootAccess"]),
                refused("DenyInsecureTransport", ["*"], {"Bool": {"aws:SecureTransport": "false"}}),
            ],
        },
    }


EVALUATED_BY_EFS = {
    "aws:SecureTransport",
    "aws:SourceIp",
    "elasticfilesystem:AccessPointArn",
    "elasticfilesystem:AccessedViaMountTarget",
}


def test_the_file_system_s_policy_has_no_condition_key_that_efs_does_not_evaluate() -> None:
    keys = {
        key
        for statement in stack().one(FILE_SYSTEM_POLICY).document()
        for condition in statement.get("Condition", {}).values()
        for key in condition
    }
    assert keys <= EVALUATED_BY_EFS


def test_the_execution_role_may_pull_from_the_repository() -> None:
    assert stack().one("aws:ecr/repositoryPolicy:RepositoryPolicy").decoded == {
        "repository": "atlantis",
        "policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "PullForTasks",
                    "Effect": "Allow",
                    "Principal": {"AWS": ROOT},
                    "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    "Condition": {"ArnLike": {"aws:PrincipalArn": EXECUTION_ROLE_SESSIONS}},
                }
            ],
        },
    }


def test_backups_in_the_stack_s_vault_have_their_own_key_and_stay_until_protection_is_off() -> None:
    kept, unprotected = stack(**SHAPES["backup"]), stack(**SHAPES["backup"], deletionProtection=False)
    assert kept.one("aws:kms/key:Key", "storage-backup-key").document()[1:] == [
        {
            "Sid": "UseThroughBackup",
            "Effect": "Allow",
            "Principal": {"AWS": ROOT},
            "Action": ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"],
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": f"backup.{REGION}.amazonaws.com",
                    "kms:CallerAccount": ACCOUNT,
                }
            },
            "Resource": "*",
        }
    ]
    assert kept.one(VAULT_POLICY).document() == [
        {
            "Sid": "KeepRecoveryPoints",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["backup:DeleteBackupVault", "backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"],
            "Resource": ["*"],
        }
    ]
    assert unprotected.all(VAULT_POLICY) == []
    assert [graph.one(VAULT).inputs.get("forceDestroy") for graph in (kept, unprotected)] == [False, True]
    role = kept.one("aws:iam/role:Role", "storage-backup-role").decoded
    assert (role["name"], role["assumeRolePolicy"]["Statement"]) == (
        "atlantis-ecs-task-backup-prod",
        [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    )
    attached = [item.inputs for item in kept.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")]
    policies = {item["policyArn"] for item in attached if item["role"] == "atlantis-ecs-task-backup-prod"}
    path = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor"
    assert policies == {f"{path}Backup", f"{path}Restores"}


REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
INGRESS, EGRESS = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)


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
    without, container = (containers_of(stack(**changes))["atlantis"] for changes in ({}, REDIS))
    assert [secret for secret in container["secrets"] if secret not in without["secrets"]] == [
        {"name": "ATLANTIS_REDIS_PASSWORD", "valueFrom": f"{arn_of('locking-password')}:password::"}
    ]
    assert "ATLANTIS_REDIS_PASSWORD" in "".join(container["command"])
    assert "authToken" in stack(**REDIS).one(REPLICATION_GROUP).secret_inputs


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
    assert not graph.one(REPLICATION_GROUP).protect
    assert graph.one("aws:secretsmanager/secret:Secret", "locking-password").inputs["recoveryWindowInDays"] == 0


def test_node_type_and_password_generation_are_settings() -> None:
    graph = stack(**REDIS, lockingNodeType="cache.m7g.large", lockingPasswordGeneration=3)
    assert graph.one(REPLICATION_GROUP).inputs["nodeType"] == "cache.m7g.large"
    password = graph.one("random:index/randomPassword:RandomPassword", "locking-password-value")
    assert password.inputs["keepers"] == {"generation": "3"}
