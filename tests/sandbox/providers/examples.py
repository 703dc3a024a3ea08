"""For every type in the table: inputs, a change in place, and a change that must replace."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.providers.values import Properties

World = Mapping[str, str]
"""Ids of the objects that examples refer to."""


@dataclass(frozen=True)
class Example:
    """One resource."""

    inputs: Callable[[World], Properties]
    change: Callable[[World], Properties] | None = None
    """What an update in place changes; None where nothing can be changed in place."""
    replace: Callable[[World], Properties] | None = None
    """What can't be changed in place."""
    outputs: tuple[str, ...] = ()
    """Outputs that must be there besides the inputs."""
    delete_leaves: bool = field(default=False)
    """AWS keeps the object when the resource is deleted."""


def policy(action: str, resource: str = "*", principal: object = None) -> str:
    """A policy document of one statement."""
    statement: dict[str, object] = {"Effect": "Allow", "Action": [action], "Resource": resource}
    if principal is not None:
        statement["Principal"] = principal
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def trust(service: str) -> str:
    """A trust policy for a service."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _container(image: str) -> str:
    return json.dumps(
        [
            {
                "name": "atlantis",
                "image": image,
                "essential": True,
                "portMappings": [{"containerPort": 4141, "protocol": "tcp"}],
                "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
                "mountPoints": [{"sourceVolume": "data", "containerPath": "/home/atlantis/.atlantis"}],
                "stopTimeout": 120,
            }
        ]
    )


def _task(w: World) -> Properties:
    return {
        "family": "example",
        "cpu": "1024",
        "memory": "2048",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": w["role_arn"],
        "containerDefinitions": _container("nginx:1"),
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "volumes": [
            {
                "name": "data",
                "efsVolumeConfiguration": {
                    "fileSystemId": w["file_system"],
                    "transitEncryption": "ENABLED",
                    "transitEncryptionPort": 2049,
                    "authorizationConfig": {"accessPointId": "fsap-00000000000000000", "iam": "ENABLED"},
                },
            }
        ],
        "tags": {"Name": "task"},
    }


def _service(w: World) -> Properties:
    return {
        "name": "example-service",
        "cluster": w["cluster"],
        "taskDefinition": w["task_definition"],
        "desiredCount": 1,
        "launchType": "FARGATE",
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentMaximumPercent": 100,
        "deploymentMinimumHealthyPercent": 0,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "healthCheckGracePeriodSeconds": 60,
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "networkConfiguration": {
            "subnets": [w["subnet_a"], w["subnet_b"]],
            "securityGroups": [w["security_group"]],
            "assignPublicIp": False,
        },
        "loadBalancers": [
            {"targetGroupArn": w["target_group"], "containerName": "atlantis", "containerPort": 4141},
        ],
        "tags": {"Name": "service"},
    }


def _rule(w: World) -> Properties:
    return {
        "listenerArn": w["listener"],
        "priority": 10,
        "actions": [{"type": "forward", "targetGroupArn": w["target_group"]}],
        "conditions": [
            {"pathPattern": {"values": ["/events"]}},
            {"httpRequestMethod": {"values": ["POST"]}},
            {"sourceIp": {"values": ["192.30.252.0/22", "185.199.108.0/22", "140.82.112.0/20"]}},
        ],
        "tags": {"Name": "rule"},
    }


EXAMPLES: Mapping[str, Example] = {
    "aws:ec2/vpc:Vpc": Example(
        lambda _: {"cidrBlock": "10.7.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "vpc"}},
        lambda _: {"enableDnsHostnames": False, "tags": {"Name": "other"}},
        lambda _: {"cidrBlock": "10.8.0.0/16"},
        ("arn", "defaultSecurityGroupId", "mainRouteTableId", "defaultNetworkAclId", "ownerId"),
    ),
    "aws:ec2/subnet:Subnet": Example(
        lambda w: {"vpcId": w["vpc"], "cidrBlock": "10.0.90.0/24", "availabilityZone": "ap-northeast-2a"},
        lambda _: {"mapPublicIpOnLaunch": True, "tags": {"a": "b"}},
        lambda _: {"cidrBlock": "10.0.91.0/24"},
        ("arn", "availabilityZoneId", "ownerId"),
    ),
    "aws:ec2/internetGateway:InternetGateway": Example(
        lambda w: {"vpcId": w["vpc"], "tags": {"Name": "igw"}},
        lambda _: {"tags": {"Name": "other"}},
        None,
        ("arn", "ownerId"),
    ),
    "aws:ec2/eip:Eip": Example(
        lambda _: {"domain": "vpc", "tags": {"Name": "eip"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"networkBorderGroup": "ap-northeast-2"},
        ("publicIp", "allocationId"),
    ),
    "aws:ec2/natGateway:NatGateway": Example(
        lambda w: {"subnetId": w["subnet_a"], "allocationId": w["eip"], "tags": {"Name": "nat"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda w: {"subnetId": w["subnet_b"]},
        ("publicIp",),
    ),
    "aws:ec2/routeTable:RouteTable": Example(
        lambda w: {"vpcId": w["vpc"], "tags": {"Name": "table"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda w: {"vpcId": w["other_vpc"]},
        ("arn", "ownerId"),
    ),
    "aws:ec2/route:Route": Example(
        lambda w: {
            "routeTableId": w["route_table"],
            "destinationCidrBlock": "172.16.0.0/12",
            "gatewayId": w["internet_gateway"],
        },
        None,
        lambda _: {"destinationCidrBlock": "172.17.0.0/16"},
        ("state", "origin"),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Example(
        lambda w: {"routeTableId": w["route_table"], "subnetId": w["subnet_a"]},
        None,
        lambda w: {"subnetId": w["subnet_b"]},
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Example(
        lambda w: {"vpcId": w["vpc"], "ingress": [], "egress": [], "tags": {"Name": "closed"}},
        lambda _: {"tags": {"Name": "other"}},
        None,
        ("arn", "name"),
        delete_leaves=True,
    ),
    "aws:ec2/securityGroup:SecurityGroup": Example(
        lambda w: {"name": "example", "description": "Example", "vpcId": w["vpc"], "tags": {"Name": "sg"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"description": "Other"},
        ("arn", "ownerId"),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Example(
        lambda w: {
            "securityGroupId": w["security_group"],
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "192.0.2.0/24",
            "description": "HTTPS",
        },
        lambda _: {"description": "HTTPS from the office"},
        lambda w: {"securityGroupId": w["other_security_group"]},
        ("arn", "securityGroupRuleId"),
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Example(
        lambda w: {
            "securityGroupId": w["security_group"],
            "ipProtocol": "tcp",
            "fromPort": 4141,
            "toPort": 4141,
            "referencedSecurityGroupId": w["other_security_group"],
            "description": "To the tasks",
        },
        lambda _: {"description": "To the tasks only"},
        lambda w: {"securityGroupId": w["other_security_group"]},
        ("arn", "securityGroupRuleId"),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Example(
        lambda w: {
            "vpcId": w["vpc"],
            "serviceName": "com.amazonaws.ap-northeast-2.ecr.api",
            "vpcEndpointType": "Interface",
            "subnetIds": [w["subnet_a"]],
            "securityGroupIds": [w["security_group"]],
            "privateDnsEnabled": True,
            "tags": {"Name": "endpoint"},
        },
        lambda w: {"subnetIds": [w["subnet_b"], w["subnet_a"]]},
        lambda _: {"serviceName": "com.amazonaws.ap-northeast-2.logs"},
        ("arn", "state", "dnsEntries"),
    ),
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
        lambda _: {"policy": _expiry(8)},
        lambda w: {"repository": w["other_repository"]},
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
    "aws:lb/loadBalancer:LoadBalancer": Example(
        lambda w: {
            "name": "example",
            "securityGroups": [w["security_group"]],
            "subnets": [w["subnet_a"], w["subnet_b"]],
            "dropInvalidHeaderFields": True,
            "accessLogs": {"bucket": w["bucket"], "enabled": True, "prefix": "alb"},
            "tags": {"Name": "balancer"},
        },
        lambda w: {"idleTimeout": 120, "securityGroups": [w["other_security_group"]], "tags": {"Name": "other"}},
        lambda _: {"name": "other"},
        ("arn", "dnsName", "zoneId", "arnSuffix", "vpcId"),
    ),
    "aws:lb/targetGroup:TargetGroup": Example(
        lambda w: {
            "name": "example-group",
            "port": 4141,
            "protocol": "HTTP",
            "targetType": "ip",
            "vpcId": w["vpc"],
            "deregistrationDelay": 30,
            "healthCheck": {"path": "/healthz", "matcher": "200", "healthyThreshold": 2, "unhealthyThreshold": 3},
            "tags": {"Name": "group"},
        },
        lambda _: {"deregistrationDelay": 60, "healthCheck": {"path": "/health", "matcher": "200"}},
        lambda _: {"port": 80},
        ("arn", "arnSuffix"),
    ),
    "aws:lb/listener:Listener": Example(
        lambda w: {
            "loadBalancerArn": w["load_balancer"],
            "port": 443,
            "protocol": "HTTPS",
            "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "certificateArn": w["certificate"],
            "defaultActions": [
                {
                    "type": "fixed-response",
                    "fixedResponse": {"contentType": "text/plain", "messageBody": "Forbidden", "statusCode": "403"},
                }
            ],
            "tags": {"Name": "listener"},
        },
        lambda w: {"defaultActions": [{"type": "forward", "targetGroupArn": w["target_group"]}]},
        lambda w: {"loadBalancerArn": w["other_load_balancer"]},
        ("arn",),
    ),
    "aws:lb/listenerRule:ListenerRule": Example(
        _rule,
        lambda _: {"priority": 11, "conditions": [{"sourceIp": {"values": ["192.0.2.0/24"]}}]},
        lambda w: {"listenerArn": w["other_listener"]},
        ("arn",),
    ),
    "aws:acm/certificate:Certificate": Example(
        lambda _: {"domainName": "atlantis.example.com", "validationMethod": "DNS", "tags": {"Name": "certificate"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"domainName": "other.example.com"},
        ("arn", "domainValidationOptions", "status"),
    ),
    "aws:acm/certificateValidation:CertificateValidation": Example(
        lambda w: {"certificateArn": w["certificate"], "validationRecordFqdns": ["_x.example.com"]},
        None,
        lambda _: {"validationRecordFqdns": ["_y.example.com"]},
        delete_leaves=True,
    ),
    "aws:route53/record:Record": Example(
        lambda w: {"zoneId": w["zone"], "name": "atlantis", "type": "CNAME", "ttl": 300, "records": ["a.example.com"]},
        lambda _: {"ttl": 60, "records": ["b.example.com"]},
        lambda _: {"name": "other"},
        ("fqdn",),
    ),
    "aws:ecs/cluster:Cluster": Example(
        lambda _: {
            "name": "example",
            "settings": [{"name": "containerInsights", "value": "enabled"}],
            "tags": {"Name": "cluster"},
        },
        lambda _: {"settings": [{"name": "containerInsights", "value": "disabled"}], "tags": {"Name": "other"}},
        lambda _: {"name": "other"},
        ("arn",),
    ),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": Example(
        lambda w: {
            "clusterName": w["cluster_name"],
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
        },
        lambda _: {"defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]},
        lambda _: {"clusterName": "other"},
    ),
    "aws:ecs/taskDefinition:TaskDefinition": Example(
        _task,
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"containerDefinitions": _container("nginx:2")},
        ("arn", "revision", "arnWithoutRevision"),
    ),
    "aws:ecs/service:Service": Example(
        _service,
        lambda _: {"desiredCount": 0, "enableExecuteCommand": True},
        lambda _: {"name": "other-service"},
        ("arn",),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Example(
        lambda w: {
            "name": "/ecs/example",
            "retentionInDays": 7,
            "kmsKeyId": w["key_arn"],
            "tags": {"Name": "logs"},
        },
        lambda _: {"retentionInDays": 30, "tags": {"Name": "other"}},
        lambda _: {"name": "/ecs/other"},
        ("arn",),
    ),
    "aws:iam/role:Role": Example(
        lambda _: {
            "name": "example",
            "assumeRolePolicy": trust("ecs-tasks.amazonaws.com"),
            "description": "Example",
            "tags": {"Name": "role"},
        },
        lambda _: {"assumeRolePolicy": trust("ec2.amazonaws.com"), "description": "Other", "tags": {"Name": "other"}},
        lambda _: {"name": "other"},
        ("arn", "uniqueId", "createDate"),
    ),
    "aws:iam/rolePolicy:RolePolicy": Example(
        lambda w: {"role": w["role"], "name": "example", "policy": policy("s3:GetObject", "arn:aws:s3:::a/*")},
        lambda _: {"policy": policy("s3:PutObject", "arn:aws:s3:::a/*")},
        lambda _: {"name": "other"},
    ),
    "aws:iam/policy:Policy": Example(
        lambda _: {"name": "example", "policy": policy("s3:GetObject", "arn:aws:s3:::a/*"), "tags": {"a": "1"}},
        lambda _: {"policy": policy("s3:PutObject", "arn:aws:s3:::a/*"), "tags": {"a": "2"}},
        lambda _: {"name": "other"},
    ),
    "aws:iam/policy:Policy": Example(
        lambda _: {"name": "example", "policy": policy("s3:GetObject", "arn:aws:s3:::a/*"), "tags": {"Name": "policy"}},
        lambda _: {"policy": policy("s3:PutObject", "arn:aws:s3:::a/*"), "tags": {"Name": "other"}},
        lambda _: {"name": "other"},
        ("arn", "policyId"),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Example(
        lambda w: {
            "role": w["role"],
            "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
        },
        None,
        lambda _: {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    ),
}


def _expiry(days: int) -> str:
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}
    rule: dict[str, Any] = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})
