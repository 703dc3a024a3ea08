"""What code in the task may do to what isn't Atlantis: every call made with the task role's own credentials.

A plan runs what a pull request brings, so these tables are what a malicious pull request could do. Where the local AWS looks
at less than AWS does, `test_conditions.py` says so and looks at the policy instead.
"""

import pytest

from sandbox.testbed.local_aws import ACCOUNT, REGION
from tests.sandbox.permissions.calls import (
    ADMINISTRATOR,
    ALL,
    BOUNDARY,
    BY_DEFAULT,
    BY_STATEMENT,
    EVERYBODY,
    KEY,
    LOCKS,
    NAMES,
    OWN_STACK,
    STATE,
    TRUST,
    Actor,
    Call,
    call,
)

OFFICE = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}]

OF_OTHERS = [
    call("reads another secret", "secretsmanager.get_secret_value", SecretId="{payments secret}"),
    call(
        "reads many secrets at once",
        "secretsmanager.batch_get_secret_value",
        SecretIdList=["{payments secret}", "{app secret}"],
    ),
    call("deletes another secret", "secretsmanager.delete_secret", SecretId="{payments secret}"),
    call("makes a secret outside the prefixes", "secretsmanager.create_secret", Name="payments/new", SecretString="{}"),
    call("reads another bucket", "s3.get_object", Bucket="payments-data", Key="ledger"),
    call("writes to another bucket", "s3.put_object", Bucket="payments-data", Key="ledger", Body=b""),
    call("lists another bucket", "s3.list_objects_v2", action="s3:ListBucket", Bucket="payments-data"),
    call("lists all buckets", "s3.list_buckets", action="s3:ListAllMyBuckets"),
    call("deletes the state bucket", "s3.delete_bucket", Bucket=STATE),
    call("opens the state bucket", "s3.put_bucket_policy", Bucket=STATE, Policy=EVERYBODY),
    call(
        "turns off the state's versions",
        "s3.put_bucket_versioning",
        Bucket=STATE,
        VersioningConfiguration={"Status": "Suspended"},
    ),
    call("lists the state's old versions", "s3.list_object_versions", action="s3:ListBucketVersions", Bucket=STATE),
    call(
        "deletes an old version of the state",
        "s3.delete_object",
        action="s3:DeleteObjectVersion",
        Bucket=STATE,
        Key="k",
        VersionId="1",
    ),
    call("silences the alarms on itself", "cloudwatch.disable_alarm_actions", AlarmNames=[NAMES.alarm("unreachable")]),
    call("deletes the alarms on itself", "cloudwatch.delete_alarms", AlarmNames=[NAMES.alarm("unreachable")]),
    call("deletes the topic of the alarms", "sns.delete_topic", TopicArn=NAMES.arn("sns", "platform-alarms")),
    call("takes the web ACL away", "wafv2.disassociate_web_acl", ResourceArn="{load balancer}"),
    call("reads another table", "dynamodb.get_item", TableName="payments", Key=KEY),
    call("reads all locks", "dynamodb.scan", TableName=LOCKS),
    call("deletes the lock table", "dynamodb.delete_table", TableName=LOCKS),
    call("decrypts with another key", "kms.decrypt", CiphertextBlob="{payments cipher}"),
    call("decrypts with the key of its secrets", "kms.decrypt", KeyId="{secrets key}", CiphertextBlob=b"cipher"),
    call("encrypts with the key of its image", "kms.encrypt", KeyId="{image key}", Plaintext=b"text"),
    call("uses the key of the state without S3", "kms.generate_data_key", KeyId="{state key}", KeySpec="AES_256"),
    call("opens the key of the state", "kms.put_key_policy", KeyId="{state key}", Policy=EVERYBODY),
    call("opens the key of its secrets", "kms.put_key_policy", KeyId="{secrets key}", Policy=EVERYBODY),
    call(
        "grants itself the key of its secrets",
        "kms.create_grant",
        KeyId="{secrets key}",
        GranteePrincipal=NAMES.task_role_arn,
        Operations=["Decrypt"],
    ),
    call("deletes the key of its files", "kms.schedule_key_deletion", KeyId="{files key}", PendingWindowInDays=7),
    call("turns off the key of its files", "kms.disable_key", KeyId="{files key}"),
    call(
        "makes a role outside the prefixes",
        "iam.create_role",
        RoleName="payments-new",
        AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=BOUNDARY,
    ),
    call(
        "makes a role without the boundary", "iam.create_role", RoleName="fileflow-new", AssumeRolePolicyDocument=TRUST
    ),
    call(
        "makes a role under another boundary",
        "iam.create_role",
        RoleName="fileflow-new",
        AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=ADMINISTRATOR,
    ),
    call(
        "makes another role an administrator",
        "iam.attach_role_policy",
        RoleName="payments-admin",
        PolicyArn=ADMINISTRATOR,
    ),
    call("widens another role", "iam.put_role_policy", RoleName="payments-admin", PolicyName="all", PolicyDocument=ALL),
    call(
        "trusts itself with another role",
        "iam.update_assume_role_policy",
        RoleName="payments-admin",
        PolicyDocument=EVERYBODY,
    ),
    call(
        "trusts itself with a managed role",
        "iam.update_assume_role_policy",
        RoleName="fileflow-unbounded",
        PolicyDocument=EVERYBODY,
    ),
    call(
        "makes a managed role without a boundary an administrator",
        "iam.attach_role_policy",
        RoleName="fileflow-unbounded",
        PolicyArn=ADMINISTRATOR,
    ),
    call("drops a managed role's boundary", "iam.delete_role_permissions_boundary", RoleName="fileflow-worker"),
    call(
        "replaces a managed role's boundary",
        "iam.put_role_permissions_boundary",
        RoleName="fileflow-worker",
        PermissionsBoundary=ADMINISTRATOR,
    ),
    call("widens the boundary", "iam.create_policy_version", PolicyArn=BOUNDARY, PolicyDocument=ALL, SetAsDefault=True),
    call("reads its own policy", "iam.get_policy_version", PolicyArn=OWN_STACK, VersionId="v1"),
    call(
        "rewrites its own refusals",
        "iam.create_policy_version",
        PolicyArn=OWN_STACK,
        PolicyDocument=ALL,
        SetAsDefault=True,
    ),
    call("deletes its own refusals", "iam.delete_policy", PolicyArn=OWN_STACK),
    call("makes a policy", "iam.create_policy", PolicyName="fileflow-all", PolicyDocument=ALL),
    call("makes a user", "iam.create_user", UserName="fileflow-user"),
    call("makes an access key", "iam.create_access_key", UserName="administrator"),
    call("takes on another role", "sts.assume_role", RoleArn=NAMES.role_arn("payments-admin"), RoleSessionName="plan"),
    call("takes on the execution role", "sts.assume_role", RoleArn=NAMES.execution_role_arn, RoleSessionName="plan"),
    call("stops another service", "ecs.update_service", cluster="payments", service="payments", desiredCount=0),
    call("runs a task on another cluster", "ecs.run_task", cluster="payments", taskDefinition="payments"),
    call("deletes another repository", "ecr.delete_repository", repositoryName="payments", force=True),
    call("deletes another log", "logs.delete_log_group", logGroupName="/ecs/payments"),
    call("deletes its own files", "efs.delete_file_system", FileSystemId="{file system}"),
    call("opens its own files", "efs.put_file_system_policy", FileSystemId="{file system}", Policy=EVERYBODY),
    call(
        "makes another way to its own files",
        "efs.create_access_point",
        ClientToken="plan",
        FileSystemId="{file system}",
    ),
    call("deletes the way to its own files", "efs.delete_access_point", AccessPointId="{access point}"),
    call("deletes its network", "ec2.delete_vpc", VpcId="{vpc}"),
    call("turns off its network's DNS", "ec2.modify_vpc_attribute", VpcId="{vpc}", EnableDnsSupport={"Value": False}),
    call("starts a machine", "ec2.run_instances", ImageId="ami-12345678", MinCount=1, MaxCount=1),
    call(
        "leads a name elsewhere",
        "route53.change_resource_record_sets",
        HostedZoneId="Z0123456789ABCDEFGHIJ",
        ChangeBatch={
            "Changes": [
                {
                    "Action": "DELETE",
                    "ResourceRecordSet": {
                        "Name": "atlantis.example.com",
                        "Type": "A",
                        "TTL": 60,
                        "ResourceRecords": [{"Value": "192.0.2.1"}],
                    },
                }
            ]
        },
    ),
    call(
        "deletes a certificate",
        "acm.delete_certificate",
        CertificateArn=f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    ),
]
"""Allowed by nothing. On roles and policies a statement refuses as well."""

ITS_WORK = [
    call("lists the state", "s3.list_objects_v2", Bucket=STATE, Prefix="stack/"),
    call("writes the state", "s3.put_object", Bucket=STATE, Key="stack/state", Body=b"{}"),
    call("reads the state", "s3.get_object", Bucket=STATE, Key="stack/state"),
    call("deletes the state", "s3.delete_object", Bucket=STATE, Key="stack/state"),
    call("looks at the lock table", "dynamodb.describe_table", TableName=LOCKS),
    call("takes the lock", "dynamodb.put_item", TableName=LOCKS, Item=KEY),
    call("reads the lock", "dynamodb.get_item", TableName=LOCKS, Key=KEY),
    call("gives the lock back", "dynamodb.delete_item", TableName=LOCKS, Key=KEY),
    call("says who it is", "sts.get_caller_identity"),
    call("looks at the network", "ec2.describe_subnets"),
    call("looks at security groups", "ec2.describe_security_groups"),
    call("looks at load balancers", "elbv2.describe_load_balancers"),
    call("looks at log groups", "logs.describe_log_groups"),
    call("lists roles", "iam.list_roles"),
    call("lists clusters", "ecs.list_clusters"),
    call("looks at a managed service", "ecs.describe_services", cluster="fileflow-api", services=["fileflow-api"]),
    call(
        "changes a managed service",
        "ecs.update_service",
        cluster="fileflow-api",
        service="fileflow-api",
        desiredCount=0,
    ),
    call("makes a managed repository", "ecr.create_repository", repositoryName="fileflow-new"),
    call("looks at a managed repository's images", "ecr.describe_images", repositoryName="fileflow-api"),
    call("looks at a managed role", "iam.get_role", RoleName="fileflow-worker"),
    call(
        "tags a managed role", "iam.tag_role", RoleName="fileflow-worker", Tags=[{"Key": "Team", "Value": "platform"}]
    ),
    call("makes a managed log group", "logs.create_log_group", logGroupName="/ecs/fileflow-api"),
    call("lets a managed log expire", "logs.put_retention_policy", logGroupName="/ecs/fileflow-api", retentionInDays=7),
    call("makes a managed secret", "secretsmanager.create_secret", Name="fileflow-database", SecretString="{}"),
    call("reads a managed secret", "secretsmanager.get_secret_value", SecretId="fileflow-database"),
    call(
        "opens a port of a managed security group",
        "ec2.authorize_security_group_ingress",
        GroupId="{file flow security group}",
        IpPermissions=OFFICE,
    ),
]
"""In the order in which a plan and an apply would make them."""


@pytest.mark.parametrize("wanted", OF_OTHERS, ids=str)
def test_task_can_not_touch_what_terraform_does_not_manage(task: Actor, wanted: Call):
    refusal = task.refusal(wanted)
    assert BY_DEFAULT in refusal or BY_STATEMENT in refusal


@pytest.mark.parametrize("wanted", ITS_WORK, ids=str)
def test_task_can_do_its_work(task: Actor, wanted: Call):
    assert task.refusal(wanted) == ""
