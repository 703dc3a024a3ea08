"""The resources of an API call: ARN patterns of the service authorization reference with the call's parameters.

If the call creates a resource or doesn't name it, its ARN contains `UNNAMED`, which matches only a wildcard of a
policy.
"""

import itertools
import re
from collections.abc import Mapping, Sequence

from sandbox.testbed.iam_evaluation.api_call import ApiCall, World
from sandbox.testbed.iam_evaluation.evaluator import Reference, ResourceType
from sandbox.testbed.iam_evaluation.parameters import leaves, listed, strings

__all__ = ["UNNAMED", "fill", "matches", "regional_arn", "resources", "values_of"]

UNNAMED = "unnamed"

_PARAMETERS: Mapping[str, Sequence[str]] = {
    "BucketName": ("Bucket",),
    "CapacityProviderName": ("capacityProvider", "capacityProviders", "name"),
    "ClusterName": ("clusterName", "cluster", "clusters"),
    "ContainerInstanceId": ("containerInstance", "containerInstances"),
    "DaemonTaskDefinitionFamilyName": ("family", "daemonTaskDefinition"),
    "DeliveryDestinationName": ("deliveryDestinationName", "name"),
    "DeliveryName": ("id",),
    "DeliverySourceName": ("deliverySourceName", "name"),
    "FileSystemId": ("FileSystemId", "SourceFileSystemId"),
    "Id": ("HostedZoneId", "HealthCheckId", "DelegationSetId", "CollectionId", "TrafficPolicyId", "Id"),
    "LogGroupName": ("logGroupName", "logGroupNames", "logGroupIdentifier", "logGroupIdentifiers", "logGroupArnList"),
    "ObjectName": ("Key",),
    "QueueName": ("QueueName", "QueueUrl"),
    "NaclId": ("NetworkAclId",),
    "PolicyNameWithPath": ("PolicyName",),
    "RoleNameWithPath": ("RoleName",),
    "ScheduledQueryId": ("identifier",),
    "SecretId": ("SecretId", "Name"),
    "SecurityGroupId": ("GroupId", "SecurityGroupIds", "Groups"),
    "ServiceName": ("serviceName", "service", "services"),
    "TargetGroupName": ("Name",),
    "TaskDefinitionFamilyName": ("family", "taskDefinition", "taskDefinitions"),
    "TaskId": ("task", "tasks"),
    "TaskSetId": ("taskSet", "taskSets"),
    "TopicName": ("TopicName", "Name"),
    "TrustStoreName": ("Name",),
    "UserNameWithPath": ("UserName",),
    "VpcFlowLogId": ("FlowLogIds",),
    "VpnGatewayId": ("VpnGatewayId", "GatewayId"),
}
"""Parameters that fill in a placeholder with another name; the first one that the call has is used."""

_EC2_TYPES = {
    "acl": "network-acl",
    "ami": "image",
    "cgw": "customer-gateway",
    "dopt": "dhcp-options",
    "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "ipam": "ipam",
    "ipam-pool": "ipam-pool",
    "lt": "launch-template",
    "nat": "natgateway",
    "pcx": "vpc-peering-connection",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "snap": "snapshot",
    "subnet": "subnet",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "vgw": "vpn-gateway",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "vpce-svc": "vpc-endpoint-service",
    "vpn": "vpn-connection",
}
"""Resource types by the prefix of an id, for calls that accept resources of any type."""

_MADE_UP = frozenset(
    {
        "DaemonTaskDefinitionRevisionNumber",
        "TargetGroupId",
        "TaskDefinitionRevisionNumber",
        "TaskSetId",
        "TrustStoreId",
    }
)
"""Placeholders that AWS fills in when it creates the resource; a call that creates it has no value for them."""


def resources(described: Reference, call: ApiCall, world: World) -> list[str]:
    """The ARNs of the resources of a call, or `*`."""
    if described.wildcard_only or not described.types:
        return ["*"]
    if special := _special_resources(call, world):
        return special
    arns = [text for text in strings(call.parameters) if text.startswith("arn:")]
    named = [world.full_arn(arn) for arn in arns if any(matches(type_.arn, arn) for type_ in described.types)]
    filled = {type_.arn: _filled(type_, call, world) for type_ in described.types}
    found = [*named, *itertools.chain.from_iterable(filled.values())]
    found += [fill(type_.arn, {}, world) for type_ in _unnamed_types(described, call, found)]
    return list(dict.fromkeys(found)) or ["*"]


def _unnamed_types(described: Reference, call: ApiCall, found: Sequence[str]) -> Sequence[ResourceType]:
    """The types of resources on which AWS evaluates a call too, although the call doesn't name one of them."""
    required = [type_ for type_ in described.types if type_.required]
    missing = [type_ for type_ in required if not any(matches(type_.arn, arn) for arn in found)]
    if call.service == "ec2":
        # All of them: CreateSubnet is evaluated on its VPC and on the new subnet.
        return missing or (described.types if not found and len(described.types) == 1 else ())
    # Other services list alternatives, such as a kind of load balancer each.
    return missing[:1] if len(missing) == len(required) else ()


def _special_resources(call: ApiCall, world: World) -> list[str]:
    if call.service == "ec2" and call.operation in ("CreateTags", "DeleteTags"):
        types = {identity: _EC2_TYPES.get(identity.rpartition("-")[0]) for identity in call.parameters["Resources"]}
        return [regional_arn(world, "ec2", f"{type_ or UNNAMED}/{identity}") for identity, type_ in types.items()]
    if (call.service, call.operation) == ("ec2", "CreateFlowLogs"):
        types = [_EC2_TYPES.get(identity.rpartition("-")[0], UNNAMED) for identity in call.parameters["ResourceIds"]]
        watched = (f"{type_}/{identity}" for type_, identity in zip(types, call.parameters["ResourceIds"], strict=True))
        return [regional_arn(world, "ec2", name) for name in (*watched, f"vpc-flow-log/{UNNAMED}")]
    if call.service == "elasticloadbalancing":
        if call.operation in ("AddTags", "RemoveTags"):
            return list(call.parameters["ResourceArns"])
        if call.operation == "CreateLoadBalancer":
            kind = {"network": "net", "gateway": "gwy"}.get(call.parameters.get("Type", ""), "app")
            return [regional_arn(world, call.service, f"loadbalancer/{kind}/{call.parameters['Name']}/{UNNAMED}")]
    if (call.service, call.operation) == ("secretsmanager", "CreateSecret"):
        # AWS appends a hyphen and six characters; policies match them with `-??????`.
        return [regional_arn(world, call.service, f"secret:{call.parameters['Name']}-{UNNAMED[:6]}")]
    return _of_systems_manager(call, world) if call.service == "ssm" else _named_otherwise(call, world)


def _named_otherwise(call: ApiCall, world: World) -> list[str]:
    """Resources that a call names by a parameter for several resource types, or doesn't name."""
    if call.service == "kms" and "AliasName" in call.parameters:
        return _alias_and_keys(call, world)
    if call.service == "elasticfilesystem" and "ResourceId" in call.parameters:
        identity = _name_in(str(call.parameters["ResourceId"]))
        return [
            regional_arn(
                world, call.service, f"{'access-point' if identity.startswith('fsap-') else 'file-system'}/{identity}"
            )
        ]
    if call.service == "application-autoscaling" and "ResourceId" in call.parameters:
        # The parameter is the ID of what scales. The ID in the target's ARN is generated.
        return [regional_arn(world, call.service, f"scalable-target/{UNNAMED}")]
    if call.service == "route53" and "ResourceType" in call.parameters:
        names = listed(call.parameters.get("ResourceIds", call.parameters.get("ResourceId")))
        return [f"arn:{world.partition}:route53:::{call.parameters['ResourceType']}/{name}" for name in names]
    if (call.service, call.operation) == ("wafv2", "GetWebACLForResource"):
        return [regional_arn(world, "wafv2", f"regional/webacl/{UNNAMED}/{UNNAMED}")]
    return []


_SYSTEMS_MANAGER = {
    "Association": "association",
    "Automation": "automation-execution",
    "Document": "document",
    "MaintenanceWindow": "maintenancewindow",
    "ManagedInstance": "managed-instance",
    "OpsItem": "opsitem",
    "OpsMetadata": "opsmetadata",
    "Parameter": "parameter",
    "PatchBaseline": "patchbaseline",
}
"""The kinds of resources in ARNs by the values of ``ResourceType``."""


def _of_systems_manager(call: ApiCall, world: World) -> list[str]:
    """Parameters by their names, and what a call about tags names by its type. ARNs have no slash at a name's beginning."""
    kind = _SYSTEMS_MANAGER.get(str(call.parameters.get("ResourceType")), "")
    if kind:
        names = listed(call.parameters.get("ResourceId"))
    elif "Parameter" in call.operation:
        kind = "parameter"
        names = [name for key in ("Name", "Names", "Path") for name in listed(call.parameters.get(key))]
    else:
        return []
    # A colon precedes the version or the label that is read.
    return [
        name if name.startswith("arn:") else regional_arn(world, "ssm", f"{kind}/{name.lstrip('/').partition(':')[0]}")
        for name in map(str, names)
    ]


def _alias_and_keys(call: ApiCall, world: World) -> list[str]:
    """The alias, the key that it has, and the key that it gets. DeleteAlias names no key, and UpdateAlias only the new one."""
    alias = regional_arn(world, "kms", str(call.parameters["AliasName"]))
    keys = [world.full_arn(alias)] if call.operation != "CreateAlias" else []
    if "TargetKeyId" in call.parameters:
        keys.append(regional_arn(world, "kms", f"key/{_name_in(str(call.parameters['TargetKeyId']))}"))
    found = [key for key in keys if key != alias] or [regional_arn(world, "kms", f"key/{UNNAMED}")]
    return list(dict.fromkeys([alias, *found]))


def _filled(type_: ResourceType, call: ApiCall, world: World) -> list[str]:
    """The ARNs of ``type_`` that the call's parameters identify.

    They must fill in all placeholders except ids that AWS generates.
    """
    wanted = [name for name in _placeholders(type_.arn) if name not in _MADE_UP or values_of(name, call)]
    values = [[value for value in values_of(name, call) if not matches(type_.arn, value)] for name in wanted]
    values = [
        [value.rsplit("/", 1)[-1] if re.match("arn:|https?:", value) else value for value in row] for row in values
    ]
    if not all(values):
        return []
    found = (fill(type_.arn, dict(zip(wanted, row, strict=True)), world) for row in itertools.product(*values))
    # AWS evaluates a call by an alias on its key, which has another ID. It creates its own keys when they are first used.
    return [re.sub(r":key/alias/.+", f":key/{UNNAMED}", world.full_arn(arn)) for arn in found]


def values_of(placeholder: str, call: ApiCall) -> list[str]:
    """The values of a call's parameters for a placeholder of an ARN."""
    names = _PARAMETERS.get(placeholder, (placeholder, f"{placeholder}s"))
    parameters = {name.lower(): value for name, value in call.parameters.items()}
    value = next((parameters[name.lower()] for name in names if parameters.get(name.lower())), None)
    if (
        value is None
        and placeholder == "ClusterName"
        and call.service == "ecs"
        and "resourceArn" not in call.parameters
    ):
        value = "default"
    if value is None:
        value = [text for name, text in leaves(call.parameters) if name == placeholder]
    texts = [str(item) for item in listed(value)]
    # A revision may be appended to the family.
    return [re.sub(r":\d+$", "", text) for text in texts] if placeholder == "TaskDefinitionFamilyName" else texts


def _name_in(text: str) -> str:
    """The part after an ARN's last slash or, without slashes, its last colon. Other text is unchanged."""
    return text.rpartition("/" if "/" in text else ":")[2] if text.startswith("arn:") else text


def fill(pattern: str, values: Mapping[str, str], world: World) -> str:
    """The ARN of a pattern, with `UNNAMED` for placeholders without a value."""
    known = {"Partition": world.partition, "Region": world.region, "Account": world.account, **values}
    return re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], UNNAMED), pattern)


def _placeholders(pattern: str) -> list[str]:
    return [name for name in re.findall(r"\$\{(\w+)\}", pattern) if name not in ("Partition", "Region", "Account")]


def matches(pattern: str, arn: str) -> bool:
    """Whether an ARN has the pattern of a resource type."""
    parts = re.split(r"\$\{\w+\}", pattern)
    return re.fullmatch(".*".join(re.escape(part) for part in parts), arn) is not None


def regional_arn(world: World, service: str, resource: str) -> str:
    """The ARN of a resource in the account and region of `world`."""
    return f"arn:{world.partition}:{service}:{world.region}:{world.account}:{resource}"
