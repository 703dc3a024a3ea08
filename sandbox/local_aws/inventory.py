"""Everything that exists in the local AWS, and how that compares with what the engine's state knows.

One row per kind of thing: how to list it, and which resource type of the engine it is. What AWS makes by itself (the
default VPC, main route tables, default groups and rules, managed keys and policies) is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.local_aws.instance import LocalAws

__all__ = ["Comparison", "Inventory", "compare", "take"]

Inventory = dict[str, set[str]]
"""Resource type, in the engine's notation, to the ids of the things of that type."""


def _resource_id(resource: Mapping[str, Any]) -> str:
    return resource["id"]


def _output(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda resource: resource["outputs"][name]


def _in_vpc(vpc: str) -> dict[str, Any]:
    return {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}


def _argument(name: str) -> Callable[[str], dict[str, Any]]:
    return lambda parent: {name: parent}


@dataclass(frozen=True)
class Kind:
    """One kind of thing: ``items`` selects its ids in the answer of ``service.operation`` (JMESPath).

    Where things are listed by what contains them, ``parent`` is that kind's type and ``of_parent`` makes the call's
    arguments of the parent's id. ``known`` is the id by which the engine's state knows one, in the form that ``name``
    gives a listed one.
    """

    type: str
    service: str
    operation: str
    items: str
    parent: str | None = None
    of_parent: Callable[[str], dict[str, Any]] = lambda _: {}
    arguments: dict[str, Any] = field(default_factory=dict)
    name: Callable[[str | None, str], str] = lambda _, item: item
    known: Callable[[Mapping[str, Any]], str] = _resource_id


VPC = "aws:ec2/vpc:Vpc"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
CLUSTER = "aws:ecs/cluster:Cluster"
ROLE = "aws:iam/role:Role"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
ZONE = "aws:route53/zone:Zone"

# A parent stands before its children.
KINDS = (
    Kind(VPC, "ec2", "describe_vpcs", "Vpcs[?!IsDefault].VpcId"),
    Kind("aws:ec2/subnet:Subnet", "ec2", "describe_subnets", "Subnets[].SubnetId", VPC, _in_vpc),
    Kind(
        "aws:ec2/routeTable:RouteTable",
        "ec2",
        "describe_route_tables",
        "RouteTables[?!not_null(Associations[?Main]|[0])].RouteTableId",
        VPC,
        _in_vpc,
    ),
    Kind(
        "aws:ec2/internetGateway:InternetGateway",
        "ec2",
        "describe_internet_gateways",
        "InternetGateways[].InternetGatewayId",
        VPC,
        lambda vpc: {"Filters": [{"Name": "attachment.vpc-id", "Values": [vpc]}]},
    ),
    Kind(
        "aws:ec2/natGateway:NatGateway",
        "ec2",
        "describe_nat_gateways",
        "NatGateways[?State!='deleted'].NatGatewayId",
    ),
    Kind("aws:ec2/eip:Eip", "ec2", "describe_addresses", "Addresses[].AllocationId"),
    Kind(GROUP, "ec2", "describe_security_groups", "SecurityGroups[?GroupName!='default'].GroupId", VPC, _in_vpc),
    Kind(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules[?!IsEgress].SecurityGroupRuleId",
        GROUP,
        lambda group: {"Filters": [{"Name": "group-id", "Values": [group]}]},
    ),
    Kind(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules[?IsEgress].SecurityGroupRuleId",
        GROUP,
        lambda group: {"Filters": [{"Name": "group-id", "Values": [group]}]},
    ),
    Kind(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "ec2",
        "describe_vpc_endpoints",
        "VpcEndpoints[?State!='deleted'].VpcEndpointId",
        VPC,
        _in_vpc,
    ),
    Kind("aws:ec2/flowLog:FlowLog", "ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    Kind("aws:kms/key:Key", "kms", "list_keys", "Keys[].KeyId"),
    Kind("aws:kms/alias:Alias", "kms", "list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
    Kind(FILE_SYSTEM, "efs", "describe_file_systems", "FileSystems[].FileSystemId"),
    Kind("aws:efs/accessPoint:AccessPoint", "efs", "describe_access_points", "AccessPoints[].AccessPointId"),
    Kind(
        "aws:efs/mountTarget:MountTarget",
        "efs",
        "describe_mount_targets",
        "MountTargets[].MountTargetId",
        FILE_SYSTEM,
        _argument("FileSystemId"),
    ),
    Kind(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "elasticache",
        "describe_replication_groups",
        "ReplicationGroups[].ReplicationGroupId",
    ),
    Kind(
        "aws:elasticache/subnetGroup:SubnetGroup",
        "elasticache",
        "describe_cache_subnet_groups",
        "CacheSubnetGroups[].CacheSubnetGroupName",
    ),
    Kind("aws:ecr/repository:Repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
    Kind("aws:secretsmanager/secret:Secret", "secretsmanager", "list_secrets", "SecretList[?!DeletedDate].ARN"),
    Kind("aws:s3/bucket:Bucket", "s3", "list_buckets", "Buckets[].Name"),
    Kind(BALANCER, "elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    Kind("aws:lb/targetGroup:TargetGroup", "elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    Kind(
        LISTENER,
        "elbv2",
        "describe_listeners",
        "Listeners[].ListenerArn",
        BALANCER,
        _argument("LoadBalancerArn"),
    ),
    Kind(
        "aws:lb/listenerRule:ListenerRule",
        "elbv2",
        "describe_rules",
        "Rules[?!IsDefault].RuleArn",
        LISTENER,
        _argument("ListenerArn"),
    ),
    Kind("aws:acm/certificate:Certificate", "acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    Kind(ZONE, "route53", "list_hosted_zones", "HostedZones[].Id", name=lambda _, item: item.rpartition("/")[2]),
    Kind(
        "aws:route53/record:Record",
        "route53",
        "list_resource_record_sets",
        "ResourceRecordSets[?Type!='NS' && Type!='SOA'].[Name, Type]",
        ZONE,
        _argument("HostedZoneId"),
        name=lambda zone, record: f"{zone} {record[0].rstrip('.').lower()} {record[1]}",
        known=lambda resource: " ".join(
            (
                resource["outputs"]["zoneId"],
                resource["outputs"]["fqdn"].rstrip(".").lower(),
                resource["outputs"]["type"],
            )
        ),
    ),
    Kind(CLUSTER, "ecs", "list_clusters", "clusterArns[]", known=_output("arn")),
    Kind("aws:ecs/service:Service", "ecs", "list_services", "serviceArns[]", CLUSTER, _argument("cluster")),
    Kind(
        "aws:ecs/taskDefinition:TaskDefinition",
        "ecs",
        "list_task_definitions",
        "taskDefinitionArns[]",
        arguments={"status": "ACTIVE"},
        known=_output("arn"),
    ),
    Kind("aws:cloudwatch/logGroup:LogGroup", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    Kind(WEB_ACL, "wafv2", "list_web_acls", "WebACLs[].ARN", arguments={"Scope": "REGIONAL"}),
    Kind(
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        "wafv2",
        "list_resources_for_web_acl",
        "ResourceArns[]",
        WEB_ACL,
        _argument("WebACLArn"),
        name=lambda web_acl, resource: f"{web_acl},{resource}",
    ),
    Kind("aws:cloudwatch/metricAlarm:MetricAlarm", "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    Kind("aws:sns/topic:Topic", "sns", "list_topics", "Topics[].TopicArn"),
    Kind("aws:sqs/queue:Queue", "sqs", "list_queues", "QueueUrls[]", name=lambda _, item: item.rpartition("/")[2]),
    Kind(ROLE, "iam", "list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName"),
    Kind(
        "aws:iam/rolePolicy:RolePolicy",
        "iam",
        "list_role_policies",
        "PolicyNames[]",
        ROLE,
        _argument("RoleName"),
        name=lambda role, policy: f"{role}:{policy}",
    ),
    Kind(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "iam",
        "list_attached_role_policies",
        "AttachedPolicies[].PolicyArn",
        ROLE,
        _argument("RoleName"),
        name=lambda role, policy: f"{role} {policy}",
        known=lambda resource: f"{resource['outputs']['role']} {resource['outputs']['policyArn']}",
    ),
    Kind("aws:iam/policy:Policy", "iam", "list_policies", "Policies[].Arn", arguments={"Scope": "Local"}),
    Kind("aws:dynamodb/table:Table", "dynamodb", "list_tables", "TableNames[]"),
)


@dataclass(frozen=True)
class Comparison:
    """``orphans`` exist and the state doesn't know them; ``missing`` are in the state and don't exist."""

    orphans: Inventory
    missing: Inventory

    @property
    def equal(self) -> bool:
        """Whether state and local AWS agree."""
        return not self.orphans and not self.missing

    def describe(self) -> str:
        """The differences, one a line."""
        parts = (("exists, but the state does not know it", self.orphans), ("is gone", self.missing))
        return "\n".join(
            f"{type_} {item} {what}"
            for what, found in parts
            for type_, items in found.items()
            for item in sorted(items)
        )


def take(aws: LocalAws) -> Inventory:
    """List everything that exists in ``aws`` and isn't AWS' own."""
    found: Inventory = {}
    for kind in KINDS:
        parents: Iterable[str | None] = sorted(found[kind.parent]) if kind.parent else [None]
        listed = {kind.name(parent, item) for parent in parents for item in _list(aws, kind, parent)}
        found[kind.type] = _without_deleted_keys(aws, listed) if kind.service == "kms" else listed
    return {type_: items for type_, items in found.items() if items}


def compare(found: Inventory, resources: Iterable[Mapping[str, Any]], substitutes: Iterable[str] = ()) -> Comparison:
    """Compare an inventory with the engine's ``resources``; ``substitutes`` are ids of what the sandbox itself created."""
    known: defaultdict[str, set[str]] = defaultdict(set)
    kinds = {kind.type: kind for kind in KINDS}
    for resource in resources:
        kind = kinds.get(resource["type"])
        # Data sources (external) are read, not owned.
        if kind and resource.get("custom") and not resource.get("external"):
            known[kind.type].add(kind.known(resource))
    own = set(substitutes)
    orphans = {type_: items - known[type_] - own for type_, items in found.items()}
    missing = {type_: items - found.get(type_, set()) for type_, items in known.items()}
    return Comparison(
        {type_: items for type_, items in orphans.items() if items},
        {type_: items for type_, items in missing.items() if items},
    )


def _list(aws: LocalAws, kind: Kind, parent: str | None) -> list[Any]:
    import jmespath  # noqa: PLC0415 - comes with boto3, which is loaded on use

    client = aws.client(kind.service)
    arguments = {**kind.arguments, **(kind.of_parent(parent) if parent else {})}
    if client.can_paginate(kind.operation):
        return list(client.get_paginator(kind.operation).paginate(**arguments).search(kind.items))
    return jmespath.search(kind.items, getattr(client, kind.operation)(**arguments)) or []


def _without_deleted_keys(aws: LocalAws, listed: set[str]) -> set[str]:
    """``listed`` without AWS-managed keys and those that wait for their deletion; aliases stay as they are."""
    kms = aws.client("kms")

    def ours(item: str) -> bool:
        if item.startswith("alias/"):
            return True
        key = kms.describe_key(KeyId=item)["KeyMetadata"]
        return key["KeyManager"] == "CUSTOMER" and key["KeyState"] != "PendingDeletion"

    return {item for item in listed if ours(item)}
