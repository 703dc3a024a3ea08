"""Examples: Keys, file systems, images, secrets and buckets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.sandbox.providers.examples.example import ROOT, Example, policy


def _expiry(days: int) -> str:
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}
    rule: dict[str, Any] = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


EXAMPLES: Mapping[str, Example] = {
    "aws:kms/key:Key": Example(
        lambda _: {
            "description": "Example",
            "deletionWindowInDays": 7,
            "enableKeyRotation": True,
            "policy": policy("kms:*", principal=ROOT),
            "tags": {"Name": "key"},
        },
        lambda _: {"description": "Other", "enableKeyRotation": False},
        lambda _: {"customerMasterKeySpec": "RSA_2048"},
        ("arn", "keyId"),
    ),
    "aws:kms/alias:Alias": Example(
        lambda w: {"name": "alias/example", "targetKeyId": w["key"]},
        lambda w: {"targetKeyId": w["other_key"]},
        lambda _: {"name": "alias/other"},
        ("arn", "targetKeyArn"),
    ),
    "aws:efs/fileSystem:FileSystem": Example(
        lambda w: {
            "encrypted": True,
            "kmsKeyId": w["key_arn"],
            "performanceMode": "generalPurpose",
            "lifecyclePolicies": [{"transitionToIa": "AFTER_30_DAYS"}],
            "tags": {"Name": "files"},
        },
        lambda _: {"lifecyclePolicies": [{"transitionToIa": "AFTER_7_DAYS"}], "tags": {"Name": "other"}},
        lambda _: {"performanceMode": "maxIO"},
        ("arn", "dnsName", "ownerId"),
    ),
    "aws:efs/accessPoint:AccessPoint": Example(
        lambda w: {
            "fileSystemId": w["file_system"],
            "posixUser": {"uid": 100, "gid": 100},
            "rootDirectory": {
                "path": "/atlantis-data",
                "creationInfo": {"ownerUid": 100, "ownerGid": 100, "permissions": "755"},
            },
            "tags": {"Name": "access point"},
        },
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"posixUser": {"uid": 101, "gid": 100}},
        ("arn", "fileSystemArn", "ownerId"),
    ),
    "aws:efs/mountTarget:MountTarget": Example(
        lambda w: {
            "fileSystemId": w["file_system"],
            "subnetId": w["subnet_a"],
            "securityGroups": [w["security_group"]],
        },
        lambda w: {"securityGroups": [w["other_security_group"]]},
        lambda w: {"subnetId": w["subnet_b"]},
        ("dnsName", "ipAddress", "networkInterfaceId"),
    ),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": Example(
        lambda w: {
            "fileSystemId": w["file_system"],
            "policy": policy("elasticfilesystem:ClientMount", principal={"AWS": "*"}),
        },
        lambda _: {"policy": policy("elasticfilesystem:ClientWrite", principal={"AWS": "*"})},
        lambda w: {"fileSystemId": w["other_file_system"]},
    ),
    "aws:efs/backupPolicy:BackupPolicy": Example(
        lambda w: {"fileSystemId": w["file_system"], "backupPolicy": {"status": "ENABLED"}},
        None,
        lambda w: {"fileSystemId": w["other_file_system"]},
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": Example(
        lambda w: {"name": "example", "subnetIds": [w["subnet_a"]], "tags": {"Name": "subnets"}},
        lambda w: {"subnetIds": [w["subnet_a"], w["subnet_b"]], "description": "Other"},
        lambda _: {"name": "other"},
        ("arn", "vpcId"),
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": Example(
        lambda w: {
            "replicationGroupId": "example",
            "description": "Example",
            "engine": "valkey",
            "engineVersion": "8.0",
            "nodeType": "cache.t4g.micro",
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "subnetGroupName": w["cache_subnet_group"],
            "securityGroupIds": [w["security_group"]],
            "atRestEncryptionEnabled": True,
            "kmsKeyId": w["key_arn"],
            "transitEncryptionEnabled": True,
            "transitEncryptionMode": "required",
            "authToken": "first-token-of-the-example",
            "snapshotRetentionLimit": 7,
            "applyImmediately": True,
            "tags": {"Name": "locks"},
        },
        lambda _: {
            "authToken": "second-token-of-the-example",
            "authTokenUpdateStrategy": "ROTATE",
            "description": "Other",
            "nodeType": "cache.t4g.small",
            "numCacheClusters": 3,
            "snapshotRetentionLimit": 1,
            "tags": {"Name": "other"},
        },
        lambda w: {"kmsKeyId": w["other_key_arn"]},
        ("arn", "primaryEndpointAddress", "readerEndpointAddress", "memberClusters", "engineVersionActual"),
    ),
    "aws:ecr/repository:Repository": Example(
        lambda w: {
            "name": "example",
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": w["key_arn"]}],
            "tags": {"Name": "repository"},
        },
        lambda _: {"imageTagMutability": "MUTABLE", "imageScanningConfiguration": {"scanOnPush": False}},
        lambda _: {"encryptionConfigurations": [{"encryptionType": "AES256"}]},
        ("arn", "repositoryUrl", "registryId"),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Example(
        lambda w: {"repository": w["repository"], "policy": _expiry(7)},
        None,
        lambda w: {"repository": w["other_repository"], "policy": _expiry(8)},
        ("registryId",),
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Example(
        lambda w: {"repository": w["repository"], "policy": policy("ecr:BatchGetImage", principal=ROOT)},
        lambda _: {"policy": policy("ecr:GetDownloadUrlForLayer", principal=ROOT)},
        lambda w: {"repository": w["other_repository"]},
        ("registryId",),
    ),
    "aws:secretsmanager/secret:Secret": Example(
        lambda w: {
            "name": "example",
            "kmsKeyId": w["key_arn"],
            "description": "Example",
            "recoveryWindowInDays": 0,
            "tags": {"Name": "secret"},
        },
        lambda _: {"description": "Other", "tags": {}},
        lambda _: {"name": "other"},
        ("arn",),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Example(
        lambda w: {"secretId": w["secret"], "secretString": '{"webhook_secret": "throw-away"}'},
        None,
        lambda _: {"secretString": '{"webhook_secret": "another"}'},
        ("arn", "versionId", "versionStages"),
        delete_leaves=True,
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Example(
        lambda w: {"secretArn": w["secret"], "policy": policy("secretsmanager:GetSecretValue", principal=ROOT)},
        lambda _: {"policy": policy("secretsmanager:DescribeSecret", principal=ROOT)},
        lambda w: {"secretArn": w["other_secret"]},
    ),
    "aws:s3/bucket:Bucket": Example(
        lambda _: {"bucket": "atlantis-example", "tags": {"Name": "bucket"}},
        lambda _: {"tags": {"Name": "other"}, "forceDestroy": True},
        lambda _: {"bucket": "atlantis-example-2"},
        ("arn", "bucketDomainName"),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Example(
        lambda w: {"bucket": w["bucket"], "blockPublicAcls": True, "blockPublicPolicy": True},
        lambda _: {"ignorePublicAcls": True, "restrictPublicBuckets": True},
        lambda w: {"bucket": w["other_bucket"]},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Example(
        lambda w: {
            "bucket": w["bucket"],
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        lambda w: {
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": w["key_arn"]},
                    "bucketKeyEnabled": True,
                }
            ]
        },
        lambda w: {"bucket": w["other_bucket"]},
        delete_leaves=True,
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Example(
        lambda w: {
            "bucket": w["bucket"],
            "rules": [{"id": "expire", "status": "Enabled", "expiration": {"days": 90}}],
        },
        lambda _: {"rules": [{"id": "expire", "status": "Enabled", "expiration": {"days": 30}}]},
        lambda w: {"bucket": w["other_bucket"]},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Example(
        lambda w: {"bucket": w["bucket"], "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        lambda _: {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
        lambda w: {"bucket": w["other_bucket"]},
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Example(
        lambda w: {"bucket": w["bucket"], "policy": policy("s3:PutObject", "arn:aws:s3:::atlantis-world/*", ROOT)},
        lambda _: {"policy": policy("s3:GetObject", "arn:aws:s3:::atlantis-world/*", ROOT)},
        lambda w: {"bucket": w["other_bucket"]},
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Example(
        lambda w: {"bucket": w["bucket"], "versioningConfiguration": {"status": "Enabled"}},
        lambda _: {"versioningConfiguration": {"status": "Suspended"}},
        lambda w: {"bucket": w["other_bucket"]},
        delete_leaves=True,
    ),
}
