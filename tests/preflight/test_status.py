"""`make status` of a stack with workers: what is shown, and that the role that deploys may read it."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from components import settings
from preflight import status
from preflight.aws import IAM_PREFIXES, Aws
from preflight.deployment import Deployment
from preflight.errors import FailedError
from tests.aws_roles import ACCOUNT, REGION, actions_of
from tests.unit.recording import LOCAL

NOW = datetime.now(UTC)
ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


class Clock(datetime):
    """One moment, so that ages are the same however long the tests take."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        assert tz is UTC
        return NOW


TASK = {"lastStatus": "RUNNING", "healthStatus": "HEALTHY", "startedAt": NOW - timedelta(hours=5)}
PREFIXES = {**IAM_PREFIXES, "efs": "elasticfilesystem"}
VALUES = LOCAL | {
    "terraformIsolation": "tasks",
    "driftProjects": ["my-organization/network:vpc"],
    "alarmTopicArns": [f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"],
}


def _alarm(name: str, state: str) -> dict[str, Any]:
    since = NOW - timedelta(minutes=7)
    return {
        "AlarmName": f"atlantis-prod-{name}",
        "StateValue": state,
        "StateUpdatedTimestamp": since,
        "AlarmDescription": f"docs/on-call.md#{name}",
    }


class Account(Aws):
    """Answers for a server with a task and two plan workers, one of which runs a command; `denied` lacks rights."""

    def __init__(self, denied: str = "") -> None:
        super().__init__(REGION, boto3.Session())
        self.denied, self.actions = denied, set[str]()

    def _call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        name = self._client(service).meta.method_to_api_mapping[operation]
        self.actions.add(f"{PREFIXES.get(service, service)}:{name}")
        if service == self.denied:
            raise self._client(service).exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, operation)
        return self._answer(operation, parameters)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        name = (parameters.get("services") or [parameters.get("serviceName", "")])[0]
        tasks = [f"{ARN}:task/atlantis-prod/{name}-{n}" for n in range(2 if name.endswith("-plan") else 1)]
        deployment = {
            "status": "PRIMARY",
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": "ECS deployment in progress.",
            "createdAt": NOW - timedelta(days=3),
            "taskDefinition": f"{ARN}:task-definition/atlantis-prod:7",
        }
        service = {"status": "ACTIVE", "desiredCount": len(tasks), "taskDefinition": "t", "deployments": [deployment]}
        tags = [{"Key": key, "Value": VALUES_PARSED.tags[key]} for key in ("Project", "Environment", "ManagedBy")]
        point = {"Status": "COMPLETED", "CreationDate": NOW - timedelta(hours=9)}
        given = parameters.get("tasks", [])
        answers: dict[str, dict[str, Any]] = {
            "get_caller_identity": {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:role/deployer"},
            "describe_services": {"services": [service]},
            "describe_task_definition": {
                "taskDefinition": {"containerDefinitions": [{"name": "atlantis", "image": "atlantis:v0.47.1"}]}
            },
            "list_tasks": {"taskArns": tasks},
            "describe_tasks": {"tasks": [TASK | {"taskArn": arn} for arn in given]},
            "get_task_protection": {
                "protectedTasks": [{"taskArn": arn, "protectionEnabled": arn.endswith("-plan-1")} for arn in given]
            },
            "describe_file_systems": {
                "FileSystems": [
                    {"FileSystemId": "fs-2", "FileSystemArn": "other", "Tags": []},
                    {"FileSystemId": "fs-1", "FileSystemArn": "own", "Tags": tags},
                ]
            },
            "list_recovery_points_by_resource": {
                "RecoveryPoints": [point, {"Status": "PARTIAL", "CreationDate": NOW}]
                if parameters.get("ResourceArn") == "own"
                else []
            },
            "describe_load_balancers": {"LoadBalancers": [{"LoadBalancerArn": "lb"}]},
            "describe_listeners": {"Listeners": [{}, {"Certificates": [{"CertificateArn": "c"}]}]},
            "describe_certificate": {
                "Certificate": {
                    "DomainName": "atlantis.example.com",
                    "Status": "ISSUED",
                    "NotAfter": NOW + timedelta(days=63, hours=1),
                }
            },
            "describe_alarms": {
                "MetricAlarms": [_alarm("drift", "ALARM"), _alarm("drift-detection", "OK"), _alarm("memory", "OK")]
            },
        }
        return answers[operation]


VALUES_PARSED = settings.parse({key: value for key, value in VALUES.items() if value}, stack="prod", region=REGION)
LOCKS = [
    {
        "ProjectRepo": "my-organization/network",
        "ProjectRepoPath": path,
        "Workspace": "default",
        "PullURL": f"https://github.com/my-organization/network/pull/{number}",
        "User": "alice",
        "Time": (NOW - timedelta(days=number)).isoformat(),
    }
    for number, path in ((1, "dns"), (4, "vpc"))
]


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server answers, by path."""
    answers: dict[str, Any] = {"/status": {"in_progress_operations": 1}, "/api/locks": {"Locks": LOCKS}}
    monkeypatch.setattr(status._Server, "get", lambda _, path: answers[path])
    monkeypatch.setattr(status, "datetime", Clock)
    return answers


def page(account: Account, *, as_json: bool = False) -> str:
    arguments = argparse.Namespace(json=as_json, server=None)
    return status.document(Deployment("prod", VALUES_PARSED, account), arguments)


def test_one_screen_has_everything_that_on_call_asks_for_first() -> None:
    assert page(account := Account()).splitlines() == [
        f"atlantis-prod in {REGION}, account {ACCOUNT}",
        "server      atlantis:v0.47.1; task atlantis-prod-0 RUNNING, HEALTHY, for 5 h (1 wanted)",
        "deployment  atlantis-prod:7 IN_PROGRESS, begun 3 d ago: ECS deployment in progress.",
        "workers     plan: 2 of 2 run, 1 with commands; apply: 1 of 1 run, 0 with commands",
        "running     1 plans and applies in progress",
        "locks       2, the oldest first",
        f"{'':12}4 d: my-organization/network:vpc:default, alice, https://github.com/my-organization/network/pull/4",
        f"{'':12}24 h: my-organization/network:dns:default, alice, https://github.com/my-organization/network/pull/1",
        "backup      9 h ago, 1 recovery points of fs-1",
        "certificate atlantis.example.com ISSUED, 63 days left",
        "drift       drift: ALARM, drift-detection: OK",
        "alarms      1 of 3 in ALARM",
        f"{'':12}atlantis-prod-drift, 7 min: docs/on-call.md#drift",
    ]
    # Every caller may ask who it is.
    assert account.actions - actions_of("Deploy") == {"sts:GetCallerIdentity"}


def test_json_has_the_same_and_what_cannot_be_read_says_why(server: dict[str, Any]) -> None:
    server.pop("/status")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status._Server, "get", lambda *_: (_ for _ in ()).throw(FailedError("https://x doesn't answer")))
        found = json.loads(page(Account(denied="backup"), as_json=True))
    assert found["workers"]["plan"] == {"desired": 2, "running": 2, "busy": 1}
    assert found["certificate"]["days"] == 63
    assert found["backup"] == {"unknown": "the permission backup:ListRecoveryPointsByResource is missing"}
    assert found["locks"] == found["running"] == {"unknown": "https://x doesn't answer"}
