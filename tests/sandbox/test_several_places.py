"""Several `Atlantis` in one program: with the same environment in two regions, and in two accounts through providers."""

import json
import shutil
from pathlib import Path

import pytest

from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.local_aws import clients
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.harness import Scratch

PROGRAMS = CHECKOUT / "tests" / "programs"
ACCOUNTS = ("222222222222", "333333333333")
ROLE = "arn:aws:iam::{}:role/atlantis-ecs-task-tools{}"


def _program(name: str, folder: Path, scratch: Scratch, **settings: object) -> Sandbox:
    """The sandbox of a program that has the installed package next to it, as `pip install` gives it."""
    shutil.copytree(PROGRAMS / name, folder)
    (folder / "atlantis_on_fargate").symlink_to(CHECKOUT / "components")
    chosen = {f"platform:{key}": value for key, value in settings.items()}
    return Sandbox(
        "dev",
        state=scratch.state,
        program=folder,
        settings=chosen,
        policy_pack=None,
        run_atlantis=False,
        disposable=True,
    )


def test_two_regions_of_one_account_share_no_name(scratch: Scratch, tmp_path: Path) -> None:
    scratch.stack = "dev"
    planned = [step["newState"] for step in _program("atlantis_regions", tmp_path / "program", scratch).steps()]
    # IAM's names are the account's, and those of buckets are everybody's.
    types = {"aws:iam/role:Role": "name", "aws:iam/policy:Policy": "name", "aws:s3/bucket:Bucket": "bucket"}
    names = [item["inputs"][types[item["type"]]] for item in planned if item["type"] in types]
    assert len(names) == len(set(names)) >= 10, names
    for region in ("ap-northeast-2", "us-east-1"):
        assert f"atlantis-ecs-task-tools-{region}" in names


def _deployers(scratch: Scratch) -> None:
    """The role of each account that the program's providers assume."""
    aws = local_aws.start(scratch.state, clean_environment())
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"},
        "Action": "sts:AssumeRole",
    }
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for account in ACCOUNTS:
        iam = clients.create(
            "iam",
            endpoint_url=aws.endpoint,
            region_name=aws.region,
            aws_access_key_id=account,
            aws_secret_access_key=account,
        )
        iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps({"Statement": [statement]}))
        policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        iam.put_role_policy(RoleName="deployer", PolicyName="everything", PolicyDocument=policy)


def test_two_accounts_are_deployed_once_their_deployments_can_be_followed_with_the_roles_of_their_providers(
    scratch: Scratch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scratch.stack = "dev"
    sandbox = _program("atlantis_accounts", tmp_path / "without", scratch, follow=False)
    _deployers(scratch)
    with pytest.raises(EngineError):
        sandbox.up()
    printed = "".join(capfd.readouterr())
    assert (
        "The deployment of atlantis-tools can't be followed: the credentials at hand are of account 123456789012"
        in printed
    )
    assert "Set deploymentRoleArn to the role that the provider assumes" in printed
    assert not [item for item in sandbox.resources() if item["type"] == "aws:ecs/service:Service"]

    sandbox = _program("atlantis_accounts", tmp_path / "program", scratch)
    sandbox.up()
    assert {output["role"] for output in sandbox.outputs().values()} == {
        ROLE.format(account, "") for account in ACCOUNTS
    }
    sandbox.preview(expect_no_changes=True)
