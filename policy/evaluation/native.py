"""Translates types of the aws-native package to the types of the aws package that the central policies evaluate.

``tables/native.toml`` names the aws types and the source of properties that differ; every other property keeps its name.
Only data stores and what reaches load balancers and tasks are translated; evaluation-report counts the rest. The translated types
are those that public programs use (the README has the counts), and those that can replace a type of aws in a finding.
"""

from collections.abc import Callable
from typing import Any, Final

from evaluation.values import UNKNOWN, at, mapping, mappings
from tables import read

_Properties = dict[str, Any]
_TABLE: Final = read("native")
_TYPES: Final[dict[str, str]] = _TABLE["types"]
_MOVED: Final[dict[str, dict[str, str]]] = _TABLE["moved"]


def native_type(token: str) -> str:
    """The aws type that an aws-native type is translated to; empty if it isn't translated."""
    return _TYPES.get(token, "")


def native_property(token: str, name: str) -> str:
    """The native top-level property from which a property of the aws type is read."""
    return _MOVED.get(token, {}).get(name, name).partition(".")[0]


def translated(token: str, properties: _Properties) -> _Properties:
    """The properties of an aws-native resource with the names of the aws package."""
    moved = {name: at(properties, path) for name, path in _MOVED.get(token, {}).items()}
    changed = _CHANGES[token](properties) if token in _CHANGES else {}
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


def _classic(properties: _Properties) -> _Properties:
    listeners = properties.get("listeners")
    if isinstance(listeners, list):
        listeners = [
            {"lbProtocol": each.get("protocol"), "lbPort": each.get("loadBalancerPort")}
            for _, each in mappings(listeners)
        ]
    return {**_balancer(properties), "listeners": listeners}


def _distribution(properties: _Properties) -> _Properties:
    certificate = at(properties, "distributionConfig.viewerCertificate")
    if isinstance(certificate, dict):
        default = certificate.get("cloudFrontDefaultCertificate")
        certificate = {**certificate, "cloudfrontDefaultCertificate": default}
    return {"viewerCertificate": certificate}


def _delivery(properties: _Properties) -> _Properties:
    """Server-side encryption is enabled by the presence of its block."""
    block = properties.get("deliveryStreamEncryptionConfigurationInput")
    enabled = block if block is UNKNOWN else block is not None
    return {"serverSideEncryption": {"enabled": enabled, "keyArn": at(block, "keyArn")}}


def _brokers(properties: _Properties) -> _Properties:
    information = properties.get("encryptionInfo")
    if not isinstance(information, dict):
        return {}
    key = at(information, "encryptionAtRest.dataVolumeKmsKeyId")
    return {"encryptionInfo": {**information, "encryptionAtRestKmsKeyArn": key}}


def _parameters(properties: _Properties) -> _Properties:
    given = properties.get("parameters")
    if isinstance(given, dict):
        return {"parameters": [{"name": name, "value": value} for name, value in given.items()]}
    if not isinstance(given, list):
        return {"parameters": given}
    named = [{"name": each.get("parameterName"), "value": each.get("parameterValue")} for _, each in mappings(given)]
    return {"parameters": named}


def _targets(properties: _Properties) -> _Properties:
    """The targets of an EventBridge rule, which are separate resources in the aws package."""
    tasks = [each.get("ecsParameters") for _, each in mappings(properties.get("targets"))]
    return {"ecsTarget": [each for each in tasks if each is not None]}


# Further properties, computed from the native ones.
_CHANGES: Final[dict[str, Callable[[_Properties], _Properties]]] = {
    "aws-native:cloudfront:Distribution": _distribution,
    "aws-native:dynamodb:Table": _table,
    "aws-native:ec2:SecurityGroup": _group,
    "aws-native:ecs:TaskDefinition": _task,
    "aws-native:elasticloadbalancing:LoadBalancer": _classic,
    "aws-native:elasticloadbalancingv2:Listener": _listener,
    "aws-native:elasticloadbalancingv2:ListenerRule": _listener_rule,
    "aws-native:elasticloadbalancingv2:LoadBalancer": _balancer,
    "aws-native:events:Rule": _targets,
    "aws-native:kinesisfirehose:DeliveryStream": _delivery,
    "aws-native:msk:Cluster": _brokers,
    "aws-native:neptune:DbClusterParameterGroup": _parameters,
    "aws-native:rds:DbClusterParameterGroup": _parameters,
    "aws-native:rds:DbInstance": _instance,
    "aws-native:rds:DbParameterGroup": _parameters,
    "aws-native:redshift:ClusterParameterGroup": _parameters,
    "aws-native:s3:Bucket": _bucket,
}
