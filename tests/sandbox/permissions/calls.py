"""Calls to AWS as data: what somebody with a role's credentials tries, and whether they may."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from components.names import PhysicalNames
from sandbox.testbed.local_aws import ACCOUNT, REGION, LocalAws


def document(**statement: Any) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


NAMES = PhysicalNames(environment="prod", account=ACCOUNT, region=REGION, partition="aws")

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/terraform-boundary"
OWN_STACK = f"arn:aws:iam::{ACCOUNT}:policy/{NAMES.task_role}-own-stack"
"""The task role's policy that refuses whatever would touch Atlantis itself."""
STATE, LOCKS = "prod-terraform-state", "prod-terraform-locks"
"""What the production stack's file names."""
STATE_KEY = NAMES.arn("kms", "key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")
"""What these tests add to it; its substitute is another key."""

ADMINISTRATOR = NAMES.aws_policy_arn("AdministratorAccess")
ALL = document(Effect="Allow", Action="*", Resource="*")
EVERYBODY = document(Effect="Allow", Principal="*", Action="*", Resource="*")
TRUST = document(Effect="Allow", Principal={"Service": "ecs-tasks.amazonaws.com"}, Action="sts:AssumeRole")
KEY = {"LockID": {"S": "state"}}
MANIFEST = '{"schemaVersion": 2}'

NAMED: Mapping[str, str] = {
    "boundary": BOUNDARY,
    "own refusals": OWN_STACK,
    "state bucket": STATE,
    "lock table": LOCKS,
    "administrator": ADMINISTRATOR,
    "everything": ALL,
    "everybody": EVERYBODY,
    "trust": TRUST,
    "manifest": MANIFEST,
    "task role": NAMES.task_role,
    "task role arn": NAMES.task_role_arn,
    "execution role": NAMES.execution_role,
    "execution role arn": NAMES.execution_role_arn,
    "service": NAMES.base,
    "log group": NAMES.log_group,
    "access log bucket": NAMES.access_log_bucket,
    "app secret name": NAMES.github_app_secret,
    "alarm": NAMES.alarm("unreachable"),
    "topic": NAMES.arn("sns", "platform-alarms"),
    "payments role arn": NAMES.role_arn("payments-admin"),
}
"""What the rows of calls.yaml call by a name, in addition to what is deployed."""

DENIALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
BY_STATEMENT, BY_DEFAULT = "with an explicit deny", "no identity-based policy allows"
"""Refused by a statement of the role's policies or of its boundary, or allowed by nothing."""


@dataclass(frozen=True)
class Call:
    """One call. Its parameters may hold `{names}`, filled in from what is deployed."""

    purpose: str
    service: str
    operation: str
    parameters: dict[str, Any]

    def __str__(self) -> str:
        return self.purpose


def call(purpose: str, target: str, /, **parameters: Any) -> Call:
    """`target` is boto3's service and operation, such as `ecs.stop_task`."""
    service, operation = target.split(".")
    return Call(purpose, service, operation, parameters)


@dataclass(frozen=True)
class Actor:
    """Somebody with a role's credentials in the deployed account."""

    aws: LocalAws
    session: boto3.Session
    values: Mapping[str, Any]
    """What stands for each `{name}` in a call."""

    def make(self, wanted: Call) -> Any:
        """Make the call."""
        client = self.session.client(
            wanted.service,
            endpoint_url=self.aws.endpoint,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}),
        )
        return getattr(client, wanted.operation)(**_filled(wanted.parameters, {**NAMED, **self.values}))

    def refusal(self, wanted: Call) -> str:
        """Why the call is denied; an empty string where it is not. Anything else that is wrong with it raises."""
        try:
            self.make(wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIALS:
                raise
            return error.response["Error"]["Message"]
        return ""


def take_on(aws: LocalAws, role: str, values: Mapping[str, Any]) -> Actor:
    """Whoever runs with `role`: the local AWS lets its root take on what is meant for ECS tasks."""
    given = aws.client("sts").assume_role(RoleArn=NAMES.role_arn(role), RoleSessionName="least-privilege")[
        "Credentials"
    ]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return Actor(aws, session, values)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        name = re.fullmatch(r"\{([a-z ]+)\}", value)
        return values[name[1]] if name else value
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    return value
