"""Translates types of the aws-native package to the types of the aws package that the central policies evaluate.

Each entry names the aws type and the source of properties that differ; every other property keeps its name. Only data
stores and what reaches load balancers and tasks are translated; evaluation-report counts the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from evaluation.values import at, mapping, mappings

__all__ = ["native_property", "native_type", "translated"]

_Properties = dict[str, Any]


@dataclass(frozen=True)
class Native:
    """The translation of an aws-native type.

    type: the rules' name of the aws type. moved: for a property of that type, the path in the native type. change: returns
    further properties, computed from the native ones.
    """

    type: str
    moved: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[_Properties], _Properties] | None = None


def native_type(token: str) -> str:
    """The aws type that an aws-native type is translated to; empty if it isn't translated."""
    entry = _TYPES.get(token)
    return entry.type if entry else ""


def native_property(token: str, name: str) -> str:
    """The native top-level property from which a property of the aws type is read."""
    entry = _TYPES.get(token)
    return entry.moved.get(name, name).partition(".")[0] if entry else name


def translated(token: str, properties: _Properties) -> _Properties:
    """The properties of an aws-native resource with the names of the aws package."""
    entry = _TYPES.get(token)
    if entry is None:
        return properties
    moved = {name: at(properties, path) for name, path in entry.moved.items()}
    changed = entry.change(properties) if entry.change else {}
    return {**properties, **{name: value for name, value in {**moved, **changed}.items() if value is not None}}


def _rule(rule: _Properties) -> _Properties:
    names = {
        "protocol": "ipProtocol",
        "fromPort": "fromPort",
        "toPort": "toPort",
        "cidrBlocks": "cidrIp",
        "ipv6CidrBlocks": "cidrIpv6",
        "prefixListIds": "sourcePrefixListId",
        "securityGroups": "sourceSecurityGroupId",
    }
    return {name: rule[source] for name, source in names.items() if rule.get(source) is not None}


def _group(properties: _Properties) -> _Properties:
    rules = properties.get("securityGroupIngress")
    return {"ingress": [_rule(mapping(rule)) for rule in rules] if isinstance(rules, list) else rules}


def _balancer(properties: _Properties) -> _Properties:
    scheme = properties.get("scheme")
    return {"internal": scheme == "internal" if isinstance(scheme, str) else scheme}


def _actions(properties: _Properties, source: str) -> Any:
    actions = properties.get(source)
    if not isinstance(actions, list):
        return actions
    return [{**mapping(each), "redirect": mapping(each).get("redirectConfig")} for each in actions]


def _listener(properties: _Properties) -> _Properties:
    return {"defaultActions": _actions(properties, "defaultActions")}


def _listener_rule(properties: _Properties) -> _Properties:
    conditions = [{"sourceIp": each.get("sourceIpConfig")} for _, each in mappings(properties.get("conditions"))]
    return {"actions": _actions(properties, "actions"), "conditions": conditions}


def _task(properties: _Properties) -> _Properties:
    volumes = properties.get("volumes")
    if not isinstance(volumes, list):
        return {}
    return {
        "volumes": [
            {**volume, "efsVolumeConfiguration": _efs(volume.get("efsVolumeConfiguration"))}
            for _, volume in mappings(volumes)
        ]
    }


def _efs(configuration: Any) -> Any:
    if not isinstance(configuration, dict):
        return configuration
    return {**configuration, "fileSystemId": configuration.get("filesystemId")}


def _bucket(properties: _Properties) -> _Properties:
    rules = at(properties, "bucketEncryption.serverSideEncryptionConfiguration")
    if not isinstance(rules, list):
        return {}
    defaults = [mapping(rule).get("serverSideEncryptionByDefault") for rule in rules]
    return {
        "serverSideEncryptionConfiguration": {
            "rule": [{"applyServerSideEncryptionByDefault": default} for default in defaults]
        }
    }


def _table(properties: _Properties) -> _Properties:
    return {"serverSideEncryption": {"kmsKeyArn": at(properties, "sseSpecification.kmsMasterKeyId")}}


def _instance(properties: _Properties) -> _Properties:
    """An instance of a cluster uses the cluster's storage; the aws package has another type for it."""
    cluster = properties.get("dbClusterIdentifier")
    return {"replicateSourceDb": cluster} if cluster else {}


_DEPLOYMENT: Final = "deploymentConfiguration"
_TYPES: Final[dict[str, Native]] = {
    "aws-native:applicationautoscaling:ScalableTarget": Native("appautoscaling/target"),
    "aws-native:docdb:DbCluster": Native("docdb/cluster"),
    "aws-native:dynamodb:Table": Native("dynamodb/table", change=_table),
    "aws-native:ec2:SecurityGroup": Native("ec2/securityGroup", {"id": "groupId"}, _group),
    "aws-native:ec2:SecurityGroupIngress": Native(
        "vpc/securityGroupIngressRule",
        {
            "securityGroupId": "groupId",
            "cidrIpv4": "cidrIp",
            "prefixListId": "sourcePrefixListId",
            "referencedSecurityGroupId": "sourceSecurityGroupId",
        },
    ),
    "aws-native:ec2:Volume": Native("ebs/volume"),
    "aws-native:ecr:Repository": Native("ecr/repository", {"encryptionConfigurations": "encryptionConfiguration"}),
    "aws-native:ecs:Service": Native(
        "ecs/service",
        {
            "name": "serviceName",
            "deploymentMaximumPercent": f"{_DEPLOYMENT}.maximumPercent",
            "deploymentMinimumHealthyPercent": f"{_DEPLOYMENT}.minimumHealthyPercent",
            "networkConfiguration": "networkConfiguration.awsvpcConfiguration",
        },
    ),
    "aws-native:ecs:TaskDefinition": Native("ecs/taskDefinition", {"arn": "taskDefinitionArn"}, _task),
    "aws-native:efs:FileSystem": Native("efs/fileSystem", {"id": "fileSystemId", "policy": "fileSystemPolicy"}),
    "aws-native:efs:MountTarget": Native("efs/mountTarget"),
    "aws-native:elasticache:ReplicationGroup": Native("elasticache/replicationGroup"),
    "aws-native:elasticloadbalancingv2:Listener": Native("lb/listener", {"arn": "listenerArn"}, _listener),
    "aws-native:elasticloadbalancingv2:ListenerRule": Native("lb/listenerRule", change=_listener_rule),
    "aws-native:elasticloadbalancingv2:LoadBalancer": Native(
        "lb/loadBalancer", {"arn": "loadBalancerArn", "loadBalancerType": "type", "internal": "scheme"}, _balancer
    ),
    "aws-native:kinesis:Stream": Native(
        "kinesis/stream", {"encryptionType": "streamEncryption.encryptionType", "kmsKeyId": "streamEncryption.keyId"}
    ),
    "aws-native:kms:Alias": Native("kms/alias", {"name": "aliasName"}),
    "aws-native:kms:Key": Native(
        "kms/key", {"customerMasterKeySpec": "keySpec", "isEnabled": "enabled", "policy": "keyPolicy"}
    ),
    "aws-native:logs:LogGroup": Native("cloudwatch/logGroup", {"name": "logGroupName"}),
    "aws-native:neptune:DbCluster": Native("neptune/cluster", {"kmsKeyArn": "kmsKeyId"}),
    "aws-native:opensearchservice:Domain": Native(
        "opensearch/domain",
        {"encryptAtRest": "encryptionAtRestOptions", "nodeToNodeEncryption": "nodeToNodeEncryptionOptions"},
    ),
    "aws-native:rds:DbCluster": Native(
        "rds/cluster", {"id": "dbClusterIdentifier", "restoreToPointInTime": "sourceDbClusterIdentifier"}
    ),
    "aws-native:rds:DbInstance": Native(
        "rds/instance",
        {"replicateSourceDb": "sourceDbInstanceIdentifier", "snapshotIdentifier": "dbSnapshotIdentifier"},
        _instance,
    ),
    "aws-native:redshift:Cluster": Native("redshift/cluster"),
    "aws-native:s3:Bucket": Native("s3/bucket", {"bucket": "bucketName"}, _bucket),
    "aws-native:s3:BucketPolicy": Native("s3/bucketPolicy", {"policy": "policyDocument"}),
    "aws-native:secretsmanager:Secret": Native("secretsmanager/secret"),
    "aws-native:sns:Topic": Native("sns/topic"),
    "aws-native:sqs:Queue": Native("sqs/queue"),
}
