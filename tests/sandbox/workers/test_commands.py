"""Plans and applies in workers, with the real server."""

import json
from typing import Any

from sandbox.atlantis import lifecycle
from sandbox.pull_requests import deliver
from sandbox.samples import managed_service
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store
from tests.bench import workers as bench_workers
from tests.needs import needs, needs_containers, needs_provider
from tests.sandbox.atlantis.conftest import eventually, seen_by
from tests.sandbox.atlantis.local_service import OWNER
from tests.sandbox.atlantis.pull_requests import RESOURCE, comment, open_with_files, say
from tests.sandbox.workers.commands import APPLY, PLAN, PREFIX, applied, container, log_lines, planned, running, workers

pytestmark = [needs("terraform"), needs("stunnel"), needs_containers()]


def _described(service: DeployedService) -> list[dict[str, Any]]:
    ecs = service.client("ecs")
    arns = ecs.list_tasks(cluster=service.cluster, serviceName=service.name)["taskArns"]
    return ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"] if arns else []


def test_ecs_shows_the_addresses_the_health_and_the_containers_of_every_worker(service: DeployedService) -> None:
    addresses = set()
    for role, count in (("plan", 2), ("apply", 1)):
        tasks = _described(workers(service, role))
        assert len(tasks) == count
        for task in tasks:
            assert (task["lastStatus"], task["desiredStatus"], task["healthStatus"]) == (
                "RUNNING",
                "RUNNING",
                "HEALTHY",
            )
            assert {each["name"] for each in task["containers"]} == {"executor", "agent", "tls"}
            (attachment,) = task["attachments"]
            (detail,) = attachment["details"]
            addresses.add(detail["value"])
    assert len(addresses) == 3


def test_only_the_server_has_its_volume(service: DeployedService) -> None:
    data = "/home/atlantis/.atlantis/atlantis.db"
    assert seen_by(container(service), data).exists()
    for name in ("executor", "agent", ""):
        assert not seen_by(container(workers(service, "apply"), name), data).exists()


def test_an_apply_works_after_all_tasks_were_replaced(service: DeployedService, github: Store) -> None:
    pull = planned(service, github, "replaced")
    all_services = (service, workers(service, "plan"), workers(service, "apply"))
    before = {task.id for each in all_services for task in running(each)}
    for each in all_services:
        each.client("ecs").update_service(cluster=each.cluster, service=each.name, forceNewDeployment=True)
    lifecycle.bring_up(service, clean_environment())
    # A worker answers before the last task of its former revision has ended.
    eventually(
        "the end of the former tasks",
        lambda: not before & {task.id for each in all_services for task in running(each)},
    )
    say(service, pull, "atlantis apply")
    apply = comment(github, pull, APPLY)
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in apply, apply


@needs_provider()
def test_the_sample_service_has_its_state_below_the_prefix_of_its_repository(service: DeployedService) -> None:
    files = managed_service.files(service, f"{OWNER}/sample", "fileflow")
    assert f'"{PREFIX}/{OWNER}/sample/fileflow/terraform.tfstate"' in files["backend.tf"]


def test_a_plan_uses_the_plan_role_and_an_apply_the_apply_role_and_each_leaves_two_lines(
    service: DeployedService, github: Store
) -> None:
    applied(service, github, "roles")
    log = (service.state / "local-aws" / "iam-decisions.jsonl").read_text()
    calls = [call for line in log.splitlines() if f"{OWNER}.roles" in (call := json.loads(line))["principal"]]
    by: dict[str, set[str]] = {}
    for call in calls:
        role, session = call["principal"].rsplit("/", 2)[1:]
        by.setdefault(f"{role}/{session}", set()).add(call["action"])
    # Both lock the state; the session says which command and which pull request it belongs to.
    began, planning, applying = (
        f"atlantis-ecs-task-{role}-local/{command}.{OWNER}.roles.1"
        for role, command in (("plan", "init"), ("plan", "plan"), ("apply", "apply"))
    )
    assert by.keys() == {began, planning, applying}
    assert "dynamodb:PutItem" in by[planning]
    assert "dynamodb:PutItem" in by[applying]
    for role, commands in (("plan", ("init", "plan")), ("apply", ("apply",))):
        lines = [
            each for each in log_lines(workers(service, role), "executor") if each.get("repository") == f"{OWNER}/roles"
        ]
        assert [(each["command"], each["event"]) for each in lines] == [
            (command, event) for command in commands for event in ("start", "end")
        ]
        assert {each["exit"] for each in lines if each["event"] == "end"} == {0}


def test_private_modules_are_downloaded_for_a_plan_and_for_the_apply(service: DeployedService, github: Store) -> None:
    github.create_repository(f"{OWNER}/module", {"main.tf": 'output "said" {\n  value = "from the module"\n}\n'})
    uses = "}\n" + "".join(
        f'module "{name}" {{\n  source = "{source}"\n}}\noutput "{name}" {{\n  value = module.{name}.said\n}}\n'
        for name, source in (
            ("https", f"git::https://github.com/{OWNER}/module.git"),
            ("ssh", f"git@github.com:{OWNER}/module.git"),
        )
    )
    said = applied(service, github, "uses-modules", extra=uses.rstrip("}\n"))
    assert 'https = "from the module"' in said
    assert 'ssh = "from the module"' in said


def test_the_hook_of_the_example_generates_a_file_in_a_worker(service: DeployedService, github: Store) -> None:
    here = "if [ -e /home/atlantis/.atlantis/atlantis.db ]; then echo server; else echo worker; fi"
    generate = f'printf \'container = "%s"\' "$({here})" >versions.auto.tfvars\n'
    use = 'variable "container" {}\noutput "container" {\n  value = var.container\n}\n'
    files = {"main.tf": use + RESOURCE, "generate.sh": generate}
    pull = open_with_files(github, "generated", files, default_branch="main")
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, PLAN)
    assert '+ container = "worker"' in plan, plan


def test_many_pull_requests_at_once_use_all_workers_and_little_memory_of_the_server(
    service: DeployedService, github: Store
) -> None:
    run = bench_workers.plans_at_once(service, github, 12)
    assert run.unplanned == []
    assert len(run.by_worker) == 2
    assert min(run.by_worker.values()) >= 3
    # 150 take 225; without a limit for clones, each of these would take 10 more.
    assert run.server_mib < 250
