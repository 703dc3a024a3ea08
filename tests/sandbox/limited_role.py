"""A role of the local AWS that may only call what a test names, and how its calls are refused."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testbed.local_aws import (
    ACCOUNT,
    REGION,
    LocalAws,
    clients,
    instance,
)


class Role:
    """A role with one statement for each of ``allowed``, and what IAM was asked about it."""

    def __init__(self, aws: LocalAws, state: Path, name: str, allowed: Mapping[str, Sequence[str]]) -> None:
        self._aws, self._log, self._name = aws, state / instance.NAME / "iam-decisions.jsonl", name
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": list(resources)} for action, resources in allowed.items()
        ]
        aws.client("iam").put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=policy(*statements))
        self._credentials = aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]

    def client(self, service: str) -> Any:
        return clients.create(
            service,
            endpoint_url=self._aws.endpoint,
            region_name=REGION,
            aws_access_key_id=self._credentials["AccessKeyId"],
            aws_secret_access_key=self._credentials["SecretAccessKey"],
            aws_session_token=self._credentials["SessionToken"],
        )

    def asked(self) -> list[tuple[str, str]]:
        lines = map(json.loads, self._log.read_text(encoding="utf-8").splitlines())
        return [(line["action"], line["resource"]) for line in lines if f"/{self._name}/" in line["principal"]]


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
