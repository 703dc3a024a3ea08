"""Translates types of the aws-native package to the types of the aws package that the central policies evaluate.

Each entry names the aws type and the source of properties that differ; every other property keeps its name. Only data
stores and what reaches load balancers and tasks are translated; evaluation-report counts the rest. The translated types
are those that public programs use (the README has the counts), and those that can replace a type of aws in a finding.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from evaluation.values import UNKNOWN, at, mapping, mappings

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


def _classic(properties: _Properties) -> _Properties:
    listeners = properties.get("listeners")
    if isinstance(listeners, list):
        listeners = [
            {"lbProtocol": each.get("protocol"), "lbPort": each.get("loadBalancerPort")}
            for _, each in mappings(listeners)
        ]
    return {**_balancer(properties), "listeners": listeners}


def _distribution(properties: _Properties) -> _Properties:
    certificate = at(properties, f"{_DISTRIBUTION}.viewerCertificate")
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


_DEPLOYMENT: Final = "deploymentConfiguration"
_DISTRIBUTION: Final = "distributionConfig"
_TYPES: Final[dict[str, Native]] = {
    "aws-native:apigateway:DomainName": Native("apigateway/domainName"),
    "aws-native:apigateway:Method": Native(
        "apigateway/integration", {"restApi": "restApiId", "connectionId": "integration.connectionId"}
    ),
    "aws-native:apigateway:RestApi": Native("apigateway/restApi", {"id": "restApiId"}),
    "aws-native:apigateway:Stage": Native("apigateway/methodSettings", {"settings": "methodSettings"}),
    "aws-native:apigateway:VpcLink": Native("apigateway/vpcLink", {"id": "vpcLinkId"}),
    "aws-native:apigatewayv2:Api": Native("apigatewayv2/api"),
    "aws-native:apigatewayv2:DomainName": Native(
        "apigatewayv2/domainName", {"domainNameConfiguration": "domainNameConfigurations"}
    ),
    "aws-native:apigatewayv2:Integration": Native("apigatewayv2/integration"),
    "aws-native:apigatewayv2:VpcLink": Native("apigatewayv2/vpcLink", {"id": "vpcLinkId"}),
    "aws-native:applicationautoscaling:ScalableTarget": Native("appautoscaling/target"),
    "aws-native:autoscaling:LaunchConfiguration": Native(
        "ec2/launchTemplate", {"vpcSecurityGroupIds": "securityGroups"}
    ),
    "aws-native:batch:JobDefinition": Native("batch/jobDefinition"),
    "aws-native:cloudfront:Distribution": Native(
        "cloudfront/distribution",
        {
            "defaultCacheBehavior": f"{_DISTRIBUTION}.defaultCacheBehavior",
            "orderedCacheBehaviors": f"{_DISTRIBUTION}.cacheBehaviors",
            "origins": f"{_DISTRIBUTION}.origins",
            "webAclId": f"{_DISTRIBUTION}.webAclId",
        },
        _distribution,
    ),
    "aws-native:cloudfront:VpcOrigin": Native("cloudfront/vpcOrigin"),
    "aws-native:codedeploy:DeploymentGroup": Native("codedeploy/deploymentGroup", {"ecsService": "ecsServices"}),
    "aws-native:datasync:LocationEfs": Native("datasync/efsLocation"),
    "aws-native:dms:Endpoint": Native("dms/endpoint"),
    "aws-native:docdb:DbCluster": Native("docdb/cluster"),
    "aws-native:dynamodb:Table": Native("dynamodb/table", change=_table),
    # An instance has its disks, groups and user data where a launch template has them.
    "aws-native:ec2:Instance": Native("ec2/launchTemplate", {"vpcSecurityGroupIds": "securityGroupIds"}),
    "aws-native:ec2:LaunchTemplate": Native(
        "ec2/launchTemplate",
        {
            "blockDeviceMappings": "launchTemplateData.blockDeviceMappings",
            "vpcSecurityGroupIds": "launchTemplateData.securityGroupIds",
            "userData": "launchTemplateData.userData",
        },
    ),
    "aws-native:ec2:PrefixList": Native("ec2/managedPrefixList", {"id": "prefixListId"}),
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
    "aws-native:ec2:Subnet": Native("ec2/subnet", {"id": "subnetId"}),
    "aws-native:ec2:Vpc": Native("ec2/vpc", {"id": "vpcId"}),
    "aws-native:ec2:VpcEndpointService": Native("ec2/vpcEndpointService", {"id": "serviceId"}),
    "aws-native:ec2:VpcEndpointServicePermissions": Native(
        "ec2/vpcEndpointServiceAllowedPrinciple",
        {"principalArn": "allowedPrincipals", "vpcEndpointServiceId": "serviceId"},
    ),
    "aws-native:ecr:Repository": Native("ecr/repository", {"encryptionConfigurations": "encryptionConfiguration"}),
    "aws-native:ecs:Cluster": Native("ecs/cluster", {"name": "clusterName"}),
    "aws-native:ecs:Service": Native(
        "ecs/service",
        {
            "name": "serviceName",
            "deploymentMaximumPercent": f"{_DEPLOYMENT}.maximumPercent",
            "deploymentMinimumHealthyPercent": f"{_DEPLOYMENT}.minimumHealthyPercent",
            "networkConfiguration": "networkConfiguration.awsvpcConfiguration",
            "volumeConfiguration": "volumeConfigurations",
        },
    ),
    "aws-native:ecs:TaskDefinition": Native("ecs/taskDefinition", {"arn": "taskDefinitionArn"}, _task),
    "aws-native:ecs:TaskSet": Native(
        "ecs/taskSet", {"networkConfiguration": "networkConfiguration.awsVpcConfiguration"}
    ),
    "aws-native:efs:AccessPoint": Native("efs/accessPoint", {"id": "accessPointId"}),
    "aws-native:efs:FileSystem": Native("efs/fileSystem", {"id": "fileSystemId", "policy": "fileSystemPolicy"}),
    "aws-native:efs:MountTarget": Native("efs/mountTarget"),
    "aws-native:elasticache:CacheCluster": Native("elasticache/cluster"),
    "aws-native:elasticache:ReplicationGroup": Native("elasticache/replicationGroup"),
    "aws-native:elasticloadbalancing:LoadBalancer": Native("elb/loadBalancer", {"internal": "scheme"}, _classic),
    "aws-native:elasticloadbalancingv2:Listener": Native("lb/listener", {"arn": "listenerArn"}, _listener),
    "aws-native:elasticloadbalancingv2:ListenerRule": Native("lb/listenerRule", change=_listener_rule),
    "aws-native:elasticloadbalancingv2:LoadBalancer": Native(
        "lb/loadBalancer", {"arn": "loadBalancerArn", "loadBalancerType": "type", "internal": "scheme"}, _balancer
    ),
    "aws-native:elasticloadbalancingv2:TargetGroup": Native("lb/targetGroup", {"arn": "targetGroupArn"}),
    "aws-native:emr:SecurityConfiguration": Native(
        "emr/securityConfiguration", {"configuration": "securityConfiguration"}
    ),
    "aws-native:events:Rule": Native("cloudwatch/eventTarget", {"ecsTarget": "targets"}, _targets),
    "aws-native:globalaccelerator:EndpointGroup": Native("globalaccelerator/endpointGroup"),
    "aws-native:imagebuilder:ContainerRecipe": Native("imagebuilder/containerRecipe"),
    "aws-native:imagebuilder:ImageRecipe": Native("imagebuilder/imageRecipe"),
    "aws-native:kafkaconnect:Connector": Native("mskconnect/connector"),
    "aws-native:kinesis:Stream": Native(
        "kinesis/stream", {"encryptionType": "streamEncryption.encryptionType", "kmsKeyId": "streamEncryption.keyId"}
    ),
    "aws-native:kinesisfirehose:DeliveryStream": Native(
        "kinesis/firehoseDeliveryStream", {"kinesisSourceConfiguration": "kinesisStreamSourceConfiguration"}, _delivery
    ),
    "aws-native:kms:Alias": Native("kms/alias", {"name": "aliasName"}),
    "aws-native:kms:Key": Native(
        "kms/key", {"customerMasterKeySpec": "keySpec", "isEnabled": "enabled", "policy": "keyPolicy"}
    ),
    "aws-native:kms:ReplicaKey": Native("kms/replicaKey", {"policy": "keyPolicy"}),
    "aws-native:lambda:Function": Native(
        "lambda/function", {"name": "functionName", "fileSystemConfig": "fileSystemConfigs"}
    ),
    "aws-native:logs:LogGroup": Native("cloudwatch/logGroup", {"name": "logGroupName"}),
    "aws-native:memorydb:Cluster": Native("memorydb/cluster", {"kmsKeyArn": "kmsKeyId"}),
    "aws-native:msk:Cluster": Native("msk/cluster", change=_brokers),
    "aws-native:neptune:DbCluster": Native("neptune/cluster", {"kmsKeyArn": "kmsKeyId"}),
    "aws-native:neptune:DbClusterParameterGroup": Native("neptune/clusterParameterGroup", change=_parameters),
    "aws-native:opensearchservice:Domain": Native(
        "opensearch/domain",
        {"encryptAtRest": "encryptionAtRestOptions", "nodeToNodeEncryption": "nodeToNodeEncryptionOptions"},
    ),
    "aws-native:pipes:Pipe": Native("pipes/pipe"),
    "aws-native:rds:DbCluster": Native(
        "rds/cluster", {"id": "dbClusterIdentifier", "restoreToPointInTime": "sourceDbClusterIdentifier"}
    ),
    "aws-native:rds:DbClusterParameterGroup": Native("rds/clusterParameterGroup", change=_parameters),
    "aws-native:rds:DbInstance": Native(
        "rds/instance",
        {"replicateSourceDb": "sourceDbInstanceIdentifier", "snapshotIdentifier": "dbSnapshotIdentifier"},
        _instance,
    ),
    "aws-native:rds:DbParameterGroup": Native("rds/parameterGroup", change=_parameters),
    "aws-native:rds:DbProxy": Native("rds/proxy"),
    "aws-native:rds:GlobalCluster": Native("rds/globalCluster"),
    "aws-native:redshift:Cluster": Native("redshift/cluster"),
    "aws-native:redshift:ClusterParameterGroup": Native(
        "redshift/parameterGroup", {"family": "parameterGroupFamily"}, _parameters
    ),
    "aws-native:redshiftserverless:Workgroup": Native("redshiftserverless/workgroup"),
    "aws-native:s3:Bucket": Native("s3/bucket", {"bucket": "bucketName"}, _bucket),
    "aws-native:s3:BucketPolicy": Native("s3/bucketPolicy", {"policy": "policyDocument"}),
    "aws-native:scheduler:Schedule": Native("scheduler/schedule"),
    "aws-native:secretsmanager:Secret": Native("secretsmanager/secret"),
    "aws-native:sns:Subscription": Native("sns/topicSubscription"),
    "aws-native:sns:Topic": Native("sns/topic"),
    "aws-native:sqs:Queue": Native("sqs/queue"),
    "aws-native:ssm:Association": Native("ssm/association"),
    "aws-native:ssm:Document": Native("ssm/document"),
    "aws-native:stepfunctions:StateMachine": Native("sfn/stateMachine", {"definition": "definitionString"}),
    "aws-native:transfer:Server": Native("transfer/server"),
    "aws-native:vpclattice:Listener": Native("vpclattice/listener"),
    "aws-native:workspaces:Workspace": Native("workspaces/workspace"),
}
