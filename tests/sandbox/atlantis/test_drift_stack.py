"""The stack with drift detection: `make drift`, a deployment and pull requests in the middle of a detection, the server's webhooks, and
attacks on the API."""

import contextlib
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from isolation.drift.server import Server
from sandbox.atlantis import lifecycle
from sandbox.attack import api_secret
from sandbox.attack.row import Row, Verdict, run
from sandbox.attack.target import Target
from sandbox.commands import preflight
from sandbox.pull_requests import PullRequests, deliver
from sandbox.repository_rehearsal.rehearsed_repository import Wanted, rehearse
from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store
from sandbox.testbed.local_aws import ACCOUNT
from sandbox.testbed.local_aws.task_status import StatusFile
from sandbox.testbed.loopback_server import Handler, LoopbackServer
from sandbox.testbed.paths import CHECKOUT
from tests.needs import iam_evaluator, needs, needs_containers
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.local_service import OWNER
from tests.sandbox.atlantis.pull_requests import comment, project
from tests.sandbox.atlantis.served import reachable_scratch, service_of
from tests.sandbox.harness import Scratch

Received = tuple[str, str, dict[str, Any]]
"""The path, the header `Authorization` (empty without one), and the body, which is JSON."""


@contextlib.contextmanager
def receiver() -> Iterator[tuple[int, list[Received]]]:
    """A port of loopback, and what has been posted to it until now."""
    received: list[Received] = []

    class Receiver(Handler):
        def do_POST(self) -> None:
            received.append((self.path, self.headers.get("Authorization", ""), json.loads(self.body())))
            self.respond(200)

    with LoopbackServer(Receiver) as server:
        yield server.server_port, received


pytestmark = [needs("terraform"), needs("stunnel"), needs_containers()]

NAMED, UNNAMED = f"{OWNER}/named", f"{OWNER}/unnamed"
# The backend gets its credentials of a program, which gives those of the plan.
_CREDENTIALS = 'exec sh -c "$(sed -n \'s/^credential_process *= *//p\' "$AWS_CONFIG_FILE")"\n'
_SLOW = {"slow/aws": "[profile slow]\ncredential_process = sh slow.sh\n", "slow/slow.sh": _CREDENTIALS}


def _project(name: str, backend: str = "") -> str:
    return project(f"{name}/terraform.tfstate", backend=backend)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Scratch]:
    with reachable_scratch() as made:
        yield made


@pytest.fixture(scope="module")
def flags() -> Iterator[tuple[str, list[Received]]]:
    """The server's flags, with a webhook for drift to loopback, and what it receives. The file must be in the repository."""
    with receiver() as (port, received), tempfile.TemporaryDirectory(dir=CHECKOUT / ".sandbox") as folder:
        file = Path(folder) / "server.yaml"
        file.write_text(
            f"webhooks:\n- {{event: drift, kind: http, url: 'http://localhost:{port}/drift'}}\n", encoding="utf-8"
        )
        yield str(file.relative_to(CHECKOUT)), received


@pytest.fixture(scope="module")
def watched(scratch: Scratch, flags: tuple[str, list[Received]]) -> Sandbox:
    """The deployed stack, and its repositories; nothing is applied, so every project has drifted."""
    sandbox = scratch.with_server(
        terraformIsolation="tasks",
        driftProjects=[f"{NAMED}:first", f"{NAMED}:slow", f"{NAMED}:missing", UNNAMED],
        driftEveryHours=84,
        serverConfigFile=flags[0],
        serverSecrets=["webhook-http-headers=tools/hooks:headers"],
    )
    sandbox.up()
    store = Store(service_of(sandbox).state / "github")
    slow = _project("slow", 'shared_config_files = ["aws"]\n profile = "slow"')
    store.create_repository(NAMED, {"first/main.tf": _project("first"), "slow/main.tf": slow, **_SLOW})
    store.create_repository(UNNAMED, {f"{name}/main.tf": _project(name) for name in ("dns", "vpc")})
    return sandbox


@pytest.fixture
def service(watched: Sandbox) -> DeployedService:
    found = service_of(watched)
    lifecycle.bring_up(found, clean_environment())
    return found


@pytest.fixture
def github(service: DeployedService) -> Store:
    return Store(service.state / "github")


def _task(service: DeployedService) -> str | None:
    return StatusFile(service.state, service.name).read().task


def _detect(
    scratch: Scratch, *, code: int = 1, credentials: Mapping[str, str] = MappingProxyType({})
) -> dict[str, dict[str, Any]]:
    """The results of `make drift` by project, as the account's root or with ``credentials``."""
    sandbox = Sandbox(scratch.stack, state=scratch.state)
    answer = subprocess.run(
        preflight.command("preflight.drift", sandbox, as_json=True),
        cwd=CHECKOUT,
        env={**sandbox.environment(), **credentials},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert answer.returncode == code, answer.stdout + answer.stderr
    found = [event for event in json.loads(answer.stdout) if event["event"] == "drift-project"]
    return {event["project"]: event for event in found}


def _documented_role(service: DeployedService) -> dict[str, str]:
    """The environment of a role that may do what the documentation says that `make drift` needs, and nothing else."""
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


def _locking(service: DeployedService, directory: str = "") -> list[int]:
    """The numbers of the pull requests that hold locks; those of detections are negative."""
    server = Server(f"http://127.0.0.1:{StatusFile(service.state, service.name).read().proxy_port}", "")
    locks = server._call("GET", "/api/locks")[1].get("Locks") or []
    return [int(lock["PullID"]) for lock in locks if directory in lock["Name"]]


def _detections(service: DeployedService) -> list[int]:
    """The detections of the directory `slow` that hold its lock."""
    return [number for number in _locking(service, "slow") if number < 0]


def _posted(service: DeployedService, received: list[Received]) -> list[tuple[str, str, int, dict[str, str]]]:
    """Repository, branch, drifted projects, and the summaries by directory, of each webhook with the secret's header."""
    secret = service.client("secretsmanager").get_secret_value(SecretId="tools/hooks")["SecretString"]
    header = json.loads(json.loads(secret)["headers"])["Authorization"]
    return [
        (
            body["repository"],
            body["ref"],
            body["projects_with_drift"],
            {project["path"]: project["summary"] for project in body["projects"]},
        )
        for path, authorization, body in received
        if (path, authorization) == ("/drift", header)
    ]


def test_make_drift_prints_every_project_with_its_issue_and_a_new_task_knows_since_when(
    scratch: Scratch, service: DeployedService, github: Store, flags: tuple[str, list[Received]]
) -> None:
    received = flags[1]
    first = scratch.cli("drift")
    assert first.returncode == 1, first.stdout + first.stderr
    rows = {line.split()[0]: line for line in first.stdout.splitlines()}
    for name in (f"{NAMED}@main:first", f"{NAMED}@main:slow", f"{UNNAMED}@main:dns", f"{UNNAMED}@main:vpc"):
        assert re.search(r" drifted +1 to add, .* https://github.com/\S+/issues/\d+$", rows[name]), first.stdout
    assert " failed " in rows[f"{NAMED}@main:missing"]
    assert "5 projects" in first.stdout
    assert "4 drifted, 1 failed, 0 locked, 0 clean" in first.stdout
    assert len(github.issues.listing(UNNAMED, {})) == 2
    assert _posted(service, received) == [
        (NAMED, "main", 1, {"first": "Plan: 1 to add, 0 to change, 0 to destroy."}),
        (NAMED, "main", 1, {"slow": "Plan: 1 to add, 0 to change, 0 to destroy."}),
        (UNNAMED, "main", 2, dict.fromkeys(("dns", "vpc"), "Plan: 1 to add, 0 to change, 0 to destroy.")),
    ]

    before, since = _task(service), {name: event["since"] for name, event in _detect(scratch).items()}
    service.client("ecs").update_service(cluster=service.cluster, service=service.name, forceNewDeployment=True)
    lifecycle.bring_up(service, clean_environment())
    assert _task(service) != before
    found = _detect(scratch, credentials=_documented_role(service))
    assert {name: event["since"] for name, event in found.items()} == since


def test_a_deployment_waits_for_a_detection_and_pull_requests_are_planned_during_it(
    scratch: Scratch, service: DeployedService, github: Store
) -> None:
    before = _task(service)
    github.commit(NAMED, "main", {"slow/slow.sh": f"sleep 12\n{_CREDENTIALS}"}, "A plan that takes longer")
    with subprocess.Popen(
        scratch.command("drift"), env=scratch.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        eventually("the lock of the detection", lambda: _detections(service))
        service.client("ecs").update_service(cluster=service.cluster, service=service.name, forceNewDeployment=True)
        planned = _opened(service, github, "first")
        locked = _opened(service, github, "slow")
        assert "Plan: 1 to add, 0 to change, 0 to destroy." in comment(github, planned, "Ran Plan for dir: `first`")
        said = comment(github, locked, "Ran Plan for dir: `slow`")
        assert re.search(r"locked by an unapplied plan from pull #-\d+", said), said
        assert _detections(service)
        assert _task(service) == before
        progress = running.communicate(timeout=400)[1]
    assert f"{NAMED}@main:slow: drifted" in progress, progress
    eventually("the deployment after the detection", lambda: _task(service) not in (None, before))
    lifecycle.bring_up(service, clean_environment())
    for pull in (planned, locked):
        _closed(service, github, github.close(pull))


def _opened(service: DeployedService, github: Store, directory: str) -> PullRequest:
    pull = github.open_pull_request(NAMED, f"change-{directory}", {f"{directory}/new.tf": "# new\n"}, "A change")
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    return pull


@pytest.fixture(scope="module")
def target(watched: Sandbox) -> Target:
    return Target.of(watched)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("row", api_secret.ROWS, ids=[row.name for row in api_secret.ROWS])
def test_an_attack_on_the_api_is_denied(target: Target, row: Row) -> None:
    result = run(row, target)
    assert result.verdict is Verdict.REFUSED, result


def test_inside_the_task_the_secret_opens_the_api_so_the_load_balancer_must_deny_it(target: Target) -> None:
    port = StatusFile(target.deployment.state, target.deployment.name).read().port
    for secret, statuses in ((target.secrets["ATLANTIS_API_SECRET"], {200, 207}), ("guessed", {401})):
        asked = {"repository": NAMED, "ref": "main", "type": "Github", "paths": [{"directory": "first"}]}
        assert Server(f"http://127.0.0.1:{port}", secret).detect(asked)[0] in statuses


def test_a_repository_is_rehearsed_with_the_roles_of_plans_and_applies(watched: Sandbox, tmp_path: Path) -> None:
    """`test_rehearsed_repository` has the rest: here, only the backend calls AWS."""
    iam_evaluator()
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "main.tf").write_text(_project("team"), encoding="utf-8")
    run = rehearse(PullRequests.of(watched), Wanted(tmp_path / "team", apply=True))
    assert run.problems() == [], [step.text for step in (*run.steps, *run.checked) if step.failed]
    by = {(step.verb, call.role) for step in run.steps for call in step.calls}
    plan, apply = (f"atlantis-ecs-task-{role}-local" for role in ("plan", "apply"))
    assert by == {("plan", plan), ("plan again", plan), *((verb, apply) for verb in ("apply", "update", "destroy"))}
    (roles,) = run.roles.values()
    planned_actions, applied_actions = (
        {action for item in found for action in item.actions}
        for found in (roles.plan_statements, roles.apply_statements)
    )
    assert "s3:PutObject" in applied_actions - planned_actions


def _closed(service: DeployedService, github: Store, pull: PullRequest) -> None:
    """Atlantis releases the locks of a pull request that is closed."""
    assert deliver(service, "pull_request", events.pull_request(github, pull, action="closed")).status == 200
    eventually("the release of its locks", lambda: pull.number not in _locking(service))
