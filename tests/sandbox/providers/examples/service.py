"""Examples: Load balancing, DNS, containers and permissions."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.testbed.providers.values import Properties
from tests.sandbox.providers.examples.example import Example, World, policy, trust


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
        # Not a target group: the replacement is of another load balancer, and a group has one.
        "actions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "Forbidden", "statusCode": "403"},
            }
        ],
        "conditions": [
            {"pathPattern": {"values": ["/events"]}},
            {"httpRequestMethod": {"values": ["POST"]}},
            {"sourceIp": {"values": ["192.30.252.0/22", "185.199.108.0/22", "140.82.112.0/20"]}},
        ],
        "tags": {"Name": "rule"},
    }


EXAMPLES: Mapping[str, Example] = {
    "aws:lb/loadBalancer:LoadBalancer": Example(
        lambda w: {
            "name": "example",
            "internal": True,
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
        lambda w: {
            "priority": 11,
            "actions": [{"type": "forward", "targetGroupArn": w["target_group"]}],
            "conditions": [{"sourceIp": {"values": ["192.0.2.0/24"]}}],
        },
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
    "aws:route53/zone:Zone": Example(
        lambda _: {"name": "tools.example.com", "tags": {"Name": "zone", "Team": "platform"}},
        lambda _: {"comment": "Tools", "tags": {"Name": "other"}},
        lambda _: {"name": "other.example.com"},
        ("arn", "zoneId", "nameServers", "primaryNameServer"),
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
    "aws:wafv2/webAclAssociation:WebAclAssociation": Example(
        lambda w: {"resourceArn": w["load_balancer"], "webAclArn": w["web_acl"]},
        None,
        lambda w: {"webAclArn": w["other_web_acl"]},
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
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Example(
        lambda w: {
            "role": w["role"],
            "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
        },
        None,
        lambda _: {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    ),
}
