"""What ECS, ECR, CloudWatch Logs and EFS refuse."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from sandbox.testbed.local_aws.refusals.access import key_state
from sandbox.testbed.local_aws.refusals.balancing import balancers_of
from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.networks import group_network, network, subnet
from sandbox.testbed.local_aws.refusals.policies import resource_policy_problem

__all__ = ["key_state"]

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


def _units(value: Any, unit: str, factor: int) -> int | None:
    """A task's CPU or memory as a number: ``256``, ``.25 vCPU``, ``0.5 GB``; None if it is neither."""
    text = str(value)
    match = re.fullmatch(rf"(\d*\.?\d+)\s*({unit})?", text, re.IGNORECASE)
    if match is None:
        return None
    return int(float(match[1]) * factor) if match[2] else int(text) if text.isdigit() else None


def fargate(call: Call) -> bool:
    return "FARGATE" in call.each("requiresCompatibilities")


def size(call: Call) -> bool:
    if not fargate(call):
        return False
    cpu, memory = _units(call["cpu"], "vcpu", 1024), _units(call["memory"], "gb", 1024)
    return memory not in _MEMORY.get(cpu or 0, ())


def wrong_number(call: Call) -> str | None:
    units = (("cpu", "vcpu"), ("memory", "gb"))
    return next(
        (name for name, unit in units if call[name] is not None and _units(call[name], unit, 1024) is None), None
    )


def larger_container(call: Call) -> str | None:
    """A container with more memory than the task."""
    most = _units(call["memory"], "gb", 1024) or 1 << 40
    return next((item["name"] for item in call.each("containerDefinitions") if item.get("memory", 0) > most), None)


def too_much_cpu(call: Call) -> bool:
    return sum(call.each("containerDefinitions[].cpu")) > (_units(call["cpu"], "vcpu", 1024) or 1 << 40)


def policy_problem(call: Call, document: Any) -> str | None:
    """What a service whose statements need no resource refuses."""
    return resource_policy_problem(call, document, resources=False)


def cyclic(call: Call) -> bool:
    needs = {
        item.get("name"): {other.get("containerName") for other in item.get("dependsOn") or []}
        for item in call.each("containerDefinitions")
    }
    while free := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in free:
            del needs[name]
    return bool(needs)


def service(call: Call, name: Any) -> dict[str, Any]:
    found = call.find("DescribeServices", "services[0]", cluster=call["cluster"] or "default", services=[str(name)])
    return found if found and found.get("status") != "INACTIVE" else {}


def definition(call: Call) -> dict[str, Any]:
    """The task definition in a call, or of the service in a call; empty if it doesn't exist."""
    named = call["taskDefinition"] or service(call, call["service"]).get("taskDefinition")
    return call.find("DescribeTaskDefinition", "taskDefinition", taskDefinition=str(named)) or {}


def without_network(call: Call) -> bool:
    if call["service"] and not call["taskDefinition"]:
        return False
    has = call["networkConfiguration"] or service(call, call["service"]).get("networkConfiguration")
    return not has and definition(call).get("networkMode") == "awsvpc"


def mixed_networks(call: Call) -> bool:
    network = call["networkConfiguration.awsvpcConfiguration"] or {}
    vpcs = {subnet(call, item).get("VpcId") for item in network.get("subnets") or []}
    return len(vpcs | {group_network(call, item) for item in network.get("securityGroups") or []}) > 1


def balanced_problem(call: Call) -> str | None:
    """Why a service can't be behind its load balancers."""
    containers = {item["name"]: item for item in definition(call).get("containerDefinitions", [])}
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
        if found.get("TargetType") == "instance" and definition(call).get("networkMode") == "awsvpc":
            return f"The target group {group} has target type instance, which is incompatible with the network mode awsvpc."
        if balancers_of(call, group) == set():
            return f"The target group with targetGroupArn {group} does not have an associated load balancer."
    return None


def wrong_pattern(call: Call) -> bool:
    """A filter pattern of JSON whose brackets aren't closed: the local AWS doesn't parse more."""
    text = str(call["filterPattern"] or "").strip()
    return bool(text) and (text[0] in "{[") != (text[-1] in "}]")


def lost_destination(call: Call) -> bool:
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


def mount_conflict(call: Call) -> str | None:
    own = subnet(call, call["SubnetId"])
    for target in call.all("DescribeMountTargets", "MountTargets", FileSystemId=call["FileSystemId"]):
        other = subnet(call, target["SubnetId"])
        if own and other and other["VpcId"] != own["VpcId"]:
            return "requested subnet for new mount target is not in the same VPC as existing mount targets"
        if own and other and other["AvailabilityZone"] == own["AvailabilityZone"]:
            return "mount target already exists in this AZ"
    return None


def mount_groups(call: Call) -> Any:
    """A security group of a mount target that doesn't exist in the VPC of its subnet."""
    target = call["MountTargetId"]
    identity = call["SubnetId"] or (
        target and call.find("DescribeMountTargets", "MountTargets[0].SubnetId", MountTargetId=target)
    )
    vpc = subnet(call, identity).get("VpcId")
    return (
        next((item for item in call.each("SecurityGroups") if group_network(call, item) != vpc), None) if vpc else None
    )


def outside_subnet(call: Call) -> bool:
    block = network(subnet(call, call["SubnetId"]).get("CidrBlock"))
    return block is not None and bool(call["IpAddress"]) and ipaddress.ip_address(call["IpAddress"]) not in block
