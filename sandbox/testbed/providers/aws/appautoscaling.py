"""Scaling of ECS services: the range of a service, and the policies that choose within it."""

from __future__ import annotations

from typing import ClassVar

from sandbox.testbed.providers.aws.base import AwsResource, only
from sandbox.testbed.providers.aws.calls import Call, Tagging
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.resource import names

_ECS = {"serviceNamespace": ("ecs",), "scalableDimension": ("ecs:service:DesiredCount",)}


class Target(AwsResource):
    """The range of a service's tasks. RegisterScalableTarget creates it, or updates an existing one."""

    sdk_name = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    operation, named = "RegisterScalableTarget", "{resourceId}"
    described: ClassVar = Call(
        "describe_scalable_targets", "ResourceIds", "ScalableTargets[0]", more={"ServiceNamespace": "ecs"}
    )
    deleted: ClassVar = Call("deregister_scalable_target")
    tagging: ClassVar = Tagging("ResourceARN")
    listing: ClassVar = Listing(
        "describe_scalable_targets", "ScalableTargets[].ResourceId", arguments={"ServiceNamespace": "ecs"}
    )
    choices: ClassVar = _ECS
    refused: ClassVar = names("suspendedState")
    in_place: ClassVar = names("minCapacity maxCapacity roleArn")
    outputs: ClassVar = ("roleArn",)
    shown: ClassVar = {"arn": "ScalableTargetARN"}

    def tag_target(self, identity: str) -> str:
        found = self.client.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[identity])
        return only(found["ScalableTargets"])["ScalableTargetARN"]


class Policy(AwsResource):
    """A policy of target tracking. PutScalingPolicy creates it, or updates the one of this name."""

    sdk_name = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    operation, named = "PutScalingPolicy", "{name}"
    described: ClassVar = Call("describe_scaling_policies", path="ScalingPolicies[?PolicyName=='{name}'] | [0]")
    deleted: ClassVar = Call("delete_scaling_policy")
    renamed: ClassVar = {"name": "PolicyName"}
    choices: ClassVar = {**_ECS, "policyType": ("TargetTrackingScaling",)}
    refused: ClassVar = names("stepScalingPolicyConfiguration predictiveScalingPolicyConfiguration")
    in_place: ClassVar = names("targetTrackingScalingPolicyConfiguration")
    shown: ClassVar = {"arn": "PolicyARN", "alarmArns": "Alarms[].AlarmARN"}
