"""The commands that print a document to copy: the trust policy of a role to assume, and a boundary to start from."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.preflight.account import Account

PROJECT = Path(__file__).resolve().parents[2]
TASK_ROLE = "arn:aws:iam::123456789012:role/atlantis-ecs-task-prod"
PLAN_AND_APPLY = [f"arn:aws:iam::123456789012:role/atlantis-ecs-task-{role}-prod" for role in ("plan", "apply")]
WORKERS = [f"arn:aws:iam::123456789012:role/atlantis-ecs-task-{role}-worker-prod" for role in ("plan", "apply")]


def printed(module: str, account: Account, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return account.run_command(f"preflight.{module}", folder / "Pulumi.prod.yaml", *options)


def statements(ended: "subprocess.CompletedProcess[str]") -> list[dict[str, object]]:
    assert (ended.returncode, ended.stderr) == (0, "")
    return json.loads(ended.stdout)["Statement"]


@pytest.mark.parametrize(
    ("options", "condition"),
    [((), None), (("--external-id", "atlantis-prod"), {"StringEquals": {"sts:ExternalId": "atlantis-prod"}})],
)
def test_the_trust_policy_admits_the_task_role_alone(
    account: Account, tmp_path: Path, options: tuple[str, ...], condition: object
):
    (statement,) = statements(printed("trust_policy", account, tmp_path, *options))
    assert statement["Principal"] == {"AWS": TASK_ROLE}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement.get("Condition") == condition


@pytest.mark.parametrize(
    ("setting", "roles"),
    [
        ("assumableRoleArns", PLAN_AND_APPLY[1]),
        ("planAssumableRoleArns", PLAN_AND_APPLY),
        ("repositoryRoles", WORKERS),
    ],
)
def test_the_trust_policy_in_isolation_admits_who_assumes_the_roles_of_the_setting(
    account: Account, tmp_path: Path, setting: str, roles: object
):
    account.values["terraformIsolation"] = "tasks"
    (statement,) = statements(printed("trust_policy", account, tmp_path, "--setting", setting))
    assert statement["Principal"] == {"AWS": roles}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--setting", "repositoryRoles"), "repositoryRoles applies only with terraformIsolation tasks"),
        (("--setting", "planAssumableRoleArns"), "planAssumableRoleArns applies only with terraformIsolation"),
        (("--setting", "repositoryRoles", "--external-id", "x"), "--external-id: the workers pass none"),
    ],
)
def test_a_trust_policy_that_would_not_help_is_not_printed(
    account: Account, tmp_path: Path, options: tuple[str, ...], why: str
):
    ended = printed("trust_policy", account, tmp_path, *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert why in ended.stderr
    assert ("-> " in ended.stderr) is ("--external-id" not in options)


def test_the_boundary_refuses_what_is_atlantis_own(account: Account, tmp_path: Path):
    document = statements(printed("boundary_document", account, tmp_path))
    refused = json.dumps([statement for statement in document if statement["Effect"] == "Deny"])
    assert TASK_ROLE.replace("-prod", "-*") in refused
    assert ":service/atlantis-prod/*" in refused


@pytest.mark.parametrize("module", ["trust_policy", "boundary_document"])
def test_settings_that_are_wrong_are_named_and_the_exit_code_says_so(account: Account, tmp_path: Path, module: str):
    account.values["cpu"] = 3
    ended = printed(module, account, tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "atlantis:cpu = 3" in ended.stderr
