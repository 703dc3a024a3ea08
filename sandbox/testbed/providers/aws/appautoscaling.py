"""Scaling of ECS services: the range of a service, and the policies that choose within it."""

from __future__ import annotations

from sandbox.testbed.providers.aws.base import AwsResource, only


class Target(AwsResource):
    """The range of a service's tasks. RegisterScalableTarget creates it, or updates an existing one."""

    sdk_name = "aws:appautoscaling/target:Target"

    def tag_target(self, identity: str) -> str:
        found = self.client.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[identity])
        return only(found["ScalableTargets"])["ScalableTargetARN"]
