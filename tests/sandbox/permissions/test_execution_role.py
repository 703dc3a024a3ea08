"""What ECS may do to start the task, and nothing more: every call made with the execution role's own credentials."""

import pytest

from tests.sandbox.permissions.calls import (
    ADMINISTRATOR,
    ALL,
    BY_DEFAULT,
    BY_STATEMENT,
    KEY,
    LOCKS,
    MANIFEST,
    NAMES,
    STATE,
    Actor,
    Call,
    call,
)

TO_START = [
    call("reads the GitHub App's secret", "secretsmanager.get_secret_value", SecretId="{app secret}"),
    call("reads the webhook secret", "secretsmanager.get_secret_value", SecretId="{webhook secret}"),
    call("logs in to the registry", "ecr.get_authorization_token"),
    call("pulls the image", "ecr.batch_get_image", repositoryName="atlantis", imageIds=[{"imageTag": "v0.47.1"}]),
    call(
        "looks for layers",
        "ecr.batch_check_layer_availability",
        repositoryName="atlantis",
        layerDigests=[f"sha256:{'0' * 64}"],
    ),
    call("opens a log stream", "logs.create_log_stream", logGroupName=NAMES.log_group, logStreamName="atlantis/start"),
    call(
        "writes to the log",
        "logs.put_log_events",
        logGroupName=NAMES.log_group,
        logStreamName="atlantis/start",
        logEvents=[{"timestamp": 1, "message": "x"}],
    ),
]

NOT_TO_START = [
    call("reads another secret", "secretsmanager.get_secret_value", SecretId="{payments secret}"),
    call("reads many secrets at once", "secretsmanager.batch_get_secret_value", SecretIdList=["{app secret}"]),
    call(
        "replaces the GitHub App's secret",
        "secretsmanager.put_secret_value",
        SecretId="{app secret}",
        SecretString="{}",
    ),
    call("deletes the webhook secret", "secretsmanager.delete_secret", SecretId="{webhook secret}"),
    call("lists secrets", "secretsmanager.list_secrets"),
    call(
        "decrypts with the key of its secrets by itself", "kms.decrypt", KeyId="{secrets key}", CiphertextBlob=b"cipher"
    ),
    call("decrypts with another key", "kms.decrypt", CiphertextBlob="{payments cipher}"),
    call("decrypts with the key of the files", "kms.decrypt", KeyId="{files key}", CiphertextBlob=b"cipher"),
    call("reads Terraform's state", "s3.get_object", Bucket=STATE, Key="stack/state"),
    call("takes Terraform's lock", "dynamodb.put_item", TableName=LOCKS, Item=KEY),
    call("replaces the image", "ecr.put_image", repositoryName="atlantis", imageManifest=MANIFEST, imageTag="v0.47.1"),
    call("deletes the repository", "ecr.delete_repository", repositoryName="atlantis", force=True),
    call("deletes the log", "logs.delete_log_group", logGroupName=NAMES.log_group),
    call("makes a log group", "logs.create_log_group", logGroupName="/ecs/other"),
    call("stops the service", "ecs.update_service", cluster=NAMES.base, service=NAMES.base, desiredCount=0),
    call(
        "makes itself an administrator",
        "iam.attach_role_policy",
        RoleName=NAMES.execution_role,
        PolicyArn=ADMINISTRATOR,
    ),
    call(
        "widens its own policy",
        "iam.put_role_policy",
        RoleName=NAMES.execution_role,
        PolicyName="all",
        PolicyDocument=ALL,
    ),
    call("takes on the task role", "sts.assume_role", RoleArn=NAMES.task_role_arn, RoleSessionName="start"),
    call("looks at the network", "ec2.describe_subnets"),
    call("looks at the files", "efs.describe_file_systems"),
]


@pytest.mark.parametrize("wanted", TO_START, ids=str)
def test_execution_role_can_start_the_task(starter: Actor, wanted: Call):
    assert starter.refusal(wanted) == ""


@pytest.mark.parametrize("wanted", NOT_TO_START, ids=str)
def test_execution_role_can_do_nothing_else(starter: Actor, wanted: Call):
    refusal = starter.refusal(wanted)
    assert BY_DEFAULT in refusal or BY_STATEMENT in refusal
