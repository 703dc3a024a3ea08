"""The production stack, deployed once, in an account where others have things too."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.sandbox import Sandbox
from sandbox.testbed.local_aws import REGION, LocalAws
from tests.sandbox.harness import Scratch
from tests.sandbox.permissions.calls import BOUNDARY, NAMES, STATE, STATE_KEY, TRUST, Actor, take_on


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The production stack in a local AWS, reached over IPv6 as well, its states under a separate key."""
    scratch = Scratch(tmp_path_factory.mktemp("permissions"), "prod")
    deployed = scratch.sandbox(ipAddressType="dualstack", terraformStateKeyArns=[STATE_KEY])
    deployed.up()
    yield deployed
    scratch.stop()


@pytest.fixture(scope="package")
def aws(sandbox: Sandbox) -> LocalAws:
    return sandbox.aws


@pytest.fixture(scope="package")
def values(aws: LocalAws) -> dict[str, Any]:
    """Ids of what is deployed, and of what others have: a payment system, and the file transfers that Terraform manages."""
    return _deployed(aws) | _payments(aws) | _file_flow(aws)


@pytest.fixture(scope="package")
def task(aws: LocalAws, values: dict[str, Any]) -> Actor:
    """Whoever runs code in the task: the server, and every plan of a pull request."""
    return take_on(aws, NAMES.task_role, values)


@pytest.fixture(scope="package")
def starter(aws: LocalAws, values: dict[str, Any]) -> Actor:
    """Whoever starts the task: ECS, with the execution role."""
    return take_on(aws, NAMES.execution_role, values)


def _deployed(aws: LocalAws) -> dict[str, str]:
    balancer = aws.client("elbv2").describe_load_balancers(Names=[NAMES.base])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = aws.client("elbv2").describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    groups = aws.client("elbv2").describe_target_groups(Names=[NAMES.target_group])["TargetGroups"]
    file_system = aws.client("efs").describe_file_systems()["FileSystems"][0]["FileSystemId"]
    access_points = aws.client("efs").describe_access_points(FileSystemId=file_system)["AccessPoints"]
    security_groups = aws.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [NAMES.security_group("alb")]}]
    )["SecurityGroups"]
    secrets = aws.client("secretsmanager")
    encryption = aws.client("s3").get_bucket_encryption(Bucket=STATE)["ServerSideEncryptionConfiguration"]
    keys = {alias["AliasName"]: alias.get("TargetKeyId", "") for alias in aws.client("kms").list_aliases()["Aliases"]}
    return {
        "load balancer": balancer,
        "https listener": next(found["ListenerArn"] for found in listeners if found["Port"] == 443),
        "target group": groups[0]["TargetGroupArn"],
        "file system": file_system,
        "access point": access_points[0]["AccessPointId"],
        "security group": security_groups[0]["GroupId"],
        "vpc": security_groups[0]["VpcId"],
        "app secret": secrets.describe_secret(SecretId=NAMES.github_app_secret)["ARN"],
        "webhook secret": secrets.describe_secret(SecretId=NAMES.webhook_secret)["ARN"],
        "secrets key": keys[NAMES.key_alias("secrets")],
        "image key": keys[NAMES.key_alias("ecr")],
        "files key": keys[NAMES.key_alias("efs")],
        "state key": encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"],
    }


def _payments(aws: LocalAws) -> dict[str, Any]:
    """What belongs to somebody else."""
    s3, kms = aws.client("s3"), aws.client("kms")
    s3.create_bucket(Bucket="payments-data", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="payments-data", Key="ledger", Body=b"1")
    _table(aws, "payments")
    aws.client("iam").create_role(RoleName="payments-admin", AssumeRolePolicyDocument=TRUST)
    aws.client("logs").create_log_group(logGroupName="/ecs/payments")
    aws.client("ecr").create_repository(repositoryName="payments")
    _service(aws, "payments")
    secret = aws.client("secretsmanager").create_secret(Name="payments/database", SecretString="{}")["ARN"]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return {
        "payments secret": secret,
        "payments key": key,
        "payments cipher": kms.encrypt(KeyId=key, Plaintext=b"ledger")["CiphertextBlob"],
    }


def _file_flow(aws: LocalAws) -> dict[str, str]:
    """What Terraform in the task manages: its names begin with a managed prefix."""
    aws.client("iam").create_role(
        RoleName="fileflow-worker", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY
    )
    aws.client("iam").create_role(RoleName="fileflow-unbounded", AssumeRolePolicyDocument=TRUST)
    _service(aws, "fileflow-api")
    aws.client("ecr").create_repository(repositoryName="fileflow-api")
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="fileflow-api", Description="file transfers", VpcId=vpc)["GroupId"]
    return {"file flow security group": group}


def _service(aws: LocalAws, name: str) -> None:
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName=name)
    container: dict[str, Any] = {"name": name, "image": "public.ecr.aws/docker/library/busybox:1.37", "memory": 64}
    ecs.register_task_definition(family=name, containerDefinitions=[container])
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=name, desiredCount=0)


def _table(aws: LocalAws, name: str) -> None:
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
