"""Print the state of a deployed stack on one screen: server, deployment, workers, running commands, locks, backup, certificate, alarms.

It reads AWS with the rights of the role that deploys (.github/aws/roles.yaml), and the server's /status and /api/locks, which the allowed
ranges can read without a password. What can't be read says why, and the rest is printed.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import urllib3

from components.settings.schema import known
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, UnmetError
from preflight.printed import parser, print_document
from preflight.restore import USABLE

_SHOWN_LOCKS: Final = 10

_Found = Mapping[str, Any]


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or the account can't be read."""
    options = parser("preflight.status", __doc__)
    options.add_argument("--json", action="store_true", help="print the state as JSON")
    options.add_argument("--server", metavar="URL", help="where the server answers (default: the stack's url)")
    arguments = options.parse_args()
    return print_document(arguments, lambda deployment: document(deployment, arguments))


def document(deployment: Deployment, arguments: argparse.Namespace) -> str:
    """The state as text, or as JSON."""
    server = _Server(arguments.server or f"https://{known(deployment.settings.ingress.host)}")
    account = deployment.identity["Account"]
    found: dict[str, _Found] = {}
    for name, (read, _) in _SECTIONS.items():
        try:
            found[name] = read(deployment, server)
        except UnmetError as unmet:
            found[name] = {"unknown": unmet.message}
    if arguments.json:
        return json.dumps({"stack": deployment.stack, "account": account, **found}, indent=2, default=str)
    lines = [f"{deployment.names.base} in {deployment.settings.region}, account {account}"]
    for name, (_, text) in _SECTIONS.items():
        shown = found[name]["unknown"] if "unknown" in found[name] else text(found[name])
        lines.append(f"{name:<12}{shown}".replace("\n", f"\n{'':12}"))
    return "\n".join(lines)


class _Server:
    """The paths of the server that need no password."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str) -> dict[str, Any]:
        try:
            answer = urllib3.request("GET", f"{self._url}{path}", redirect=False, retries=False, timeout=10)
        except urllib3.exceptions.HTTPError as error:
            raise FailedError(f"{self._url} doesn't answer from here: {error}") from None
        if answer.status != 200:
            sign_in = ": it requires a sign-in, see the web page" if answer.status in (302, 401) else ""
            raise FailedError(f"{self._url}{path} answered {answer.status}{sign_in}")
        return answer.json()


def _tasks(deployment: Deployment, service: str) -> list[dict[str, Any]]:
    """The tasks of a service, with `protected` if a command runs in them."""
    aws, cluster = deployment.aws, deployment.names.cluster
    arns = aws.read("ecs", "list_tasks", cluster=cluster, serviceName=service)["taskArns"]
    if not arns:
        return []
    protection = aws.read("ecs", "get_task_protection", cluster=cluster, tasks=arns)["protectedTasks"]
    protected = {each["taskArn"] for each in protection if each["protectionEnabled"]}
    tasks = aws.read("ecs", "describe_tasks", cluster=cluster, tasks=arns)["tasks"]
    return [task | {"protected": task["taskArn"] in protected} for task in tasks]


def _read_server(deployment: Deployment, _: _Server) -> _Found:
    name = deployment.names.base
    service = deployment.service(name)
    definition = deployment.aws.read("ecs", "describe_task_definition", taskDefinition=service["taskDefinition"])
    images = {each["name"]: each["image"] for each in definition["taskDefinition"]["containerDefinitions"]}
    return {
        "image": images["atlantis"],
        "desired": service["desiredCount"],
        "tasks": [
            {
                "id": task["taskArn"].rpartition("/")[2],
                "status": task["lastStatus"],
                "health": task.get("healthStatus", "UNKNOWN"),
                "since": task.get("startedAt"),
            }
            for task in _tasks(deployment, name)
        ],
    }


def _show_server(found: _Found) -> str:
    tasks: list[str] = []
    for task in found["tasks"]:
        # A container without a health check: the load balancer's checks decide.
        health = "" if task["health"] == "UNKNOWN" else f", {task['health']}"
        tasks.append(f"task {task['id']} {task['status']}{health}, for {_age(task['since'])}")
    return f"{found['image']}; {'; '.join(tasks) or 'no task'} ({found['desired']} wanted)"


def _read_deployment(deployment: Deployment, _: _Server) -> _Found:
    service = deployment.service(deployment.names.base)
    last = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
    return {
        "state": last.get("rolloutState", "COMPLETED"),
        "reason": last.get("rolloutStateReason", ""),
        "at": last["createdAt"],
        "taskDefinition": last["taskDefinition"].rpartition("/")[2],
        "event": next((event["message"] for event in service.get("events", ())), ""),
    }


def _show_deployment(found: _Found) -> str:
    reason = found["reason"] or found["event"]
    return f"{found['taskDefinition']} {found['state']}, begun {_age(found['at'])} ago{f': {reason}' if reason else ''}"


def _read_workers(deployment: Deployment, _: _Server) -> _Found:
    groups = deployment.settings.worker_groups
    if not groups:
        raise NotCheckedError("none: terraformIsolation is none, so plans and applies run in the server's task")
    found: dict[str, Any] = {}
    for group in groups:
        name = deployment.names.workers(group.role)
        tasks = _tasks(deployment, name)
        found[group.role] = {
            "desired": deployment.service(name)["desiredCount"],
            "running": sum(task["lastStatus"] == "RUNNING" for task in tasks),
            "busy": sum(task["protected"] for task in tasks),
        }
    return found


def _show_workers(found: _Found) -> str:
    return "; ".join(
        f"{role}: {each['running']} of {each['desired']} run, {each['busy']} with commands"
        for role, each in found.items()
    )


def _read_running(_: Deployment, server: _Server) -> _Found:
    answer = server.get("/status")
    return {"operations": answer["in_progress_operations"], "shuttingDown": answer.get("shutting_down", False)}


def _read_locks(_: Deployment, server: _Server) -> _Found:
    locks = server.get("/api/locks").get("Locks") or []
    return {
        "locks": sorted(
            (
                {
                    "project": f"{lock['ProjectRepo']}:{lock['ProjectRepoPath']}:{lock['Workspace']}",
                    "pull": lock["PullURL"],
                    "user": lock["User"],
                    "since": datetime.fromisoformat(lock["Time"]),
                }
                for lock in locks
            ),
            key=lambda lock: lock["since"],
        )
    }


def _show_locks(found: _Found) -> str:
    locks = found["locks"]
    oldest = [
        f"{_age(lock['since'])}: {lock['project']}, {lock['user']}, {lock['pull']}" for lock in locks[:_SHOWN_LOCKS]
    ]
    return "\n".join([f"{len(locks)}, the oldest first" if locks else "none", *oldest])


def _read_backup(deployment: Deployment, _: _Server) -> _Found:
    systems = deployment.aws.read("efs", "describe_file_systems")["FileSystems"]
    own = next((each for each in systems if deployment.owns([*each.get("Tags", ())])), None)
    if own is None:
        raise FailedError("there is no file system with the stack's tags")
    found = deployment.aws.read("backup", "list_recovery_points_by_resource", ResourceArn=own["FileSystemArn"])
    completed = [point for point in found["RecoveryPoints"] if point["Status"] in USABLE]
    last = max(completed, key=lambda point: point["CreationDate"], default=None)
    return {"fileSystem": own["FileSystemId"], "last": last and last["CreationDate"], "points": len(completed)}


def _show_backup(found: _Found) -> str:
    last = f"{_age(found['last'])} ago, {found['points']} recovery points" if found["last"] else "no recovery point yet"
    return f"{last} of {found['fileSystem']}"


def _read_certificate(deployment: Deployment, _: _Server) -> _Found:
    ingress, aws = deployment.settings.ingress, deployment.aws
    if deployment.settings.existing.https_listener_arn or not ingress.has_load_balancer:
        raise NotCheckedError("the stack has no listener")
    balancer = aws.find("elbv2", "describe_load_balancers", Names=[deployment.names.base])
    if balancer is None:
        raise FailedError(f"there is no load balancer {deployment.names.base}")
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = aws.read("elbv2", "describe_listeners", LoadBalancerArn=arn)["Listeners"]
    used = next(each["Certificates"][0]["CertificateArn"] for each in listeners if each.get("Certificates"))
    certificate = aws.read("acm", "describe_certificate", CertificateArn=used)["Certificate"]
    days = (certificate["NotAfter"] - datetime.now(UTC)).days if "NotAfter" in certificate else None
    return {"name": certificate["DomainName"], "status": certificate["Status"], "days": days}


def _alarms(deployment: Deployment) -> list[dict[str, Any]]:
    found = deployment.aws.read("cloudwatch", "describe_alarms", AlarmNamePrefix=f"{deployment.names.base}-")
    return found["MetricAlarms"]


def _read_drift(deployment: Deployment, _: _Server) -> _Found:
    if not deployment.settings.drift.enabled:
        raise NotCheckedError("not detected: driftProjects is empty")
    kinds = {deployment.names.alarm(kind): kind for kind in ("drift", "drift-detection")}
    found = {kinds[each["AlarmName"]]: each["StateValue"] for each in _alarms(deployment) if each["AlarmName"] in kinds}
    if not found:
        raise NotCheckedError("no alarm: set alarmTopicArns, or run `make drift`")
    return found


def _read_alarms(deployment: Deployment, _: _Server) -> _Found:
    alarms = _alarms(deployment)
    return {
        "count": len(alarms),
        "active": {
            each["AlarmName"]: {"since": each["StateUpdatedTimestamp"], "description": each.get("AlarmDescription", "")}
            for each in alarms
            if each["StateValue"] == "ALARM"
        },
    }


def _show_alarms(found: _Found) -> str:
    active = [f"{name}, {_age(each['since'])}: {each['description']}" for name, each in found["active"].items()]
    return "\n".join([f"{len(active)} of {found['count']} in ALARM", *active])


def _age(since: datetime | None) -> str:
    if since is None:
        return "-"
    minutes = int((datetime.now(UTC) - since).total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"


_SECTIONS: Final[Mapping[str, tuple[Callable[[Deployment, _Server], _Found], Callable[[_Found], str]]]] = {
    "server": (_read_server, _show_server),
    "deployment": (_read_deployment, _show_deployment),
    "workers": (_read_workers, _show_workers),
    "running": (_read_running, lambda found: f"{found['operations']} plans and applies in progress"),
    "locks": (_read_locks, _show_locks),
    "backup": (_read_backup, _show_backup),
    "certificate": (_read_certificate, lambda found: f"{found['name']} {found['status']}, {found['days']} days left"),
    "drift": (_read_drift, lambda found: ", ".join(f"{kind}: {state}" for kind, state in found.items())),
    "alarms": (_read_alarms, _show_alarms),
}


if __name__ == "__main__":
    sys.exit(main())
