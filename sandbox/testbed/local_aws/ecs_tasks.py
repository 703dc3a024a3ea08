"""ECS tasks that a task agent runs for the local AWS: their states, deployment results and task protection.

Without Docker, ministack reports a deployment as completed immediately. The task agent (``sandbox.atlantis``) records
the actual state. This module adds it to ECS' responses, so that clients get the same responses as from AWS. ministack's
responses are unchanged for a service without a running or expected agent.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from botocore import xform_name
from ministack.core import iam_actions
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import ecs

from sandbox.testbed import processes
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.local_aws.task_status import (
    EXPECTED,
    Outcome,
    Status,
    StatusFile,
    TaskRecord,
    agent_name,
)

_PROTECTIONS = "protections.json"
_DEFAULT_MINUTES, _LONGEST_MINUTES = 120, 2880
# ECS' reason for a deployment that the circuit breaker stopped.
_BREAKER = "ECS deployment circuit breaker: tasks failed to start."

_Answer: TypeAlias = tuple[int, dict[str, str], bytes]
_Data: TypeAlias = dict[str, Any]


def install(records: Path) -> None:
    """Handle requests for the services whose agents write records to ``records``."""
    tasks = _Tasks(records)
    actions: dict[str, Any] = ecs._ACTION_MAP
    for name in ("DescribeServices", "ListTasks", "DescribeTasks"):
        actions[name] = partial(getattr(tasks, xform_name(name)), actions[name])
    actions["GetTaskProtection"] = tasks.get_task_protection
    actions["UpdateTaskProtection"] = tasks.update_task_protection
    iam_actions.extract_resource_arn = _with_tasks(iam_actions.extract_resource_arn)


class _Tasks:
    def __init__(self, records: Path) -> None:
        self._records = records

    def describe_services(self, own: Callable[[_Data], _Answer], data: _Data) -> _Answer:
        """ministack's response, with deployments and events from the agent's records."""
        status, headers, body = own(data)
        answer = json.loads(body)
        for service in answer.get("services", []):
            record = self._record(service["serviceName"])
            if record is not None and service["status"] == "ACTIVE":
                self._show(service, record)
        return (status, headers, body) if status != 200 else json_response(answer)

    def list_tasks(self, own: Callable[[_Data], _Answer], data: _Data) -> _Answer:
        """The ARNs of a service's tasks with the desired status, by default RUNNING."""
        record = self._record(data.get("serviceName", ""))
        if record is None:
            return own(data)
        stopped = data.get("desiredStatus", "RUNNING") == "STOPPED"
        cluster = data.get("cluster", "default").rpartition("/")[2]
        found = [task for task in record.tasks if (not task.wanted or task.stopped_at is not None) == stopped]
        return json_response({"taskArns": [_arn(cluster, task.id) for task in found]})

    def describe_tasks(self, own: Callable[[_Data], _Answer], data: _Data) -> _Answer:
        """Descriptions of tasks that agents ran; ministack's response if the request names none of them."""
        cluster = data.get("cluster", "default").rpartition("/")[2]
        known = dict(self._known())
        ids = {reference: reference.rpartition("/")[2] for reference in data.get("tasks", [])}
        if not any(task in known for task in ids.values()):
            return own(data)
        missing = [{"arn": _arn(cluster, task), "reason": "MISSING"} for task in ids.values() if task not in known]
        shown = [_described(cluster, *known[task]) for task in ids.values() if task in known]
        return json_response({"tasks": shown, "failures": missing})

    def get_task_protection(self, data: _Data) -> _Answer:
        """The protection of tasks, and when it expires."""
        cluster = data.get("cluster", "default").rpartition("/")[2]
        protected, failures = [], []
        for task in self._asked(data):
            if task in self._running():
                protected.append(self._protection(cluster, task))
            else:
                failures.append({"arn": _arn(cluster, task), "reason": "MISSING"})
        return json_response({"protectedTasks": protected, "failures": failures})

    def update_task_protection(self, data: _Data) -> _Answer:
        """Set or remove task protection."""
        minutes = data.get("expiresInMinutes", _DEFAULT_MINUTES)
        if not isinstance(minutes, int) or not 1 <= minutes <= _LONGEST_MINUTES:
            return error_response_json("InvalidParameterException", "expiresInMinutes must be between 1 and 2880.", 400)
        cluster = data.get("cluster", "default").rpartition("/")[2]
        protections, running = self._protections(), self._running()
        protected, failures = [], []
        for task in self._asked(data):
            if task not in running:
                failures.append({"arn": _arn(cluster, task), "reason": "TASK_NOT_VALID"})
            elif data.get("protectionEnabled") and self._exceeds(cluster, task, protections):
                failures.append({"arn": _arn(cluster, task), "reason": "DEPLOYMENT_BLOCKED"})
            else:
                until = time.time() + minutes * 60 if data.get("protectionEnabled") else 0.0
                protections = {key: value for key, value in protections.items() if key in running} | {task: until}
                write_json(self._records / _PROTECTIONS, protections)
                protected.append(self._protection(cluster, task))
        return json_response({"protectedTasks": protected, "failures": failures})

    def _exceeds(self, cluster: str, task: str, protections: Mapping[str, float]) -> bool:
        """Whether the service would have more protected tasks than its desired count, with which no deployment could end."""
        known = dict(self._known())
        service = known[task][0]
        protected = [other for other, until in protections.items() if until > time.time() and other in known]
        others = [other for other in protected if other != task and known[other][0] == service]
        _, _, body = ecs._describe_services({"cluster": cluster, "services": [service]})
        found = json.loads(body)["services"]
        return len(others) >= max(1, found[0]["desiredCount"] if found else 1)

    def _record(self, service: str) -> Status | None:
        """The agent's records. None if no agent runs the service and none is expected."""
        state = self._records.parent
        if not service:
            return None
        file = self._records / f"{service}.json"
        status = StatusFile(state, service).read() if file.exists() else Status()
        agent = processes.find(state, status.agent or agent_name(service))
        return status if (agent and agent.alive) or self._expected() else None

    def _expected(self) -> bool:
        """Whether a running process has announced that it will start an agent."""
        promised = read_json(self._records / EXPECTED)
        return promised is not None and processes.start_time(promised["pid"]) == promised["started"]

    def _known(self) -> Iterator[tuple[str, tuple[str, TaskRecord]]]:
        for file in self._records.glob("*.json"):
            if file.name != _PROTECTIONS:
                for task in StatusFile(self._records.parent, file.stem).read().tasks:
                    yield task.id, (file.stem, task)

    def _running(self) -> set[str]:
        return {task.id for _, (_, task) in self._known() if task.stopped_at is None}

    def _protections(self) -> dict[str, float]:
        return read_json(self._records / _PROTECTIONS) or {}

    def _protection(self, cluster: str, task: str) -> dict[str, Any]:
        until = self._protections().get(task, 0.0)
        if until <= time.time():
            return {"taskArn": _arn(cluster, task), "protectionEnabled": False}
        return {"taskArn": _arn(cluster, task), "protectionEnabled": True, "expirationDate": until}

    @staticmethod
    def _asked(data: _Data) -> list[str]:
        return [reference.rpartition("/")[2] for reference in data.get("tasks", [])]

    @staticmethod
    def _show(service: dict[str, Any], record: Status) -> None:
        """Set the primary deployment's state, and add earlier deployments that have running tasks or failed."""
        primary = next(item for item in service["deployments"] if item["status"] == "PRIMARY")
        running = [task for task in record.tasks if task.stopped_at is None]
        own = sum(task.deployment == primary["id"] for task in running)
        outcome = record.outcomes.get(primary["id"])
        primary |= {"runningCount": own, "failedTasks": _failures(record, primary["id"])}
        primary |= _rollout(outcome if service["desiredCount"] else Outcome(primary["taskDefinition"]))
        others = {task.deployment: task.definition for task in running if task.deployment != primary["id"]}
        others |= {
            key: failed.definition
            for key, failed in record.outcomes.items()
            if failed.problems and failed.rolled_back_to == primary["taskDefinition"] and key != primary["id"]
        }
        service["deployments"] = [primary] + [
            {
                **primary,
                "id": key,
                "status": "ACTIVE",
                "taskDefinition": definition,
                "desiredCount": 0,
                "runningCount": sum(task.deployment == key for task in running),
                "failedTasks": _failures(record, key),
                **_rollout(record.outcomes.get(key)),
            }
            for key, definition in others.items()
        ]
        service["runningCount"], service["pendingCount"] = len(running), 0
        service["events"] = [
            {"id": f"{record.task}-{number}", "createdAt": line.partition(" ")[0], "message": line.partition(" ")[2]}
            for number, line in reversed(list(enumerate(record.events)))
        ]


def _rollout(outcome: Outcome | None) -> dict[str, str]:
    if outcome is None:
        return {"rolloutState": "IN_PROGRESS", "rolloutStateReason": "ECS deployment in progress."}
    if outcome.problems:
        return {"rolloutState": "FAILED", "rolloutStateReason": _BREAKER}
    return {"rolloutState": "COMPLETED", "rolloutStateReason": "ECS deployment completed."}


def _failures(record: Status, deployment: str) -> int:
    return sum(task.failed for task in record.tasks if task.deployment == deployment)


def _described(cluster: str, service: str, task: TaskRecord) -> dict[str, Any]:
    region, account = get_region(), get_account_id()
    arn, stopped = _arn(cluster, task.id), task.stopped_at is not None
    started = task.containers and all(item["lastStatus"] != "PENDING" for item in task.containers.values())
    shown = {"lastStatus": "STOPPED", "healthStatus": "UNKNOWN"} if stopped else {}
    described: dict[str, Any] = {
        "taskArn": arn,
        "clusterArn": f"arn:aws:ecs:{region}:{account}:cluster/{cluster}",
        "taskDefinitionArn": task.definition,
        "group": f"service:{service}",
        "startedBy": task.deployment,
        "lastStatus": "STOPPED"
        if stopped
        else "DEACTIVATING"
        if not task.wanted
        else "RUNNING"
        if started
        else "PENDING",
        "desiredStatus": "STOPPED" if stopped or not task.wanted else "RUNNING",
        "healthStatus": "UNKNOWN" if stopped else task.health,
        "createdAt": task.created_at,
        "launchType": "FARGATE",
        "containers": [{"name": name, "taskArn": arn, **item, **shown} for name, item in task.containers.items()],
        "attachments": [
            {
                "id": task.id,
                "type": "ElasticNetworkInterface",
                "status": "DELETED" if stopped else "ATTACHED",
                "details": [{"name": "privateIPv4Address", "value": task.address}],
            }
        ]
        if task.address
        else [],
    }
    if started or stopped:
        described["startedAt"] = task.created_at
    if stopped:
        described |= {"stoppedAt": task.stopped_at, "stoppedReason": task.reason}
    return described


def _arn(cluster: str, task: str) -> str:
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:task/{cluster}/{task}"


def _with_tasks(own: Callable[..., str]) -> Callable[..., str]:
    """IAM authorizes task protection on the tasks (service authorization reference), not on their cluster."""

    def resource(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        if service == "ecs" and str(headers.get("x-amz-target", "")).endswith("TaskProtection"):
            data = json.loads(body or b"{}")
            tasks = data.get("tasks") or []
            if tasks:
                reference = tasks[0]
                if reference.startswith("arn:"):
                    return reference
                return f"arn:aws:ecs:{rest[1]}:{rest[2]}:task/{data.get('cluster', 'default').rpartition('/')[2]}/{reference}"
        return own(service, method, path, headers, body, *rest)

    return resource
