"""What AWS or the official provider would refuse is refused, with words that help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.testbed.providers.values import UNKNOWN, Properties
from tests.sandbox.providers.examples import EXAMPLES, World
from tests.sandbox.providers.plugin import Plugin, urn

SERVICE, TASK, RULE = (
    "aws:ecs/service:Service",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:lb/listenerRule:ListenerRule",
)
GROUP, BALANCER, LISTENER = (
    "aws:lb/targetGroup:TargetGroup",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/listener:Listener",
)
FILES, SECRET, LOGS = (
    "aws:efs/fileSystem:FileSystem",
    "aws:secretsmanager/secret:Secret",
    "aws:cloudwatch/logGroup:LogGroup",
)
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
KEY, REPOSITORY, ROLE = "aws:kms/key:Key", "aws:ecr/repository:Repository", "aws:iam/role:Role"
INLINE = "aws:iam/rolePolicy:RolePolicy"
INGRESS, ENDPOINT = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:ec2/vpcEndpoint:VpcEndpoint"
RECORD, POINT = "aws:route53/record:Record", "aws:efs/accessPoint:AccessPoint"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"

FIVE = {"sourceIp": {"values": [f"10.0.{n}.0/24" for n in range(5)]}}
BIG = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "x" * 10_240}]})

BAD: list[tuple[str, Properties, str, str]] = [
    # type, what is changed in its example, the property at fault, a part of the reason
    (SERVICE, {"desiredCuont": 1}, "desiredCuont", "did you mean 'desiredCount'?"),
    (SERVICE, {"nonsense": 1}, "nonsense", "known are"),
    (SERVICE, {"desiredCount": "many"}, "desiredCount", "'many' is not of type integer"),
    (SERVICE, {"desiredCount": True}, "desiredCount", "True is not of type integer"),
    (SERVICE, {"tags": "Name"}, "tags", "'Name' is not of type map"),
    (SERVICE, {"launchType": "SERVERLESS"}, "launchType", "is not one of EC2, FARGATE"),
    (
        SERVICE,
        {"availabilityZoneRebalancing": "ENABLED"},
        "availabilityZoneRebalancing",
        "deploymentMaximumPercent 100",
    ),
    (SERVICE, {"deploymentMinimumHealthyPercent": 100}, "deploymentMinimumHealthyPercent", "must be less than"),
    (SERVICE, {"networkConfiguration": {"subnet": []}}, "networkConfiguration.subnet", "did you mean 'subnets'?"),
    (SERVICE, {"networkConfiguration": {}}, "networkConfiguration.subnets", "missing required property"),
    (SERVICE, {"volumeConfiguration": {"name": "data"}}, "volumeConfiguration", "does not support"),
    (TASK, {"containerDefinitions": "[{"}, "containerDefinitions", "is not valid JSON"),
    (TASK, {"containerDefinitions": "[]"}, "containerDefinitions", "at least one container definition"),
    (TASK, {"containerDefinitions": '[{"name": "a", "imagine": "b"}]'}, "containerDefinitions", "property 'imagine'"),
    (
        TASK,
        {"containerDefinitions": '[{"name": "a", "cpu": "1"}]'},
        "containerDefinitions",
        "Invalid type for parameter",
    ),
    (TASK, {"volumes": []}, "containerDefinitions", "mount point of volume 'data'"),
    (TASK, {"cpu": "1000"}, "cpu", "1000 is not one of 256, 512"),
    (TASK, {"memory": "512"}, "memory", "512 does not go with cpu 1024"),
    (TASK, {"networkMode": "host"}, "networkMode", "Fargate knows awsvpc only"),
    (TASK, {"cpu": None}, "cpu", "Fargate needs it"),
    (RULE, {"conditions": [FIVE, {"pathPattern": {"values": ["/events"]}}]}, "conditions", "6 condition values"),
    (RULE, {"conditions": [{}]}, "conditions[0]", "must have exactly one of"),
    (RULE, {"conditions": None}, "conditions", "missing required property"),
    (RULE, {"priority": 50001}, "priority", "50001"),
    (RULE, {"actions": [{"type": "forward"}]}, "actions[0]", "targetGroupArn or forward"),
    (RULE, {"actions": [{"type": "forwards"}]}, "actions[0].type", "'forwards' is not one of forward"),
    (LISTENER, {"protocol": "HTTP"}, "certificateArn", "must be left out"),
    (LISTENER, {"certificateArn": None}, "certificateArn", "protocol HTTPS needs it"),
    (LISTENER, {"port": 70000}, "port", "at most 65535"),
    (GROUP, {"name": "a" * 33}, "name", "at most 32"),
    (GROUP, {"name": "under_score"}, "name", "only letters, digits and hyphens"),
    (GROUP, {"healthCheck": {"interval": 5, "timeout": 5}}, "healthCheck.timeout", "shorter than the interval"),
    (GROUP, {"healthCheck": {"healthyThreshold": 1}}, "healthCheck.healthyThreshold", "2 to 10"),
    (GROUP, {"targetType": "pod"}, "targetType", "is not one of instance, ip"),
    (GROUP, {"deregistrationDelay": 3601}, "deregistrationDelay", "0 to 3600"),
    (BALANCER, {"name": "internal-x"}, "name", "not internal-"),
    (BALANCER, {"idleTimeout": 0}, "idleTimeout", "1 to 4000"),
    (BALANCER, {"loadBalancerType": "network"}, "loadBalancerType", "application only"),
    (FILES, {"performanceMode": "fast"}, "performanceMode", "is not one of generalPurpose, maxIO"),
    (FILES, {"encrypted": False}, "encrypted", "must be true when kmsKeyId is given"),
    (FILES, {"lifecyclePolicies": [{}]}, "lifecyclePolicies[0]", "exactly one of"),
    (
        FILES,
        {"lifecyclePolicies": [{"transitionToIa": "AFTER_8_DAYS"}]},
        "lifecyclePolicies[0].transitionToIa",
        "is not one of AFTER_7_DAYS",
    ),
    (POINT, {"posixUser": {"uid": -1, "gid": 100}}, "posixUser.uid", "at least 0"),
    (POINT, {"posixUser": {"uid": 100}}, "posixUser.gid", "missing required property"),
    (SECRET, {"recoveryWindowInDays": 3}, "recoveryWindowInDays", "0 or 7 to 30"),
    (LOGS, {"retentionInDays": 8}, "retentionInDays", "8 is not one of 0, 1, 3, 5, 7"),
    (LOGS, {"name": "with space"}, "name", "is not of the form"),
    (ALARM, {"threshold": None}, "threshold", "an alarm on a metric needs it"),
    (ALARM, {"statistic": None}, "statistic", "exactly one of statistic, extendedStatistic"),
    (ALARM, {"extendedStatistic": "p99"}, "statistic", "exactly one of statistic, extendedStatistic"),
    (ALARM, {"statistic": "Median"}, "statistic", "is not one of SampleCount, Average"),
    (ALARM, {"treatMissingData": "bad"}, "treatMissingData", "'bad' is not one of breaching, notBreaching"),
    (ALARM, {"period": 90}, "period", "90 is not 10, 20, 30 or a multiple of 60"),
    (ALARM, {"evaluationPeriods": 1441}, "evaluationPeriods", "86460 s, more than 86400"),
    (ALARM, {"datapointsToAlarm": 4}, "datapointsToAlarm", "4 is more than evaluationPeriods, 3"),
    (ALARM, {"alarmActions": ["on-call"]}, "alarmActions[0]", "'on-call' is not an ARN"),
    (ALARM, {"okActions": ["arn:a"] * 6}, "okActions", "at most 5 long, this is 6"),
    (ALARM, {"metricQueries": []}, "metricQueries", "does not support"),
    (KEY, {"deletionWindowInDays": 6}, "deletionWindowInDays", "7 to 30"),
    (KEY, {"policy": '{"Statement": [{"Action": "kms:Decrypt"}]}'}, "policy", "lets nobody change the key's policy"),
    (KEY, {"keyUsage": "ENCRYPT"}, "keyUsage", "is not one of SIGN_VERIFY, ENCRYPT_DECRYPT"),
    (REPOSITORY, {"imageTagMutability": "FIXED"}, "imageTagMutability", "is not one of MUTABLE, IMMUTABLE"),
    (REPOSITORY, {"name": "Upper"}, "name", "is not of the form"),
    (ROLE, {"assumeRolePolicy": "{"}, "assumeRolePolicy", "is not valid JSON"),
    (ROLE, {"maxSessionDuration": 60}, "maxSessionDuration", "at least 3600"),
    (ROLE, {"inlinePolicies": []}, "inlinePolicies", "does not support this property; it can be added in"),
    (INLINE, {"policy": BIG}, "policy", "IAM allows 10240"),
    (INGRESS, {"cidrIpv6": "::/0"}, "cidrIpv6", "only one of cidrIpv4, cidrIpv6"),
    (INGRESS, {"toPort": 65536}, "toPort", "is not a port"),
    (INGRESS, {"ipProtocol": "-1"}, "fromPort", "must be left out"),
    (ENDPOINT, {"routeTableIds": ["rtb-1"]}, "routeTableIds", "an endpoint of type Interface has none"),
    (ENDPOINT, {"vpcEndpointType": "Bridge"}, "vpcEndpointType", "is not one of Interface, Gateway"),
    (RECORD, {"ttl": None}, "ttl", "records need one"),
    (RECORD, {"type": "CHAME"}, "type", "'CHAME' is not one of"),
    (OWNERSHIP, {"rule": {"objectOwnership": "Nobody"}}, "rule.objectOwnership", "is not one of BucketOwnerPreferred"),
    (
        ENCRYPTION,
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "ROT13"}}]},
        "rules[0].applyServerSideEncryptionByDefault.sseAlgorithm",
        "is not one of AES256",
    ),
    (LIFECYCLE, {"rules": [{"id": "x", "status": "On"}]}, "rules[0].status", "is not one of Enabled, Disabled"),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[0].split(':')[-1]}-{case[2]}")
def test_refuses(plugin: Plugin, world: World, case: tuple[str, Properties, str, str]) -> None:
    token, change, path, reason = case
    inputs = {**EXAMPLES[token].inputs(world), **change}
    given = {name: value for name, value in inputs.items() if value is not None}
    failures = plugin.check(urn(token, "bad"), given).failures
    assert path in failures, failures
    assert reason in failures[path]
    assert failures[path].startswith(f"{path}: ")


def test_reports_everything_at_once(plugin: Plugin) -> None:
    failures = plugin.check(urn(SERVICE, "bad"), {"desiredCuont": 1, "launchType": "X", "tags": []}).failures
    assert failures.keys() == {"desiredCuont", "launchType", "tags"}


def test_never_shows_a_secret_value(plugin: Plugin, world: World) -> None:
    name = urn("aws:secretsmanager/secretVersion:SecretVersion", "bad")
    inputs = {"secretId": world["secret"], "secretString": ["hunter2"]}
    failures = plugin.check(name, inputs, secrets={"secretString"}).failures
    assert failures == {"secretString": "secretString: the secret value is not of type string"}
    definitions = '[{"name": "a", "image": "b", "environment": "hunter2"}]'
    inputs = {**EXAMPLES[TASK].inputs(world), "containerDefinitions": definitions}
    failures = plugin.check(urn(TASK, "bad"), inputs, secrets={"containerDefinitions"}).failures
    assert failures == {"containerDefinitions": "containerDefinitions: the secret value is not accepted"}


def test_takes_what_a_preview_cannot_know_yet(plugin: Plugin, world: World) -> None:
    for token, example in EXAMPLES.items():
        inputs = {**example.inputs(world), **{name: UNKNOWN for name in example.inputs(world) if name.endswith("Id")}}
        assert plugin.check(urn(token, "preview"), inputs).failures == {}
    inputs = dict.fromkeys(EXAMPLES[SERVICE].inputs(world), UNKNOWN)
    assert plugin.check(urn(SERVICE, "preview"), inputs).failures == {}


def test_names_an_unknown_type(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.check(urn("aws:ecs/clutser:Cluster", "x"), {})
    details = str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
    assert "does not know the resource type aws:ecs/clutser:Cluster; did you mean aws:ecs/cluster:Cluster?" in details
    assert "sandbox/testbed/providers/" in details


def test_names_an_unknown_function(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:lambda/getFunction:getFunction", {})
    details = str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
    assert "does not know the function aws:lambda/getFunction:getFunction" in details


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"regoin": "x"}, "regoin", "did you mean 'region'?"),
        ({"profile": "prod"}, "profile", "does not know the setting aws:profile"),
        ({"region": ""}, "region", "missing required setting"),
        ({"endpoints": '[{"ec2": "https://ec2.amazonaws.com"}]'}, "endpoints", "is not on loopback"),
        ({"endpoints": '{"ec2": "http://127.0.0.1:1"}'}, "endpoints", "must be a list of objects"),
    ],
)
def test_judges_the_providers_own_settings(plugin: Plugin, change: dict[str, Any], name: str, reason: str) -> None:
    failures = plugin.check_configuration({"region": "ap-northeast-2", "endpoints": "[]", **change})
    assert reason in failures[name]


def test_guesses_no_endpoint(provider_state: Path) -> None:
    plugin = Plugin("aws", provider_state)
    plugin.configure({"region": "ap-northeast-2", "endpoints": "[]"})
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    plugin.stop()
    assert "names no endpoint for sts" in str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
