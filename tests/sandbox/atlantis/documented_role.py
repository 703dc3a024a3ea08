"""A role that may do what the documentation says that `make drift` needs, and nothing else."""

import json
import re

from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.local_aws import ACCOUNT
from sandbox.testbed.paths import CHECKOUT

__all__ = ["credentials"]


def credentials(service: DeployedService) -> dict[str, str]:
    """Create the role; the variables of the environment with a session of it."""
    text = (CHECKOUT / "docs" / "drift.md").read_text(encoding="utf-8")
    (statement,) = re.findall(r"```json\n(.+?)```", text, re.DOTALL)
    for part, value in {"<region>": service.region, "<account>": ACCOUNT, "atlantis-prod": service.cluster}.items():
        statement = statement.replace(part, value)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trusted, allowed = (
        json.dumps({"Version": "2012-10-17", "Statement": [it]}) for it in (trust, json.loads(statement))
    )
    iam = service.client("iam")
    role = iam.create_role(RoleName="requester", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    iam.put_role_policy(RoleName="requester", PolicyName="drift", PolicyDocument=allowed)
    given = service.client("sts").assume_role(RoleArn=role, RoleSessionName="make-drift")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
