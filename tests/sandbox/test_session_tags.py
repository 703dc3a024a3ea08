"""Session tags and the keys of items in the local AWS: the state statements of the stack's roles, with real calls."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.names import PhysicalNames
from components.permissions import state
from components.policy_documents import trust_role
from components.settings.terraform import TerraformArgs
from sandbox.testbed.local_aws import (
    ACCOUNT,
    REGION,
    LocalAws,
    clients,
)
from tests.needs import iam_evaluator

NAMES = PhysicalNames(environment="local", account=ACCOUNT, region=REGION, partition="aws")
BUCKET, TABLE = "states", "locks"
OWN, OTHER = "acme/shop/terraform.tfstate", "acme/payments/terraform.tfstate"


def _settings(prefix: str) -> TerraformArgs:
    return TerraformArgs(
        terraform_state_buckets=[BUCKET],
        terraform_lock_tables=[TABLE],
        terraform_state_prefixes=[prefix] if prefix else [],
        terraform_isolation="tasks",
    )


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def aws(aws: LocalAws) -> LocalAws:
    iam_evaluator()
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
    )
    for key in (OWN, OTHER):
        aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    return aws


class Agent:
    """The agent's session of the task role, which may assume the plan role and tag the session, as in the stack."""

    def __init__(self, aws: LocalAws, prefix: str) -> None:
        self._aws = aws
        iam = aws.client("iam")
        trust = _document(
            [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]
        )
        own = [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": [NAMES.plan_role_arn]}]
        self._role(iam, NAMES.task_role, trust, {"own": own})
        plan = state.plan_statements(NAMES, _settings(prefix))
        self._role(iam, NAMES.plan_role, trust_role(NAMES, NAMES.task_role), plan)
        self._task = aws.client("sts").assume_role(RoleArn=NAMES.task_role_arn, RoleSessionName="task")["Credentials"]

    @staticmethod
    def _role(iam: Any, name: str, trust: str, policies: dict[str, list[dict[str, Any]]]) -> None:
        try:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        for subject, statements in policies.items():
            iam.put_role_policy(RoleName=name, PolicyName=subject, PolicyDocument=_document(statements))

    def client(self, service: str, credentials: dict[str, str]) -> Any:
        return clients.create(
            service,
            endpoint_url=self._aws.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def plan(self, repository: str, by: dict[str, str] | None = None) -> dict[str, str]:
        """Credentials of a plan of `repository`."""
        return self.client("sts", by or self._task).assume_role(
            RoleArn=NAMES.plan_role_arn,
            RoleSessionName="plan",
            Tags=[{"Key": "Repository", "Value": repository}],
        )["Credentials"]


def _denied(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return True
    return False


def _lock(key: str) -> dict[str, Any]:
    return {"LockID": {"S": f"{BUCKET}/{key}"}}


def test_a_plan_reads_and_locks_the_state_of_its_repository_alone(aws: LocalAws) -> None:
    agent = Agent(aws, "{repository}/")
    credentials = agent.plan("acme/shop")
    s3, locks = agent.client("s3", credentials), agent.client("dynamodb", credentials)
    for key, denied in ((OWN, False), (OTHER, True)):
        assert _denied(s3.get_object, Bucket=BUCKET, Key=key) is denied
        assert _denied(s3.put_object, Bucket=BUCKET, Key=f"{key}.tflock", Body=b"x") is denied
        assert _denied(locks.put_item, TableName=TABLE, Item=_lock(key)) is denied
        assert _denied(locks.get_item, TableName=TABLE, Key=_lock(f"{key}-md5")) is denied
        assert _denied(locks.delete_item, TableName=TABLE, Key=_lock(key)) is denied
        assert _denied(locks.put_item, TableName=TABLE, Item=_lock(f"{key}-md5"))
        assert _denied(s3.put_object, Bucket=BUCKET, Key=key, Body=b"x")


def test_a_session_cannot_make_one_of_another_repository(aws: LocalAws) -> None:
    agent = Agent(aws, "{repository}/")
    credentials = agent.plan("acme/shop")
    with pytest.raises(ClientError, match="not authorized to perform: sts:"):
        agent.plan("acme/payments", by=credentials)


def test_without_the_prefix_a_plan_reads_and_locks_every_state(aws: LocalAws) -> None:
    agent = Agent(aws, "")
    credentials = agent.plan("acme/shop")
    assert agent.client("s3", credentials).get_object(Bucket=BUCKET, Key=OTHER)["Body"].read() == b"{}"
    assert not _denied(agent.client("dynamodb", credentials).put_item, TableName=TABLE, Item=_lock(OTHER))
