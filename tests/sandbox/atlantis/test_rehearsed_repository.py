"""A repository is rehearsed through the deployed Atlantis, and its least-privilege roles do exactly what they must."""

import argparse
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.commands import rehearse as command
from sandbox.pull_requests import PullRequests
from sandbox.repository_rehearsal import report
from sandbox.repository_rehearsal.least_privilege_role import documents
from sandbox.repository_rehearsal.rehearsed_repository import Run, Wanted, rehearse
from sandbox.sandbox import Sandbox
from sandbox.testbed.paths import CHECKOUT, STATE_VARIABLE
from tests.needs import needs_provider
from tests.sandbox.atlantis.pull_requests import TOPIC
from tests.sandbox.harness import Scratch

pytestmark = needs_provider()

TOPIC_ARN = "arn:aws:sns:ap-northeast-2:123456789012:team-jobs"
PROJECTS = Path(__file__).with_name("rehearsed_projects")
"""Two projects with the resource types of public modules."""
CHANGES = {
    "service": {
        "ecs:DeleteService": "to destroy what was applied",
        "ec2:DeleteVpc": "to destroy what was applied",
        "elasticloadbalancing:DeleteLoadBalancer": "to destroy what was applied",
        "ec2:DeleteTags": "not seen",
    },
    "data": {
        "s3:DeleteBucket": "to destroy what was applied",
        "dynamodb:DeleteTable": "to destroy what was applied",
        "sqs:UntagQueue": "not seen",
        "dynamodb:UpdateTable": "not seen",
    },
}
"""Actions that no plan or apply needs, with the beginning of the reason."""
ALLOWED = {
    ("cloudwatch:PutCompositeAlarm", "arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:team"),
    ("events:PutTargets", "arn:aws:events:ap-northeast-2:123456789012:rule/team-nightly"),
    ("iam:PassRole", "arn:aws:iam::123456789012:role/team/team-events"),
    ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/*"),
    ("route53:GetChange", "arn:aws:route53:::change/*"),
}
"""Some of what the apply role of `data` must allow."""
DEPLOYMENT = 'resource "aws_codedeploy_app" "team" {\n  name = "team"\n}\n'


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    scratch = Scratch(tmp_path_factory.mktemp("rehearsal"))
    scratch.deployed()
    served = scratch.with_server()
    served.up()
    yield served
    scratch.stop()


@pytest.fixture
def team(tmp_path: Path) -> Path:
    folder = tmp_path / "team"
    folder.mkdir()
    # Its state is in another region than the stack.
    (folder / "main.tf").write_text(TOPIC.replace("ap-northeast-2", "eu-west-1"), encoding="utf-8")
    return folder


def test_a_repository_is_rehearsed_with_its_least_privilege_roles(
    sandbox: Sandbox, team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command's first run fails, because the deployed role lacks rights; with these rights, the command succeeds."""
    runs: list[Run] = []
    monkeypatch.setattr(command, "rehearse", lambda *wanted: runs.append(rehearse(*wanted)) or runs[-1])
    monkeypatch.setenv(STATE_VARIABLE, str(sandbox.state.parent))
    parser = argparse.ArgumentParser()
    parser.add_argument("--stack", default=sandbox.stack)
    command.add_arguments(parser)
    assert command.run(parser.parse_args(["--repo", str(team), "--apply", "--output", str(tmp_path / "report")])) == 1
    assert f"lacks sns:CreateTopic on {TOPIC_ARN}" in capfd.readouterr().err
    (run,), requests = runs, PullRequests.of(sandbox)
    assert run.problems() == [], [step.text for step in run.steps if step.failed]
    assert [step.verb for step in run.steps] == ["plan", "apply", "plan again", "update", "destroy"]
    assert [step.verb for step in run.checked] == ["plan", "apply", "plan again", "update", "destroy"]
    (project,) = run.projects
    lacking = {call.action for call in report.lacking(run.steps)}
    assert {"sns:CreateTopic", "sns:TagResource"} <= lacking, "the deployed task role may not create this topic"
    actions = {action for statement in run.roles[project].apply_statements for action in statement.actions}
    assert {"sns:CreateTopic", "sns:TagResource", "s3:PutObject", "dynamodb:PutItem"} <= actions
    assert "sns:CreateTopic" not in {a for item in run.roles[project].plan_statements for a in item.actions}
    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert f"| sns:CreateTopic | {TOPIC_ARN} | ImplicitlyDenied |" in text
    assert TOPIC_ARN not in _topics(sandbox)
    assert "team-states" not in {bucket["Name"] for bucket in sandbox.aws.client("s3").list_buckets()["Buckets"]}
    assert not list(requests.store.repositories.glob("*/rehearse-team*"))

    # One action less, and exactly its call is denied.
    removed, least = "sns:ListTagsForResource", run.roles[project]
    assert removed in actions
    left = [
        dataclasses.replace(item, actions=tuple(action for action in item.actions if action != removed))
        for item in least.apply_statements
    ]
    left = [item for item in left if item.actions]
    roles = dataclasses.replace(least, apply=documents(left, "narrowed"), apply_statements=left)
    again = rehearse(requests, Wanted(team, apply=True), only_roles={project: roles})
    assert {call.action for step in again.checked for call in step.calls if call.refused} == {removed}
    assert f"apply of . with the least-privilege roles: {removed} on {TOPIC_ARN} was denied" in again.problems()
    assert TOPIC_ARN not in _topics(sandbox)

    with _granted(sandbox, least.apply):
        done = Scratch(sandbox.state.parent).cli("rehearse", "--repo", str(team))
    assert (done.returncode, "lacks" in done.stderr) == (0, False), done.stderr


def _topics(sandbox: Sandbox) -> set[str]:
    return {topic["TopicArn"] for topic in sandbox.aws.client("sns").list_topics()["Topics"]}


@contextlib.contextmanager
def _granted(sandbox: Sandbox, policies: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """The task role has ``policies`` in addition."""
    iam, role = sandbox.aws.client("iam"), "atlantis-ecs-task-local"
    for name, document in policies.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    yield
    for name in policies:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


def test_what_the_local_aws_lacks_is_told_apart(sandbox: Sandbox, team: Path) -> None:
    (team / "main.tf").write_text(DEPLOYMENT, encoding="utf-8")
    run = rehearse(PullRequests.of(sandbox), Wanted(team, apply=True))
    assert run.problems() == ["apply of . failed: the local AWS doesn't support codedeploy:CreateApplication"]
    applied = next(step for step in run.steps if step.verb == "apply")
    assert "the local AWS has no codedeploy; AWS would allow this call" in applied.text
    assert applied.unsupported == ["codedeploy:CreateApplication"]
    assert run.checked == []


def test_a_missing_provider_is_named(sandbox: Sandbox, team: Path) -> None:
    (team / "main.tf").write_text(
        'terraform {\n  required_providers {\n    absent = { source = "example.com/team/absent" }\n  }\n}\n'
        'provider "absent" {}\n',
        encoding="utf-8",
    )
    done = Scratch(sandbox.state.parent).cli("rehearse", "--repo", str(team))
    assert done.returncode == 1
    assert "this machine lacks the provider example.com/team/absent: add DOWNLOAD=1" in done.stderr
    assert "cannot search" not in done.stdout


@pytest.mark.skipif(
    "REHEARSE_MODULES" not in os.environ,
    reason="takes ten minutes: run it with REHEARSE_MODULES=1 after a change of the rehearsal or of the evaluation of IAM",
)
def test_what_public_modules_create_is_applied_changed_and_destroyed_with_the_least_privilege_roles(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    run = rehearse(PullRequests.of(sandbox), Wanted(PROJECTS, apply=True))
    assert run.problems() == [], "\n".join(step.text for step in (*run.steps, *run.checked) if step.failed)
    text = report.write(run, PROJECTS, tmp_path / "report").read_text("utf-8")
    assert "not done" not in text
    assert {project.directory for project in run.projects} == {"data", "service"}
    for steps in (run.steps, run.checked):
        assert {step.verb for step in steps} == {"plan", "apply", "plan again", "update", "destroy"}
        assert not any(step.failed for step in steps)
    (data,) = (item for found, item in run.roles.items() if found.directory == "data")
    allowed = {(action, arn) for item in data.apply_statements for action in item.actions for arn in item.resources}
    assert allowed >= ALLOWED
    for project, changes in CHANGES.items():
        roles = next(item for found, item in run.roles.items() if found.directory == project)
        purposes = {action: item.reason for item in roles.apply_statements for action in item.actions}
        assert changes.items() <= {action: reason.partition(";")[0] for action, reason in purposes.items()}.items()
        planned = {action for item in roles.plan_statements for action in item.actions}
        assert not [action for action in planned if re.search(":(Create|Delete|Put|Modify|Tag)", action)]


@pytest.mark.parametrize("path", ["/no/such/folder", ""])
def test_the_command_refuses_a_path_that_is_no_folder(path: str) -> None:
    command = [sys.executable, "-m", "sandbox", "rehearse", "--repo", path]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, f"REPO={path} is not a folder" in done.stderr) == (1, True)
