"""The isolated stack's roles with the real server: states by repository, roles of repositories, roles of other accounts."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from preflight import trust_policy
from sandbox.attack import other_accounts, states
from sandbox.attack.row import Row, Verdict, run
from sandbox.attack.target import Target
from sandbox.pull_requests import deliver
from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store
from tests.needs import iam_evaluator, needs, needs_containers
from tests.sandbox.atlantis.pull_requests import comment, open_with_files, say
from tests.sandbox.atlantis.served import reachable_ground, served, service_of
from tests.sandbox.atlantis.world import BUCKET, OWNER, TABLE

pytestmark = [needs("terraform"), needs_containers()]

ACCOUNT, PREFIX = "123456789012", "states"
TEAM = {role: f"arn:aws:iam::{ACCOUNT}:role/team-{role}" for role in ("plan", "apply")}
_PLAN, _APPLY = "Ran Plan for dir: `.`", "Ran Apply for dir: `.`"
_CONFIGURATION = """
terraform {{
  backend "s3" {{
    bucket         = "{bucket}"
    key            = "{key}"
    region         = "ap-northeast-2"
    dynamodb_table = "{table}"
    encrypt        = true
  }}
}}

resource "terraform_data" "release" {{
  input = "v1"
}}
"""
ROWS = [*states.ROWS, *(row for row in other_accounts.ROWS if row.isolation)]


@pytest.fixture(scope="module")
def isolated() -> Iterator[Sandbox]:
    """The deployed stack, whose states are separated by repository, with roles for the repositories `team-*`."""
    iam_evaluator()
    with (
        reachable_ground() as ground,
        served(
            ground,
            terraformIsolation="containers",
            terraformStatePrefixes=[f"{PREFIX}/{{repository}}/"],
            repositoryRoles=[f"{OWNER}/team-*={TEAM['plan']} {TEAM['apply']}"],
            assumableRoleArns=["arn:aws:iam::210987654321:role/terraform"],
            planAssumableRoleArns=["arn:aws:iam::210987654321:role/reader"],
        ) as sandbox,
    ):
        yield sandbox


@pytest.fixture(scope="module")
def service(isolated: Sandbox) -> DeployedService:
    return service_of(isolated)


@pytest.fixture(scope="module")
def target(isolated: Sandbox) -> Target:
    return Target.of(isolated)


@pytest.fixture
def github(service: DeployedService) -> Store:
    return Store(service.state / "github")


def _opened(service: DeployedService, github: Store, name: str, key: str) -> PullRequest:
    configuration = _CONFIGURATION.format(bucket=BUCKET, key=key, table=TABLE)
    pull = open_with_files(github, name, {"main.tf": configuration}, default_branch="main")
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    return pull


def _applied(service: DeployedService, github: Store, name: str, key: str) -> PullRequest:
    pull = _opened(service, github, name, key)
    plan = comment(github, pull, _PLAN, seconds=120)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan, plan
    github.approve(pull, "reviewer")
    say(service, pull, "atlantis apply")
    apply = comment(github, pull, _APPLY, seconds=120)
    assert "Apply complete! Resources: 1 added" in apply, apply
    return pull


def _sessions(service: DeployedService, repository: str) -> dict[str, set[str]]:
    """The roles by the names of the sessions that called AWS for a repository."""
    found: dict[str, set[str]] = {}
    for line in (service.state / "local-aws" / "iam-decisions.jsonl").read_text().splitlines():
        _, _, session = json.loads(line)["principal"].partition(":assumed-role/")
        role, _, name = session.partition("/")
        if f".{OWNER}.{repository}." in name:
            found.setdefault(name, set()).add(role)
    return found


def test_a_repository_plans_and_applies_with_its_own_state_in_sessions_named_after_the_commands(
    service: DeployedService, github: Store
) -> None:
    pull = _applied(service, github, "shop", f"{PREFIX}/{OWNER}/shop/terraform.tfstate")
    names = {command: f"{command}.{OWNER}.shop.{pull.number}" for command in ("init", "plan", "apply")}
    assert _sessions(service, "shop") == {
        names["init"]: {"atlantis-ecs-task-plan-local"},
        names["plan"]: {"atlantis-ecs-task-plan-local"},
        names["apply"]: {"atlantis-ecs-task-apply-local"},
    }


def test_a_backend_with_the_key_of_another_repository_is_refused(service: DeployedService, github: Store) -> None:
    key = f"{PREFIX}/{OWNER}/shop/terraform.tfstate"
    said = comment(github, _opened(service, github, "intruder", key), _PLAN, seconds=120)
    assert f'Unable to access object "{key}"' in said, said
    assert "StatusCode: 403" in said, said


def test_repositories_of_a_pattern_run_with_their_own_two_roles_in_sessions_with_their_tag(
    service: DeployedService, github: Store
) -> None:
    iam, key = service.client("iam"), f"team/{OWNER}/team-api/api.tfstate"
    trust = trust_policy.document(f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-local", None)
    buckets = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/team/${{aws:PrincipalTag/Repository}}/*"]
    allowed = {"plan": ["s3:Get*", "s3:List*"], "apply": ["s3:*"]}
    for role, arn in TEAM.items():
        name = arn.rpartition("/")[2]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        statements = [
            {"Effect": "Allow", "Action": allowed[role], "Resource": buckets},
            {"Effect": "Allow", "Action": ["dynamodb:*", "kms:*"], "Resource": "*"},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="states", PolicyDocument=document)
    _applied(service, github, "team-api", key)
    assert {name.partition(".")[0]: roles for name, roles in _sessions(service, "team-api").items()} == {
        "init": {"team-plan"},
        "plan": {"team-plan"},
        "apply": {"team-apply"},
    }


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_an_attack_on_what_belongs_to_another_repository_or_to_applies_is_denied(target: Target, row: Row) -> None:
    result = run(row, target)
    assert result.verdict is Verdict.REFUSED, result


def _every_state(iam: Any, role: str) -> None:
    actions = ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "dynamodb:PutItem"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="wall-removed", PolicyDocument=document)


def test_without_the_limits_of_its_policies_a_plan_lists_reads_and_locks_every_state_and_changes_digests(
    target: Target,
) -> None:
    iam, role = target.client("iam"), "atlantis-ecs-task-plan-local"
    _every_state(iam, role)
    try:
        again = Target.of(target.sandbox)
        results = [run(row, again) for row in states.ROWS]
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="wall-removed")
    assert {result.verdict for result in results} == {Verdict.ALLOWED}, results
