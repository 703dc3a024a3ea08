"""Credentials of the task's two roles."""

from botocore.exceptions import ClientError

from sandbox.testbed.containers.deployed_service import Credentials, DeployedService, refusal
from sandbox.testbed.containers.errors import TaskStartError


def assume(deployment: DeployedService, role: str, task: str) -> Credentials:
    """Assume ``role`` for ``task``, as the ECS service does; raises ``TaskStartError`` if the role can't be assumed."""
    try:
        answer = deployment.client("sts").assume_role(RoleArn=role, RoleSessionName=task)["Credentials"]
    except ClientError as problem:
        raise TaskStartError(
            f"ECS can't assume {role} ({refusal(problem)}): the role must exist and its trust policy must allow "
            "ecs-tasks.amazonaws.com"
        ) from problem
    return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"])
