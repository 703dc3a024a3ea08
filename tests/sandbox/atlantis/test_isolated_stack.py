"""The stack with Terraform in separate containers: plans, applies, interrupts, and attacks on what is next to a plan."""

import json
import os
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.atlantis import lifecycle
from sandbox.attack import exhaustion, isolation, left_behind, localhost
from sandbox.attack.row import Result, Verdict, run, run_all
from sandbox.attack.target import Target
from sandbox.pull_requests import PullRequests, deliver
from sandbox.repository_rehearsal.rehearsed_repository import Wanted, rehearse
from sandbox.sandbox import Sandbox
from sandbox.testbed import processes
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store
from sandbox.testbed.local_aws.task_status import StatusFile
from sandbox.testbed.paths import CHECKOUT
from tests.needs import iam_evaluator, needs, needs_containers, needs_provider
from tests.sandbox.atlantis.conftest import eventually, seen_by
from tests.sandbox.atlantis.pull_requests import RESOURCE, TOPIC, comment, open_pull_request, open_with_files, say
from tests.sandbox.atlantis.served import reachable_ground, served, service_of
from tests.sandbox.atlantis.world import OWNER, TABLE

pytestmark = [needs("terraform"), needs_containers()]

_PLAN, _APPLY = "Ran Plan for dir: `.`", "Ran Apply for dir: `.`"
_SLOW = 'provisioner "local-exec" {\n command = "echo it began; sleep 600"\n }'


_BESIDE = [row for row in (*isolation.ROWS, *left_behind.ROWS, *exhaustion.ROWS, *localhost.ROWS) if row.isolation]
"""Attacks that need no setting other than `terraformIsolation`; `test_isolated_roles` and `test_drift_stack` have the others."""


@pytest.fixture(scope="module")
def rules() -> Iterator[str]:
    """The path of the example's rules in the checkout, for the repositories here; without the workflow that needs conftest."""
    example = (CHECKOUT / "examples" / "isolated.yaml").read_text(encoding="utf-8")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=CHECKOUT / ".sandbox") as file:
        file.write(example.replace("my-organization", OWNER).replace("    workflow: checked\n", ""))
        file.flush()
        yield str(Path(file.name).relative_to(CHECKOUT))


@pytest.fixture(scope="module")
def isolated(rules: str) -> Iterator[Sandbox]:
    """The deployed stack."""
    with reachable_ground() as ground, served(ground, terraformIsolation="containers", repoConfigFile=rules) as sandbox:
        yield sandbox


@pytest.fixture
def service(isolated: Sandbox) -> DeployedService:
    found = service_of(isolated)
    # Not only healthy once: the test before may have ended the task, or failed meanwhile.
    lifecycle.bring_up(found, clean_environment(), patience=180)
    return found


@pytest.fixture
def github(service: DeployedService) -> Store:
    return Store(service.state / "github")


@pytest.fixture(scope="module")
def target(isolated: Sandbox) -> Target:
    return Target.of(isolated)


@pytest.fixture(scope="module")
def results(target: Target) -> dict[str, Result]:
    """The results of the attacks, which run in parallel, by the row's name."""
    return {result.row.name: result for result in run_all(_BESIDE, target)}


def _container(service: DeployedService, name: str) -> processes.Process:
    found = processes.find(service.state, f"{service.name}.{name}" if name else service.name)
    assert found is not None
    return found


def _planned(service: DeployedService, github: Store, name: str, **more: str) -> PullRequest:
    pull = open_pull_request(github, name, "v1", **more)
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, _PLAN, seconds=120)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan, plan
    github.approve(pull, "reviewer")
    return pull


def _locks(service: DeployedService) -> list[dict[str, Any]]:
    """The locks of states; the digests of states are in the same table."""
    items = service.client("dynamodb").scan(TableName=TABLE)["Items"]
    return [item for item in items if not item["LockID"]["S"].endswith("-md5")]


def _again(service: DeployedService) -> None:
    """Start another task, as a deployment does, and wait for it."""
    before = StatusFile(service.state, service.name).read().task
    service.client("ecs").update_service(cluster=service.cluster, service=service.name, forceNewDeployment=True)
    lifecycle.bring_up(service, clean_environment(), patience=180)
    assert StatusFile(service.state, service.name).read().task != before


def test_the_task_has_a_container_for_each_part_and_only_the_server_has_its_volume(service: DeployedService) -> None:
    data = "/home/atlantis/.atlantis/atlantis.db"
    assert seen_by(_container(service, ""), data).exists()
    for name in ("plan", "apply", "agent"):
        assert _container(service, name).alive
        assert not seen_by(_container(service, name), data).exists()


def test_an_apply_works_after_the_whole_task_was_replaced(service: DeployedService, github: Store) -> None:
    pull = _planned(service, github, "replaced")
    _again(service)
    say(service, pull, "atlantis apply")
    apply = comment(github, pull, _APPLY, seconds=120)
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in apply, apply


def test_a_plan_uses_the_plan_role_and_an_apply_the_apply_role(service: DeployedService, github: Store) -> None:
    pull = _planned(service, github, "roles")
    say(service, pull, "atlantis apply")
    assert "Apply complete!" in comment(github, pull, _APPLY, seconds=120)
    log = (service.state / "local-aws" / "iam-decisions.jsonl").read_text()
    calls = [call for line in log.splitlines() if f"{OWNER}.roles" in (call := json.loads(line))["principal"]]
    by: dict[str, set[str]] = {}
    for call in calls:
        role, session = call["principal"].rsplit("/", 2)[1:]
        by.setdefault(f"{role}/{session.partition('.')[0]}", set()).add(call["action"])
    # Both lock the state; the session says which command and which repository it belongs to.
    plan, apply = "atlantis-ecs-task-plan-local", "atlantis-ecs-task-apply-local"
    assert by.keys() == {f"{plan}/init", f"{plan}/plan", f"{apply}/apply"}
    assert "dynamodb:PutItem" in by[f"{plan}/plan"]
    assert "dynamodb:PutItem" in by[f"{apply}/apply"]


@pytest.mark.parametrize("source", ["git::https://github.com/{}.git", "git@github.com:{}.git"])
def test_a_private_module_is_downloaded_for_a_plan_and_for_the_apply(
    service: DeployedService, github: Store, source: str
) -> None:
    name = f"module-{secrets.token_hex(3)}"
    github.create_repository(f"{OWNER}/{name}", {"main.tf": 'output "said" {\n  value = "from the module"\n}\n'})
    module = f'}}\nmodule "private" {{\n  source = "{source.format(f"{OWNER}/{name}")}"\n}}\n'
    use = 'output "said" {\n  value = module.private.said\n'
    pull = _planned(service, github, f"uses-{name}", extra=module + use)
    say(service, pull, "atlantis apply")
    apply = comment(github, pull, _APPLY, seconds=120)
    assert 'said = "from the module"' in apply, apply


def test_the_hook_of_the_example_generates_a_file_in_the_plan_container(
    service: DeployedService, github: Store
) -> None:
    here = "if [ -e /home/atlantis/.atlantis/atlantis.db ]; then echo server; else echo plan; fi"
    generate = f'printf \'container = "%s"\' "$({here})" >versions.auto.tfvars\n'
    use = 'variable "container" {}\noutput "container" {\n  value = var.container\n}\n'
    files = {"main.tf": use + RESOURCE, "generate.sh": generate}
    pull = open_with_files(github, "generated", files, default_branch="main")
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, _PLAN, seconds=120)
    assert '+ container = "plan"' in plan, plan


@needs_provider()
def test_a_repository_is_rehearsed_with_the_roles_of_plans_and_applies(isolated: Sandbox, tmp_path: Path) -> None:
    iam_evaluator()
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "main.tf").write_text(TOPIC, encoding="utf-8")
    run = rehearse(PullRequests.of(isolated), Wanted(tmp_path / "team", apply=True))
    assert run.problems() == [], [step.text for step in (*run.steps, *run.checked) if step.failed]
    by = {(step.verb, call.role) for step in run.steps for call in step.calls}
    plan, apply = (f"atlantis-ecs-task-{role}-local" for role in ("plan", "apply"))
    assert by == {("plan", plan), ("plan again", plan), *((verb, apply) for verb in ("apply", "update", "destroy"))}
    (roles,) = run.roles.values()
    planned, applied = (
        {action for item in found for action in item.actions}
        for found in (roles.plan_statements, roles.apply_statements)
    )
    assert {"sns:CreateTopic", "sns:TagResource", "s3:PutObject"} <= applied
    assert not {"sns:CreateTopic", "s3:PutObject"} & planned


def test_a_deployment_waits_for_an_apply(service: DeployedService, github: Store) -> None:
    pull = _planned(service, github, "protected", extra='provisioner "local-exec" {\n command = "sleep 25"\n }')
    before = StatusFile(service.state, service.name).read().task
    say(service, pull, "atlantis apply")
    ecs = service.client("ecs")

    def is_protected() -> bool:
        found = ecs.get_task_protection(cluster=service.cluster, tasks=[before])["protectedTasks"]
        return bool(found) and found[0]["protectionEnabled"]

    eventually("the protection", is_protected, seconds=60)
    ecs.update_service(cluster=service.cluster, service=service.name, forceNewDeployment=True)
    # Without the protection, the server would get its signal at once.
    time.sleep(6)
    assert _container(service, "").lasting
    assert "Apply complete!" in comment(github, pull, _APPLY, seconds=120)
    after = lifecycle.bring_up(service, clean_environment(), patience=180)
    assert after.task != before


@pytest.mark.parametrize("killed", ["", "server's task"], ids=["server", "task"])
def test_a_killed_server_and_a_stopped_task_interrupt_the_apply_and_release_the_lock(
    service: DeployedService, github: Store, killed: str
) -> None:
    pull = _planned(service, github, f"interrupted-{len(killed)}", extra=_SLOW)
    say(service, pull, "atlantis apply")
    eventually("the state's lock", lambda: _locks(service), seconds=90)
    log = service.state / "logs" / f"{service.name}.log"
    eventually("the provisioner", lambda: "it began" in log.read_text() or _children(service), seconds=60)
    process, before = _container(service, ""), StatusFile(service.state, service.name).read().task
    os.kill(process.pid, signal.SIGTERM if killed else signal.SIGKILL)
    if killed:
        # The server waits for the apply; a second signal is the end of ECS' patience.
        os.kill(process.pid, signal.SIGKILL)
    eventually("the release of the lock", lambda: not _locks(service), seconds=60)
    after = lifecycle.bring_up(service, clean_environment(), patience=240)
    assert after.task != before


def _children(service: DeployedService) -> bool:
    """Whether the provisioner's `sleep` runs in the apply container."""
    root = f"/proc/{_container(service, 'apply').pid}/root/proc"
    return any(b"sleep\x00600" in path.read_bytes() for path in Path(root).glob("[0-9]*/cmdline"))


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("name", [row.name for row in _BESIDE])
def test_an_attack_on_what_is_beside_a_plan_is_denied(results: dict[str, Result], name: str) -> None:
    assert results[name].verdict is Verdict.REFUSED, results[name]


def test_without_the_rights_of_the_sockets_a_plan_reaches_its_executor(
    service: DeployedService, target: Target
) -> None:
    row = next(row for row in isolation.ROWS if row.name == "isolation-sockets")
    folder = seen_by(_container(service, "plan"), "/run/isolation/plan")
    socket = folder / "executor.sock"
    before = folder.stat().st_mode, socket.stat().st_mode
    folder.chmod(0o755)
    socket.chmod(0o666)
    try:
        result = run(row, Target.of(target.sandbox))
    finally:
        folder.chmod(before[0])
        socket.chmod(before[1])
    assert result.verdict is Verdict.ALLOWED, result
