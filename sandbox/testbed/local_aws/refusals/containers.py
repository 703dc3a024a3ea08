"""What ECS, ECR, CloudWatch Logs and EFS refuse."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from typing import Any, Final

from sandbox.testbed.local_aws.refusals.access import key_state
from sandbox.testbed.local_aws.refusals.balancing import balancers_of
from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.networks import group_network, network, subnet
from sandbox.testbed.local_aws.refusals.policies import resource_policy_problem, statements
from sandbox.testbed.local_aws.refusals.row import Refusal

__all__ = ["CONTAINERS"]

_PARAMETERS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MEMORY = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""Fargate's memory in MiB by CPU units."""
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_STOP_TIMEOUT = 120
_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
_PRIORITIES = ("tagPatternList", "tagPrefixList")


def _units(value: Any, unit: str, factor: int) -> int | None:
    """A task's CPU or memory as a number: ``256``, ``.25 vCPU``, ``0.5 GB``; None if it is neither."""
    text = str(value)
    match = re.fullmatch(rf"(\d*\.?\d+)\s*({unit})?", text, re.IGNORECASE)
    if match is None:
        return None
    return int(float(match[1]) * factor) if match[2] else int(text) if text.isdigit() else None


def _fargate(call: Call) -> bool:
    return "FARGATE" in call.each("requiresCompatibilities")


def _size(call: Call) -> bool:
    if not _fargate(call):
        return False
    cpu, memory = _units(call["cpu"], "vcpu", 1024), _units(call["memory"], "gb", 1024)
    return memory not in _MEMORY.get(cpu or 0, ())


def _wrong_number(call: Call) -> str | None:
    units = (("cpu", "vcpu"), ("memory", "gb"))
    return next(
        (name for name, unit in units if call[name] is not None and _units(call[name], unit, 1024) is None), None
    )


def _of_containers(call: Call, problem: Any) -> str | None:
    """The name of the first container of which ``problem`` is true."""
    return next((str(item.get("name")) for item in call.each("containerDefinitions") if problem(item)), None)


def _twice(values: list[Any]) -> Any:
    return next((value for value, number in Counter(values).items() if number > 1), None)


def _unknown_volume(call: Call) -> Any:
    known = call.each("volumes[].name")
    return next(
        (name for name in call.each("containerDefinitions[].mountPoints[].sourceVolume") if name not in known), None
    )


def _unknown_dependency(call: Call) -> Any:
    names = call.each("containerDefinitions[].name")
    wanted = call.each("containerDefinitions[].dependsOn[].containerName")
    return next((name for name in wanted if name not in names), None)


def _cyclic(call: Call) -> bool:
    needs = {
        item.get("name"): {other.get("containerName") for other in item.get("dependsOn") or []}
        for item in call.each("containerDefinitions")
    }
    while free := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in free:
            del needs[name]
    return bool(needs)


def _needs_execution_role(call: Call) -> str | None:
    if not _fargate(call) or call["executionRoleArn"]:
        return None
    if call.each("containerDefinitions[].secrets[]") or call.each(
        "containerDefinitions[].logConfiguration.secretOptions[]"
    ):
        return "container secrets"
    if any(".dkr.ecr." in str(image) for image in call.each("containerDefinitions[].image")):
        return "ECR images"
    return "log driver awslogs" if "awslogs" in call.each("containerDefinitions[].logConfiguration.logDriver") else None


def _same_variable(container: dict[str, Any]) -> Any:
    return _twice([item["name"] for kind in ("environment", "secrets") for item in container.get(kind) or []])


def _other_port(container: dict[str, Any]) -> bool:
    pairs = ((item.get("hostPort"), item.get("containerPort")) for item in container.get("portMappings") or [])
    return any(host not in (None, 0, own) for host, own in pairs)


def _missing_log_option(container: dict[str, Any]) -> bool:
    logs = container.get("logConfiguration") or {}
    return (
        logs.get("logDriver") == "awslogs"
        and not {"awslogs-group", "awslogs-region"} <= (logs.get("options") or {}).keys()
    )


def _efs_problem(call: Call) -> str | None:
    for volume in call.each("volumes[].efsVolumeConfiguration"):
        access = volume.get("authorizationConfig") or {}
        protected = access.get("accessPointId") or access.get("iam") == "ENABLED"
        if protected and volume.get("transitEncryption") != "ENABLED":
            return "transit encryption must be enabled if an access point or IAM authorization is used"
        if access.get("accessPointId") and volume.get("rootDirectory", "/") not in ("", "/"):
            return "rootDirectory must either be omitted or set to / if an access point is used"
    return None


def _cluster_missing(call: Call) -> bool:
    name = call["cluster"] or "default"
    found = call.all("DescribeClusters", "clusters[?status!='INACTIVE'].[clusterName, clusterArn][]", clusters=[name])
    return name not in found


def _service(call: Call, name: Any) -> dict[str, Any]:
    found = call.find("DescribeServices", "services[0]", cluster=call["cluster"] or "default", services=[str(name)])
    return found if found and found.get("status") != "INACTIVE" else {}


def _definition(call: Call) -> dict[str, Any]:
    """The task definition in a call, or of the service in a call; empty if it doesn't exist."""
    named = call["taskDefinition"] or _service(call, call["service"]).get("taskDefinition")
    return call.find("DescribeTaskDefinition", "taskDefinition", taskDefinition=str(named)) or {}


def _definition_missing(call: Call) -> bool:
    return bool(call["taskDefinition"]) and not _definition(call)


def _inactive(call: Call) -> bool:
    return bool(call["taskDefinition"]) and _definition(call).get("status") == "INACTIVE"


def _without_network(call: Call) -> bool:
    if call["service"] and not call["taskDefinition"]:
        return False
    has = call["networkConfiguration"] or _service(call, call["service"]).get("networkConfiguration")
    return not has and _definition(call).get("networkMode") == "awsvpc"


def _lost_subnet(call: Call) -> Any:
    named = call.each("networkConfiguration.awsvpcConfiguration.subnets")
    return next((item for item in named if not subnet(call, item)), None)


def _lost_group(call: Call) -> Any:
    named = call.each("networkConfiguration.awsvpcConfiguration.securityGroups")
    return next((item for item in named if group_network(call, item) is None), None)


def _mixed_networks(call: Call) -> bool:
    network = call["networkConfiguration.awsvpcConfiguration"] or {}
    vpcs = {subnet(call, item).get("VpcId") for item in network.get("subnets") or []}
    return len(vpcs | {group_network(call, item) for item in network.get("securityGroups") or []}) > 1


def _balanced_problem(call: Call) -> str | None:
    """Why a service can't be behind its load balancers."""
    containers = {item["name"]: item for item in _definition(call).get("containerDefinitions", [])}
    for balanced in call.each("loadBalancers"):
        name, port, group = (balanced.get(key) for key in ("containerName", "containerPort", "targetGroupArn"))
        if containers and name not in containers:
            return f"The container {name} does not exist in the task definition."
        mappings = containers.get(name, {}).get("portMappings", [])
        if containers and port not in [item.get("containerPort") for item in mappings]:
            return f"The container {name} did not have a container port {port} defined."
        if not group:
            continue
        found = call.find("elbv2:DescribeTargetGroups", "TargetGroups[0]", TargetGroupArns=[group])
        if not found:
            return f"Unable to assume the service linked role, or the target group {group} does not exist."
        if found.get("TargetType") == "instance" and _definition(call).get("networkMode") == "awsvpc":
            return f"The target group {group} has target type instance, which is incompatible with the network mode awsvpc."
        if balancers_of(call, group) == set():
            return f"The target group with targetGroupArn {group} does not have an associated load balancer."
    return None


def _percentages(call: Call) -> bool:
    given = call["deploymentConfiguration"] or {}
    least, most = given.get("minimumHealthyPercent", 100), given.get("maximumPercent", 200)
    return most < least or (most == least == 100)


def _busy_service(call: Call) -> bool:
    """A service that has to be scaled to zero tasks before it is deleted."""
    service = _service(call, call["service"])
    return not call["force"] and service.get("desiredCount", 0) > 0 and service.get("schedulingStrategy") != "DAEMON"


def _services(call: Call) -> bool:
    names = call.all("ListServices", "serviceArns", cluster=call["cluster"])
    found = (
        call.all("DescribeServices", "services[?status=='ACTIVE']", cluster=call["cluster"], services=names[:10])
        if names
        else []
    )
    return bool(found)


def _unknown_providers(call: Call) -> Any:
    named = [*call.each("capacityProviders"), *call.each("defaultCapacityProviderStrategy[].capacityProvider")]
    others = [name for name in named if name not in _PROVIDERS]
    known = call.all("DescribeCapacityProviders", "capacityProviders[].name") if others else []
    return next((name for name in others if name not in known), None)


def _wrong_lifecycle(call: Call) -> str | None:
    """What ECR refuses of a lifecycle policy: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html."""
    try:
        rules = json.loads(call["lifecyclePolicyText"])["rules"]
        priorities = [rule["rulePriority"] for rule in rules]
        selections = [rule["selection"] for rule in rules]
        actions = [rule["action"]["type"] for rule in rules]
    except (ValueError, TypeError, KeyError):
        return "it has no rules with rulePriority, selection and action"
    if len(priorities) != len(set(priorities)):
        return "rule priorities must be unique"
    for selection in selections:
        tagged = selection.get("tagStatus") == "tagged"
        if tagged != any(selection.get(name) for name in _PRIORITIES):
            return "tagPrefixList or tagPatternList is required with tagStatus tagged, and only with it"
        if selection.get("countType") == "sinceImagePushed" and not selection.get("countUnit"):
            return "countUnit is required with countType sinceImagePushed"
    catches_all = [rule["rulePriority"] for rule in rules if rule["selection"].get("tagStatus") == "any"]
    if catches_all and min(catches_all) != max(priorities):
        return "the rule with tagStatus any must have the highest rulePriority"
    return None if set(actions) <= {"expire", "transition"} else "the action must be expire or transition"


def _wrong_key(call: Call) -> bool:
    return bool(call["kmsKeyId"]) and key_state(call, call["kmsKeyId"]) != "Enabled"


def _wrong_pattern(call: Call) -> bool:
    """A filter pattern of JSON whose brackets aren't closed: the local AWS doesn't parse more."""
    text = str(call["filterPattern"] or "").strip()
    return bool(text) and (text[0] in "{[") != (text[-1] in "}]")


def _lost_destination(call: Call) -> bool:
    """A stream, a function or a queue of the account that doesn't exist."""
    arn = str(call["destinationArn"])
    name = re.split(r"[:/]", arn)[-1]
    if f":{call.account}:" not in arn:
        return False
    if ":firehose:" in arn:
        return not call.find("firehose:DescribeDeliveryStream", "keys(@)", DeliveryStreamName=name)
    if ":kinesis:" in arn:
        return not call.find("kinesis:DescribeStreamSummary", "keys(@)", StreamName=name)
    return ":lambda:" in arn and not call.find("lambda:GetFunction", "keys(@)", FunctionName=arn)


def _files_exist(call: Call) -> bool:
    return bool(call.all("DescribeFileSystems", "FileSystems", CreationToken=call["CreationToken"]))


def _mount_conflict(call: Call) -> str | None:
    own = subnet(call, call["SubnetId"])
    for target in call.all("DescribeMountTargets", "MountTargets", FileSystemId=call["FileSystemId"]):
        other = subnet(call, target["SubnetId"])
        if own and other and other["VpcId"] != own["VpcId"]:
            return "requested subnet for new mount target is not in the same VPC as existing mount targets"
        if own and other and other["AvailabilityZone"] == own["AvailabilityZone"]:
            return "mount target already exists in this AZ"
    return None


def _mount_groups(call: Call) -> Any:
    """A security group of a mount target that doesn't exist in the VPC of its subnet."""
    target = call["MountTargetId"]
    identity = call["SubnetId"] or (
        target and call.find("DescribeMountTargets", "MountTargets[0].SubnetId", MountTargetId=target)
    )
    vpc = subnet(call, identity).get("VpcId")
    return (
        next((item for item in call.each("SecurityGroups") if group_network(call, item) != vpc), None) if vpc else None
    )


def _outside_subnet(call: Call) -> bool:
    block = network(subnet(call, call["SubnetId"]).get("CidrBlock"))
    return block is not None and bool(call["IpAddress"]) and ipaddress.ip_address(call["IpAddress"]) not in block


def _locks_out(call: Call) -> bool:
    """Whether a policy denies everyone to change it: https://docs.aws.amazon.com/efs/latest/ug/API_PutFileSystemPolicy.html."""
    if call["BypassPolicyLockoutSafetyCheck"]:
        return False
    for statement in statements(call["Policy"]):
        actions = statement.get("Action", [])
        listed = [actions] if isinstance(actions, str) else actions
        everyone = statement.get("Principal") in ("*", {"AWS": "*"}) and not statement.get("Condition")
        every = ("*", "elasticfilesystem:*", "elasticfilesystem:PutFileSystemPolicy")
        if statement.get("Effect") == "Deny" and everyone and any(action in every for action in listed):
            return True
    return False


_TASK = "ecs:RegisterTaskDefinition"
_ON_CLUSTER = "ecs:CreateService DeleteCluster RunTask"
_DEPLOYS = "ecs:CreateService UpdateService RunTask"

CONTAINERS: Final = (
    Refusal(
        "ecs:CreateCluster",
        "InvalidParameterException",
        "Cluster name can only contain letters, numbers, underscores and hyphens.",
        lambda c: c["clusterName"] and not _NAME.fullmatch(c["clusterName"]),
    ),
    Refusal(
        "ecs:PutClusterCapacityProviders CreateCluster",
        "InvalidParameterException",
        "The specified capacity provider '{found}' was not found.",
        _unknown_providers,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Family contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, hyphens, and underscores are allowed.",
        lambda c: not _NAME.fullmatch(str(c["family"])),
    ),
    Refusal(_TASK, "ClientException", "Container list cannot be empty.", lambda c: not c.each("containerDefinitions")),
    Refusal(_TASK, "ClientException", "Invalid '{found}' setting for task.", _wrong_number, _PARAMETERS),
    Refusal(
        _TASK,
        "ClientException",
        "Fargate only supports network mode 'awsvpc'.",
        lambda c: _fargate(c) and c["networkMode"] != "awsvpc",
        _PARAMETERS,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.",
        _size,
        _PARAMETERS,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Fargate requires task definition to have execution role ARN to support {found}.",
        _needs_execution_role,
        _PARAMETERS,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Duplicate container name: {found}",
        lambda c: _twice(c.each("containerDefinitions[].name")),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "At least one container in a task definition must be essential.",
        lambda c: all(item.get("essential") is False for item in c.each("containerDefinitions")),
    ),
    Refusal(_TASK, "ClientException", "Duplicate volume name: {found}", lambda c: _twice(c.each("volumes[].name"))),
    Refusal(_TASK, "ClientException", "Unknown volume '{found}'.", _unknown_volume),
    Refusal(_TASK, "ClientException", "The container dependency '{found}' does not exist.", _unknown_dependency),
    Refusal(
        _TASK, "ClientException", "The task definition has a cycle of container dependencies.", _cyclic, _PARAMETERS
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Invalid setting for container '{found}'. 'memoryReservation' must be less than or equal to 'memory'.",
        lambda c: _of_containers(
            c, lambda item: item.get("memory") and item.get("memoryReservation", 0) > item["memory"]
        ),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Invalid 'memory' setting for container '{found}': it is greater than the memory of the task.",
        lambda c: _of_containers(c, lambda item: item.get("memory", 0) > (_units(c["memory"], "gb", 1024) or 1 << 40)),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Invalid 'cpu' setting for task: its containers have more.",
        lambda c: sum(c.each("containerDefinitions[].cpu")) > (_units(c["cpu"], "vcpu", 1024) or 1 << 40),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "The secret name must be unique and not shared with any new or existing environment variables set on the container '{found}'.",
        lambda c: _of_containers(c, _same_variable),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match: container '{found}'.",
        lambda c: c["networkMode"] == "awsvpc" and _of_containers(c, _other_port),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Log driver awslogs requires options: awslogs-region, awslogs-group: container '{found}'.",
        lambda c: _of_containers(c, _missing_log_option),
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Fargate compatible task definitions do not support log driver of container '{found}'.",
        lambda c: (
            _fargate(c)
            and _of_containers(
                c, lambda item: (item.get("logConfiguration") or {}).get("logDriver", "awslogs") not in _LOG_DRIVERS
            )
        ),
        _PARAMETERS,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Fargate compatible task definitions do not support privileged: container '{found}'.",
        lambda c: _fargate(c) and _of_containers(c, lambda item: item.get("privileged")),
        _PARAMETERS,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Invalid 'stopTimeout' setting for container '{found}': the maximum on Fargate is 120.",
        lambda c: _fargate(c) and _of_containers(c, lambda item: item.get("stopTimeout", 0) > _STOP_TIMEOUT),
        _PARAMETERS,
    ),
    Refusal(
        _TASK,
        "ClientException",
        "Fargate compatible task definitions do not support sourcePath.",
        lambda c: _fargate(c) and c.each("volumes[].host.sourcePath"),
        _PARAMETERS,
    ),
    Refusal(_TASK, "ClientException", "Invalid efsVolumeConfiguration: {found}", _efs_problem),
    Refusal(
        _TASK,
        "ClientException",
        "Invalid ephemeralStorage: sizeInGiB must be from 21 to 200.",
        lambda c: c["ephemeralStorage"] and not 21 <= c["ephemeralStorage"]["sizeInGiB"] <= 200,
    ),
    Refusal(_ON_CLUSTER, "ClusterNotFoundException", "Cluster not found.", _cluster_missing),
    Refusal(
        "ecs:CreateService",
        "InvalidParameterException",
        "Service name can only contain letters, numbers, underscores and hyphens.",
        lambda c: not _NAME.fullmatch(str(c["serviceName"])),
    ),
    Refusal(
        "ecs:CreateService",
        "InvalidParameterException",
        "Creation of service was not idempotent.",
        lambda c: _service(c, c["serviceName"]),
    ),
    Refusal(
        "ecs:CreateService RunTask",
        "InvalidParameterException",
        "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        lambda c: c["launchType"] and c["capacityProviderStrategy"],
    ),
    Refusal(
        "ecs:CreateService UpdateService",
        "InvalidParameterException",
        "Desired count cannot be negative.",
        lambda c: (c["desiredCount"] or 0) < 0,
    ),
    Refusal(_DEPLOYS, "InvalidParameterException", "TaskDefinition not found.", _definition_missing),
    Refusal(_DEPLOYS, "InvalidParameterException", "TaskDefinition is inactive", _inactive),
    Refusal(
        _DEPLOYS,
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        _without_network,
    ),
    Refusal(
        _DEPLOYS,
        "InvalidParameterException",
        "Error retrieving subnet information for [{found}]: The subnet ID '{found}' does not exist",
        _lost_subnet,
    ),
    Refusal(
        _DEPLOYS,
        "InvalidParameterException",
        "Error retrieving security group information for [{found}]: The security group '{found}' does not exist",
        _lost_group,
    ),
    Refusal(
        _DEPLOYS, "InvalidParameterException", "Security groups and subnets must belong to one VPC.", _mixed_networks
    ),
    Refusal("ecs:CreateService UpdateService", "InvalidParameterException", "{found}", _balanced_problem),
    Refusal(
        "ecs:CreateService",
        "InvalidParameterException",
        "Health check grace period is only valid for services configured to use load balancers",
        lambda c: c["healthCheckGracePeriodSeconds"] and not c["loadBalancers"],
    ),
    Refusal(
        "ecs:CreateService UpdateService",
        "InvalidParameterException",
        "The maximumPercent must be greater than the minimumHealthyPercent, because tasks could not be replaced.",
        _percentages,
    ),
    Refusal(
        "ecs:DeleteService",
        "InvalidParameterException",
        "The service cannot be stopped while it is scaled above 0.",
        _busy_service,
    ),
    Refusal(
        "ecs:DeleteCluster",
        "ClusterContainsServicesException",
        "The Cluster cannot be deleted while Services are active.",
        _services,
    ),
    Refusal(
        "ecr:PutLifecyclePolicy",
        "InvalidParameterException",
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{found}'",
        _wrong_lifecycle,
    ),
    Refusal(
        "ecr:SetRepositoryPolicy",
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: '{found}'",
        lambda c: (
            c.find("DescribeRepositories", "repositories", repositoryNames=[c["repositoryName"]])
            and resource_policy_problem(c, c["policyText"], resources=False)
        ),
    ),
    Refusal(
        "logs:CreateLogGroup AssociateKmsKey",
        "InvalidParameterException",
        "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:::{logGroupName}'",
        _wrong_key,
    ),
    Refusal(
        "logs:PutMetricFilter PutSubscriptionFilter",
        "InvalidParameterException",
        "Invalid filter pattern",
        _wrong_pattern,
    ),
    Refusal(
        "logs:PutSubscriptionFilter",
        "InvalidParameterException",
        "Could not deliver test message to specified destination. Check if the destination is valid.",
        _lost_destination,
    ),
    Refusal(
        "efs:CreateFileSystem",
        "FileSystemAlreadyExists",
        "File system already exists with creation token {CreationToken}",
        _files_exist,
    ),
    Refusal(
        "efs:CreateFileSystem",
        "BadRequest",
        "KMS key ID can only be specified if encryption is enabled",
        lambda c: c["KmsKeyId"] and not c["Encrypted"],
    ),
    Refusal(
        "efs:CreateFileSystem UpdateFileSystem",
        "BadRequest",
        "ProvisionedThroughputInMibps is required with the throughput mode provisioned, and only with it",
        lambda c: (
            c["ThroughputMode"] and (c["ThroughputMode"] == "provisioned") != bool(c["ProvisionedThroughputInMibps"])
        ),
    ),
    Refusal(
        "efs:CreateFileSystem",
        "BadRequest",
        "Elastic throughput is only supported for the performance mode generalPurpose",
        lambda c: (c["ThroughputMode"], c["PerformanceMode"]) == ("elastic", "maxIO"),
    ),
    Refusal("efs:CreateMountTarget", "MountTargetConflict", "{found}", _mount_conflict),
    Refusal(
        "efs:CreateMountTarget ModifyMountTargetSecurityGroups",
        "SecurityGroupNotFound",
        "The security group '{found}' doesn't exist in the subnet's virtual private cloud (VPC).",
        _mount_groups,
    ),
    Refusal(
        "efs:CreateMountTarget",
        "BadRequest",
        "Address {IpAddress} does not fall within the subnet's address range",
        _outside_subnet,
    ),
    Refusal(
        "efs:PutLifecycleConfiguration",
        "BadRequest",
        "Each LifecyclePolicy object can have one transition only",
        lambda c: any(len(item) > 1 for item in c.each("LifecyclePolicies")),
    ),
    Refusal(
        "efs:CreateAccessPoint",
        "AccessPointAlreadyExists",
        "Access point already exists with client token {ClientToken}",
        lambda c: c["ClientToken"] in c.all("DescribeAccessPoints", "AccessPoints[].ClientToken"),
    ),
    Refusal(
        "efs:PutFileSystemPolicy",
        "InvalidPolicyException",
        "{found}",
        lambda c: resource_policy_problem(c, c["Policy"], resources=False),
    ),
    Refusal(
        "efs:PutFileSystemPolicy",
        "InvalidPolicyException",
        "The policy would prevent the principal that makes the request from making a subsequent PutFileSystemPolicy request",
        _locks_out,
    ),
)
