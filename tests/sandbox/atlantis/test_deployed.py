"""The local stack, deployed by the real engine, with the real server in it: what a person does, and what must hold."""

import base64
import json
import re
import shutil
import subprocess
import sys

import pytest

from sandbox.atlantis import build
from sandbox.attack import page
from sandbox.attack.row import Verdict, run
from sandbox.attack.target import Target
from sandbox.pull_requests import deliver
from sandbox.samples import managed_service
from sandbox.testbed import terraform_provider
from sandbox.testbed.containers import websocket
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.targets import Response, entrance
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store
from sandbox.testbed.local_aws.listener_rules import Request
from sandbox.testbed.local_aws.task_status import Status, StatusFile
from sandbox.testbed.paths import CHECKOUT
from tests.needs import needs, needs_provider
from tests.sandbox import identity_provider
from tests.sandbox.atlantis.conftest import fetch
from tests.sandbox.atlantis.local_service import BUCKET, OWNER, TABLE
from tests.sandbox.atlantis.pull_requests import comment, open_pull_request, say, when_idle
from tests.sandbox.harness import Scratch
from tests.sandbox.identity_provider import IdentityProvider

_CLIENT_SECRET = "local-atlantis-oidc"

needs_terraform = needs("terraform")


@pytest.fixture
def github(service: DeployedService) -> Store:
    return Store(service.state / "github")


def _status(service: DeployedService) -> Status:
    return StatusFile(service.state, service.name).read()


def test_a_signed_sample_event_is_answered_and_an_unsigned_one_is_not(up: Scratch) -> None:
    ping = up.cli("webhook", "--event", "ping")
    assert (ping.returncode, ping.stdout.splitlines()[0]) == (0, "POST /events (ping) -> 200")
    unsigned = up.cli("webhook", "--event", "ping", "--unsigned")
    assert (unsigned.returncode, unsigned.stdout.splitlines()[0]) == (1, "POST /events (ping) -> 400")


def test_the_events_of_the_service_name_the_task_that_ecs_lists(service: DeployedService) -> None:
    ecs = service.client("ecs")
    (task,) = ecs.list_tasks(cluster=service.cluster, serviceName=service.name)["taskArns"]
    (described,) = ecs.describe_services(cluster=service.cluster, services=[service.name])["services"]
    named = re.findall(r"\btask ([0-9a-f]{8})", " ".join(event["message"] for event in described["events"]))
    assert task.rpartition("/")[2].startswith(named[0]), described["events"]


@needs_terraform
def test_a_sample_pull_request_is_planned(up: Scratch) -> None:
    answer = up.cli("webhook")
    assert answer.returncode == 0, answer.stderr
    assert "POST /events (pull_request) -> 200\nProcessing..." in answer.stdout
    resources = 22 if terraform_provider.find() else 1
    assert f"Plan: {resources} to add, 0 to change, 0 to destroy." in answer.stdout


@needs_provider()
def test_a_managed_service_is_created_changed_and_destroyed_under_the_deployed_role(
    service: DeployedService, github: Store
) -> None:
    def ask(event: str, body: bytes, beginning: str) -> str:
        before = len(github.recorded("comments"))
        when_idle(service)
        assert deliver(service, event, body).status == 200
        return comment(github, pull, beginning, before)

    def command(text: str, beginning: str) -> str:
        return ask("issue_comment", events.comment(pull, text), beginning)

    repository, plan, apply = f"{OWNER}/fileflow", "Ran Plan for dir: `.`", "Ran Apply for dir: `.`"
    github.create_repository(repository, {"README.md": "The service fileflow\n"})
    files = managed_service.files(service, repository, "fileflow")
    pull = github.open_pull_request(repository, "service", files, "Add the service")
    assert "Plan: 22 to add, 0 to change, 0 to destroy." in ask("pull_request", events.pull_request(github, pull), plan)
    github.approve(pull, "reviewer")
    assert "Apply complete! Resources: 22 added, 0 changed, 0 destroyed." in command("atlantis apply", apply)

    github.commit(
        repository, "service", managed_service.files(service, repository, "fileflow", retention_days=14), "Keep the log"
    )
    change = ask("pull_request", events.pull_request(github, pull, "synchronize"), plan)
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in change, change
    assert "Apply complete! Resources: 0 added, 1 changed, 0 destroyed." in command("atlantis apply", apply)
    (group,) = service.client("logs").describe_log_groups(logGroupNamePrefix="/ecs/fileflow")["logGroups"]
    assert group["retentionInDays"] == 14

    # A commit that removes the resources, because a comment can't have the argument -destroy.
    without_resources = files["main.tf"].partition("\nresource ")[0]
    github.commit(repository, "service", files | {"main.tf": without_resources}, "Remove the service")
    removal = ask("pull_request", events.pull_request(github, pull, "synchronize"), plan)
    assert "Plan: 0 to add, 0 to change, 22 to destroy." in removal, removal
    assert "Apply complete! Resources: 0 added, 0 changed, 22 destroyed." in command("atlantis apply", apply)
    decisions = (service.state / "local-aws" / "iam-decisions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [item for item in map(json.loads, decisions) if item["result"] != "Allowed"] == []


def test_the_log_is_shown(up: Scratch) -> None:
    # More lines than the tests before this one write after the start.
    answer = up.cli("logs", "--no-follow", "--lines", "5000")
    assert answer.returncode == 0
    assert "Atlantis started - listening on port" in answer.stdout


def test_the_deployed_rules_lead_to_the_server(service: DeployedService) -> None:
    balancer = entrance(service)
    assert balancer.host == "atlantis.example.com"
    assert balancer.request("GET", "/healthz").status == 200
    redirected = balancer.request("GET", "/", port=80)
    assert (redirected.status, redirected.headers["location"]) == (301, "https://atlantis.example.com:443/")


@needs_terraform
def test_a_pull_request_is_planned_and_after_approval_applied_under_the_deployed_role(
    service: DeployedService, github: Store
) -> None:
    encryption = service.client("s3").get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    key = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    states = service.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"]
    pull = open_pull_request(github, "network", "v1", backend=f'kms_key_id = "{key}"')
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan, plan
    assert "Plan Error" not in plan, plan

    before = len(github.recorded("comments"))
    say(service, pull, "atlantis apply")
    refusal = comment(github, pull, "Ran Apply for dir: `.`", before)
    assert "approved" in refusal, refusal
    assert service.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == states

    before = len(github.recorded("comments"))
    github.approve(pull, "reviewer")
    say(service, pull, "atlantis apply")
    apply = comment(github, pull, "Ran Apply for dir: `.`", before)
    assert "Apply complete! Resources: 1 added" in apply, apply
    stored = service.client("s3").get_object(Bucket=BUCKET, Key="network/terraform.tfstate")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", key)
    assert [resource["name"] for resource in json.loads(stored["Body"].read())["resources"]] == ["release"]
    digests = [item["LockID"]["S"] for item in service.client("dynamodb").scan(TableName=TABLE)["Items"]]
    assert f"{BUCKET}/network/terraform.tfstate-md5" in digests
    assert github.unexpected() == []


@needs_terraform
def test_every_attack_is_refused_and_every_control_allowed(up: Scratch) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "sandbox.attack", "--json"],
        cwd=CHECKOUT,
        env=up.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    results = json.loads(answer.stdout)
    unacceptable = {
        result["name"]: f"{result['verdict']}: {result['attempt']} / {result['control']}"
        for result in results
        if result["verdict"] not in {"refused", "skipped"}
    }
    assert unacceptable == {}, unacceptable
    assert answer.returncode == 0, answer.stderr
    assert sum(result["verdict"] == "refused" for result in results) >= 30


def test_the_password_of_the_page_opens_it(up: Scratch, service: DeployedService) -> None:
    user, password = up.cli("password").stdout.split()
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    answer = entrance(service).request("GET", "/", headers={"Authorization": f"Basic {credentials}"})
    assert (answer.status, b"<title>atlantis" in answer.body) == (200, True)


def _apply_for(seconds: int, service: DeployedService, github: Store) -> PullRequest:
    """A pull request whose apply has begun and goes on for ``seconds``."""
    long = f'provisioner "local-exec" {{\n    command = "sleep {seconds}"\n  }}'
    pull = open_pull_request(github, "long", "v1", extra=long)
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    comment(github, pull, "Ran Plan for dir: `.`")
    github.approve(pull, "reviewer")
    say(service, pull, "atlantis apply")
    return pull


def test_the_operators_page_shows_the_deployed_server(up: Scratch, service: DeployedService) -> None:
    lines = dict(line.split(maxsplit=1) for line in up.cli("status").stdout.splitlines() if not line.startswith(" "))
    task = StatusFile(service.state, service.name).read().task
    assert f"atlantis:{build.version()}; task {task} RUNNING" in lines["server"]
    assert " COMPLETED, begun " in lines["deployment"]
    assert re.fullmatch(r"\d+ plans and applies in progress", lines["running"])
    assert lines["backup"].startswith("no recovery point yet of fs-")
    assert re.search(r" ISSUED, \d+ days left$", lines["certificate"])
    assert re.match(r"0 of \d+ in ALARM", lines["alarms"])


def test_an_update_lets_an_apply_end_then_stops_the_old_task_and_starts_the_new_one(
    up: Scratch,
    service: DeployedService,
    provider: IdentityProvider,
    github: Store,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pull = _apply_for(30, service, github) if shutil.which("terraform") else None
    # As docs/security.md says: the client secret first, then the settings.
    value = json.dumps({"client_secret": provider.client_secret})
    service.client("secretsmanager").create_secret(Name=_CLIENT_SECRET, SecretString=value)
    before = _status(service)
    up.with_server(logLevel="debug", **provider.settings(_CLIENT_SECRET)).up()
    assert _status(service).task != before.task
    assert _status(service).definition != before.definition
    if pull:
        assert "runs a plan or an apply and is protected until" in capfd.readouterr().out
        assert "Apply complete! Resources: 1 added" in comment(github, pull, "Ran Apply for dir: `.`")


@pytest.mark.filterwarnings(identity_provider.QUIET)
def test_people_sign_in_at_the_identity_provider_and_then_see_the_page(
    service: DeployedService, provider: IdentityProvider
) -> None:
    balancer, cookies = entrance(service), dict[str, str]()

    def get(path: str) -> Response:
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = balancer.request("GET", path, headers={"Cookie": sent} if sent else {})
        cookies.update(identity_provider.cookies(answer))
        return answer

    to_provider = get("/").headers["location"]
    assert to_provider.startswith(provider.url)
    assert get(provider.agree(to_provider)).status == 302
    assert b"Apply commands are enabled" in get("/").body


def test_without_a_session_events_and_the_health_check_still_work(up: Scratch, service: DeployedService) -> None:
    balancer = entrance(service)
    assert balancer.request("GET", "/").status == 302
    assert balancer.request("GET", "/healthz").status == 302
    assert fetch(f"http://127.0.0.1:{_status(service).port}/healthz")[0] == 200
    assert deliver(service, "ping", events.ping()).status == 200
    assert up.cli("password").returncode == 1
    target = Target.of(up.with_server())
    rows = [row for row in page.ROWS if "sign-in at the identity provider" in row.refused_by]
    assert {row.name: run(row, target).verdict for row in rows} == dict.fromkeys(
        ("page-without-session", "lock-without-session", "forged-answer"), Verdict.REFUSED
    )
    headers = {"Origin": f"https://{balancer.host}", "Upgrade": "websocket"}
    request = Request("127.0.0.1", path="/jobs/1/ws", host=balancer.host, headers=headers)
    with pytest.raises(websocket.NotForwardedError, match="answers 401"):
        websocket.connect(service.client("elbv2"), balancer, request)


def test_the_preflight_of_the_deployed_stack_finds_nothing_to_do(up: Scratch) -> None:
    answer = up.cli("preflight", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    results = {f"{result['subject']}: {result['title']}": result for result in json.loads(answer.stdout)}
    assert {result["status"] for result in results.values()} == {"ok", "not checked"}
    assert results["image: architecture"]["message"] == f"atlantis:{build.version()} is for amd64, arm64"
    assert results["DNS: hosted zone"]["status"] == "ok"
