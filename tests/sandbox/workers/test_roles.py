"""The isolated stack's roles with the real server: states by repository, roles of repositories, roles of other accounts."""

import json
from typing import Any

from preflight import trust_policy
from sandbox.attack import states
from sandbox.attack.row import Verdict, run
from sandbox.attack.target import Target
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github.store import Store
from tests.needs import needs, needs_containers
from tests.sandbox.atlantis.local_service import BUCKET, OWNER
from tests.sandbox.atlantis.pull_requests import comment
from tests.sandbox.workers.commands import PLAN, TEAM, applied, opened, state_of

pytestmark = [needs("terraform"), needs("stunnel"), needs_containers()]


def _sessions(service: DeployedService, repository: str) -> dict[str, set[str]]:
    """The roles by the names of the sessions that called AWS for a repository."""
    found: dict[str, set[str]] = {}
    for line in (service.state / "local-aws" / "iam-decisions.jsonl").read_text().splitlines():
        _, _, session = json.loads(line)["principal"].partition(":assumed-role/")
        role, _, name = session.partition("/")
        if f".{OWNER}.{repository}." in name:
            found.setdefault(name, set()).add(role)
    return found


def test_a_backend_with_the_key_of_another_repository_is_refused(service: DeployedService, github: Store) -> None:
    key = state_of("shop")
    said = comment(github, opened(service, github, "intruder", key=key), PLAN)
    assert f'Unable to access object "{key}"' in said, said
    assert "StatusCode: 403" in said, said


def test_repositories_of_a_pattern_run_with_their_own_two_roles_in_sessions_with_their_tag(
    service: DeployedService, github: Store
) -> None:
    iam, key = service.client("iam"), f"team/{OWNER}/team-api/api.tfstate"
    buckets = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/team/${{aws:PrincipalTag/Repository}}/*"]
    allowed = {"plan": ["s3:Get*", "s3:List*"], "apply": ["s3:*"]}
    for role, arn in TEAM.items():
        name = arn.rpartition("/")[2]
        trust = trust_policy.document(f"arn:aws:iam::123456789012:role/atlantis-ecs-task-{role}-worker-local", None)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        statements = [
            {"Effect": "Allow", "Action": allowed[role], "Resource": buckets},
            {"Effect": "Allow", "Action": ["dynamodb:*", "kms:*"], "Resource": "*"},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="states", PolicyDocument=document)
    applied(service, github, "team-api", key=key)
    assert {name.partition(".")[0]: roles for name, roles in _sessions(service, "team-api").items()} == {
        "init": {"team-plan"},
        "plan": {"team-plan"},
        "apply": {"team-apply"},
    }


def _every_state(iam: Any, role: str) -> None:
    actions = ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "dynamodb:PutItem"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="limits-removed", PolicyDocument=document)


def test_without_the_limits_of_its_policies_a_plan_lists_reads_and_locks_every_state_and_changes_digests(
    target: Target,
) -> None:
    iam, role = target.client("iam"), "atlantis-ecs-task-plan-local"
    _every_state(iam, role)
    try:
        again = Target.of(target.sandbox)
        results = [run(row, again) for row in states.ROWS]
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="limits-removed")
    assert {result.verdict for result in results} == {Verdict.ALLOWED}, results
