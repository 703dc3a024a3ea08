"""What code in the task must not do to Atlantis itself: every call made with the task role's own credentials."""

import pytest

from tests.sandbox.permissions.calls import (
    ADMINISTRATOR,
    ALL,
    BY_STATEMENT,
    EVERYBODY,
    MANIFEST,
    NAMES,
    OWN_STACK,
    TRUST,
    Actor,
    Call,
    call,
)

ATLANTIS_ITSELF = [
    call("reads the GitHub App's secret", "secretsmanager.get_secret_value", SecretId="{app secret}"),
    call("reads the webhook secret", "secretsmanager.get_secret_value", SecretId="{webhook secret}"),
    call(
        "reads the GitHub App's secret by its name", "secretsmanager.get_secret_value", SecretId=NAMES.github_app_secret
    ),
    call(
        "replaces the GitHub App's secret",
        "secretsmanager.put_secret_value",
        SecretId="{app secret}",
        SecretString="{}",
    ),
    call(
        "opens the GitHub App's secret",
        "secretsmanager.put_resource_policy",
        SecretId="{app secret}",
        ResourcePolicy=EVERYBODY,
    ),
    call("closes the secret's policy", "secretsmanager.delete_resource_policy", SecretId="{webhook secret}"),
    call("deletes the webhook secret", "secretsmanager.delete_secret", SecretId="{webhook secret}"),
    call("looks at its own policies", "iam.list_role_policies", RoleName=NAMES.task_role),
    call("looks at its own attached policies", "iam.list_attached_role_policies", RoleName=NAMES.task_role),
    call(
        "widens its own policy", "iam.put_role_policy", RoleName=NAMES.task_role, PolicyName="all", PolicyDocument=ALL
    ),
    call("removes its own refusals", "iam.detach_role_policy", RoleName=NAMES.task_role, PolicyArn=OWN_STACK),
    call("makes itself an administrator", "iam.attach_role_policy", RoleName=NAMES.task_role, PolicyArn=ADMINISTRATOR),
    call("drops its own boundary", "iam.delete_role_permissions_boundary", RoleName=NAMES.task_role),
    call(
        "replaces its own boundary",
        "iam.put_role_permissions_boundary",
        RoleName=NAMES.task_role,
        PermissionsBoundary=ADMINISTRATOR,
    ),
    call(
        "trusts others with its own role",
        "iam.update_assume_role_policy",
        RoleName=NAMES.task_role,
        PolicyDocument=EVERYBODY,
    ),
    call("deletes its own role", "iam.delete_role", RoleName=NAMES.task_role),
    call("untags its own role", "iam.untag_role", RoleName=NAMES.task_role, TagKeys=["Service"]),
    call(
        "widens the execution role",
        "iam.put_role_policy",
        RoleName=NAMES.execution_role,
        PolicyName="all",
        PolicyDocument=ALL,
    ),
    call(
        "makes the execution role an administrator",
        "iam.attach_role_policy",
        RoleName=NAMES.execution_role,
        PolicyArn=ADMINISTRATOR,
    ),
    call(
        "trusts itself with the execution role",
        "iam.update_assume_role_policy",
        RoleName=NAMES.execution_role,
        PolicyDocument=TRUST,
    ),
    call(
        "trusts itself with the role that deploys it",
        "iam.update_assume_role_policy",
        RoleName="atlantis-deployer",
        PolicyDocument=TRUST,
    ),
    call("stops its own service", "ecs.update_service", cluster=NAMES.base, service=NAMES.base, desiredCount=0),
    call(
        "runs another definition in its own service",
        "ecs.update_service",
        cluster=NAMES.base,
        service=NAMES.base,
        taskDefinition="payments",
    ),
    call("deletes its own service", "ecs.delete_service", cluster=NAMES.base, service=NAMES.base, force=True),
    call("stops its own task", "ecs.stop_task", cluster=NAMES.base, task="0" * 32),
    call("runs a second task on its own cluster", "ecs.run_task", cluster=NAMES.base, taskDefinition=NAMES.base),
    call(
        "opens a shell in its own task",
        "ecs.execute_command",
        cluster=NAMES.base,
        task="0" * 32,
        command="sh",
        interactive=True,
    ),
    call(
        "makes another service on its own cluster",
        "ecs.create_service",
        cluster=NAMES.base,
        serviceName="more",
        taskDefinition="payments",
    ),
    call("deletes its own cluster", "ecs.delete_cluster", cluster=NAMES.base),
    call(
        "turns off its own cluster's insights",
        "ecs.update_cluster_settings",
        cluster=NAMES.base,
        settings=[{"name": "containerInsights", "value": "disabled"}],
    ),
    call(
        "replaces its own image", "ecr.put_image", repositoryName="atlantis", imageManifest=MANIFEST, imageTag="v0.47.1"
    ),
    call("uploads a layer of its own image", "ecr.initiate_layer_upload", repositoryName="atlantis"),
    call("deletes its own repository", "ecr.delete_repository", repositoryName="atlantis", force=True),
    call("opens its own repository", "ecr.set_repository_policy", repositoryName="atlantis", policyText=EVERYBODY),
    call(
        "lets its own tags be overwritten",
        "ecr.put_image_tag_mutability",
        repositoryName="atlantis",
        imageTagMutability="MUTABLE",
    ),
    call("deletes its own log", "logs.delete_log_group", logGroupName=NAMES.log_group),
    call("lets its own log expire", "logs.put_retention_policy", logGroupName=NAMES.log_group, retentionInDays=1),
    call("deletes its own load balancer", "elbv2.delete_load_balancer", LoadBalancerArn="{load balancer}"),
    call(
        "opens its own listener",
        "elbv2.modify_listener",
        ListenerArn="{https listener}",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": "{target group}"}],
    ),
    call(
        "adds a rule to its own listener",
        "elbv2.create_rule",
        ListenerArn="{https listener}",
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": "{target group}"}],
    ),
    call(
        "leads its own target group elsewhere",
        "elbv2.register_targets",
        TargetGroupArn="{target group}",
        Targets=[{"Id": "10.0.0.9"}],
    ),
    call(
        "puts its own load balancer into other groups",
        "elbv2.set_security_groups",
        LoadBalancerArn="{load balancer}",
        SecurityGroups=["{security group}"],
    ),
    call("reads its own log", "logs.get_log_events", logGroupName=NAMES.log_group, logStreamName="task"),
]
"""Refused by a statement, as the prefix `atlantis-` alone would allow some, and another policy may one day allow others."""


@pytest.mark.parametrize("wanted", ATLANTIS_ITSELF, ids=str)
def test_task_can_not_touch_atlantis_itself(task: Actor, wanted: Call):
    assert BY_STATEMENT in task.refusal(wanted)


ACCESS_LOG = [
    call("reads the load balancer's log", "s3.get_object", Bucket=NAMES.access_log_bucket, Key="AWSLogs/x"),
    call("deletes the load balancer's log", "s3.delete_object", Bucket=NAMES.access_log_bucket, Key="AWSLogs/x"),
]
"""Refused because no policy allows them: `terraformStateBuckets` accepts no log bucket."""


@pytest.mark.parametrize("wanted", ACCESS_LOG, ids=str)
def test_task_has_no_access_to_the_load_balancers_log(task: Actor, wanted: Call):
    assert "no identity-based policy allows" in task.refusal(wanted)
