"""Drift detection on the real server: the four results, their issues, and a server that was stopped in the middle."""

import contextlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from components.configuration import server_configuration
from isolation.drift.configuration import Configuration
from isolation.drift.discovery import Discovery
from isolation.drift.issues import Issues
from isolation.drift.log import AgentLog
from isolation.drift.results import ProjectResult, Result
from isolation.drift.run import DriftDetection
from isolation.drift.server import Server
from isolation.github import App, PrivateKey, Rest
from sandbox.atlantis import lifecycle
from sandbox.pull_requests import deliver
from sandbox.testbed import processes
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github import events
from sandbox.testbed.github.server import GitHub
from sandbox.testbed.github.store import Store
from tests.needs import needs
from tests.sandbox.atlantis.conftest import eventually, status
from tests.sandbox.atlantis.local_service import BUCKET, OWNER, TABLE, LocalService, create_lock_table
from tests.sandbox.atlantis.pull_requests import comment, project

pytestmark = needs("terraform")

_API_SECRET = "throw-away-" + "d" * 30
REPOSITORY = f"{OWNER}/watched"
_BROKEN = 'resource "terraform_data" "release" {'


def _project(name: str, value: str = "v1") -> str:
    return project(f"{name}/terraform.tfstate", value)


class _Protection:
    """Records what was protected, instead of the task protection."""

    def __init__(self) -> None:
        self.held = 0
        self.times = 0

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        self.held += 1
        self.times += 1
        yield
        self.held -= 1


class Watched:
    """The repository, the server and its detection."""

    def __init__(self, local: LocalService, store: Store, github: GitHub, app: App) -> None:
        self.local, self.store, self.github = local, store, github
        self.protection = _Protection()
        self.server = Server(self.address, _API_SECRET)
        self.rest = Rest(app.api, app.token, "issues: write")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{status(self.local).proxy_port}"

    def detect(self, *directories: str) -> dict[str, ProjectResult]:
        """One run; the results by directory."""
        found = self.detection(REPOSITORY, *directories).run_once(threading.Event())
        return {result.directory: result for result in found}

    def detection(self, repository: str, *directories: str) -> DriftDetection:
        document = {
            "schedule": {"everyHours": 1},
            "showPlan": False,
            "repositories": [{"repository": repository, "branch": "main", "directories": list(directories)}],
        }
        return DriftDetection(
            Configuration.parse(json.dumps(document)),
            self.server,
            Issues(self.rest, "https://atlantis.example.com"),
            self.protection,
            discovery=Discovery(self.rest),
            log=AgentLog("", "", lambda: pytest.fail("there is no log group")),
            busy_every=0.2,
        )

    def open_issues(self) -> list[dict[str, Any]]:
        return self.github.store.issues.listing(REPOSITORY, {"state": "open"})


@pytest.fixture(scope="module")
def watched(local: LocalService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The server with drift detection, and a repository whose project `clean` and `drifted` are applied."""
    local.aws.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": local.aws.region}
    )
    create_lock_table(local.aws.client("dynamodb"))
    secret = local.aws.client("secretsmanager").create_secret(
        Name="local-atlantis-api", SecretString=json.dumps({"api_secret": _API_SECRET})
    )["ARN"]
    local.allow_reading(secret)
    reference = {"name": server_configuration.variable("api-secret"), "valueFrom": f"{secret}:api_secret::"}
    local.run_with({"ATLANTIS_ENABLE_DRIFT_DETECTION": "true"}, [reference])

    store = Store(local.deployment.state / "github")
    names = ("clean", "drifted", "locked", "broken")
    store.create_repository(REPOSITORY, {f"{name}/README.md": name for name in names})
    first = {f"{name}/main.tf": _project(name) for name in ("clean", "drifted", "locked")}
    _apply(local, store, first)
    store.commit(REPOSITORY, "main", first | {"broken/main.tf": _BROKEN}, "Merge the first pull request")

    value = json.loads(local.aws.client("secretsmanager").get_secret_value(SecretId=local.app_secret)["SecretString"])
    app = App(
        host="github.com",
        app_id=value["app_id"],
        installation_id=value["installation_id"],
        key=PrivateKey.parse(value["private_key"]),
        permissions={"contents": "read", "issues": "write"},
    )
    # The server's own stand-in keeps its certificates; this one has the same App.
    separate = tmp_path_factory.mktemp("github")
    shutil.copy(store.registration, separate)
    with GitHub(separate) as github, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", github.proxy_url)
        patch.setenv("SSL_CERT_FILE", str(github.certificates.bundle))
        yield Watched(local, store, github, app)


def _apply(local: LocalService, store: Store, files: dict[str, str]) -> None:
    pull = store.open_pull_request(REPOSITORY, "first", files, "First resources")
    deliver(local.deployment, "pull_request", events.pull_request(store, pull))
    comment(store, pull, "Ran Plan for 3 projects")
    eventually("the end of the plan", lambda: Server(_root(local), "").operations() == 0)
    deliver(local.deployment, "issue_comment", events.comment(pull, "atlantis apply"))
    assert "Apply complete!" in comment(store, pull, "Ran Apply for 3 projects")
    deliver(local.deployment, "pull_request", events.pull_request(store, store.close(pull), action="closed"))
    eventually("the release of its locks", lambda: not _locks(local))


def _root(local: LocalService) -> str:
    return f"http://127.0.0.1:{status(local).proxy_port}"


def _locks(local: LocalService) -> list[Any]:
    return Server(_root(local), "")._call("GET", "/api/locks")[1].get("Locks") or []


def test_the_four_results_are_told_apart_and_drift_becomes_an_issue_that_the_repair_closes(watched: Watched) -> None:
    store = watched.store
    # The resource was changed out of band: here, the code says something else than what is deployed.
    store.commit(REPOSITORY, "main", {"drifted/main.tf": _project("drifted", "v2")}, "What should be")
    pull = store.open_pull_request(REPOSITORY, "second", {"locked/main.tf": _project("locked", "v2")}, "A change")
    deliver(watched.local.deployment, "pull_request", events.pull_request(store, pull))
    comment(store, pull, "Ran Plan for dir: `locked`")

    found = watched.detect("clean", "drifted", "locked", "broken")
    assert {name: result.result for name, result in found.items()} == {
        "clean": Result.CLEAN,
        "drifted": Result.DRIFTED,
        "locked": Result.LOCKED,
        "broken": Result.FAILED,
    }
    assert found["drifted"].changes == 1
    (issue,) = watched.open_issues()
    assert issue["title"] == "Drift in `drifted` (workspace `default`) on `main`"
    assert "Plan: 0 to add, 1 to change, 0 to destroy" in issue["body"]
    assert "v2" not in issue["body"]
    assert (watched.protection.times, watched.protection.held) == (4, 0)

    assert watched.detect("drifted")["drifted"].result is Result.DRIFTED
    assert [again["number"] for again in watched.open_issues()] == [issue["number"]]

    store.commit(REPOSITORY, "main", {"drifted/main.tf": _project("drifted")}, "As it was")
    assert watched.detect("drifted")["drifted"].result is Result.CLEAN
    assert watched.open_issues() == []
    assert [lock for lock in _locks(watched.local) if int(lock["PullID"]) < 0] == []


def test_a_detection_that_was_killed_leaves_nothing_that_blocks_the_next_one(watched: Watched) -> None:
    store = watched.store
    # Its backend waits for credentials: the detection is killed while it holds the project's lock.
    slow = project("slow/terraform.tfstate", backend='shared_config_files = ["aws"]\n profile = "slow"')
    credentials = "[profile slow]\ncredential_process = sleep 60\n"
    store.commit(REPOSITORY, "main", {"slow/main.tf": slow, "slow/aws": credentials}, "A project that takes long")
    background = threading.Thread(target=lambda: watched.detect("slow"), daemon=True)
    background.start()
    eventually("the lock of the detection", lambda: [lock for lock in _locks(watched.local) if int(lock["PullID"]) < 0])
    deployment, killed = watched.local.deployment, status(watched.local).task
    server = processes.find(deployment.state, deployment.name)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    background.join(timeout=60)
    eventually("the end of the killed task", lambda: status(watched.local).task != killed)
    lifecycle.bring_up(deployment, clean_environment())
    assert [lock for lock in _locks(watched.local) if int(lock["PullID"]) < 0] != []

    watched.server = Server(watched.address, _API_SECRET)
    store.commit(REPOSITORY, "main", {"slow/main.tf": _project("slow")}, "A quick project again")
    assert watched.detect("slow")["slow"].result is Result.DRIFTED
    assert [lock for lock in _locks(watched.local) if int(lock["PullID"]) < 0] == []


def test_an_old_lock_of_the_state_is_reported_with_the_command_that_releases_it(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    client = watched.local.aws.client("dynamodb")
    path, held = f"{BUCKET}/held/terraform.tfstate", "6f1c9c1a-9d3c-5f0e-0b1a-1f6c2b3d4e5f"
    lock = {"ID": held, "Operation": "OperationTypePlan", "Path": path, "Who": "a@b", "Version": "1.5.7", "Info": ""}
    lock["Created"] = "2026-01-02T03:04:05.123456789Z"
    client.put_item(TableName=TABLE, Item={"LockID": {"S": path}, "Info": {"S": json.dumps(lock)}})
    watched.store.commit(REPOSITORY, "main", {"held/main.tf": _project("held")}, "A project whose state is locked")
    assert watched.detect("held")["held"].result is Result.FAILED
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (found,) = [event for event in events if event["event"] == "drift-state-locked"]
    assert (found["project"], found["path"], found["since"]) == (
        "held:default",
        path,
        "2026-01-02 03:04:05.123456789 +0000 UTC",
    )
    assert found["command"] == f"terraform force-unlock {held}"


def test_a_repository_outside_the_allowlist_fails_and_says_so(watched: Watched) -> None:
    (result,) = watched.detection("somebody/else", ".").run_once(threading.Event())
    assert result.result is Result.FAILED
    assert "500" in result.error or "allowlist" in result.error, result.error
