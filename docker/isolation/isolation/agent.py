"""The program of the server's container `agent`: workers for commands, task protection, applies that outlived a server, drift detection.

It never runs a pull request's code, and has neither the plan nor the apply role.
"""

import os
from collections.abc import Mapping, Sequence

from isolation import aws, parts, paths, tls
from isolation.dispatcher import Configuration as Workers
from isolation.dispatcher import Dispatcher, Fleet
from isolation.drift.configuration import Configuration
from isolation.drift.discovery import Discovery
from isolation.drift.issues import Issues
from isolation.drift.log import AgentLog
from isolation.drift.run import DriftDetection
from isolation.drift.server import Server
from isolation.github import App, PrivateKey, Rest
from isolation.parts import Part
from isolation.recovered import Recovered
from isolation.task_protection import TaskProtection, of_server

# Root's rights over the volume come from owning it; files for the server's user need these modes.
_UMASK = 0o022


def main() -> None:
    """Run all parts until SIGTERM."""
    os.umask(_UMASK)
    parts.run(_parts)


def _parts(environment: Mapping[str, str]) -> dict[str, Part]:
    """What the agent does at the same time, by name."""
    task_role, region = aws.TaskRole(environment), environment["AWS_REGION"]
    key, workers = tls.Key(environment["WORKERS_KEY"]), Workers.parse(environment["WORKERS"])
    fleet = Fleet(workers.cluster, workers.port, region, task_role.session)
    dispatcher = Dispatcher(workers, fleet, key, _modules_app(environment))
    rest = _rest(environment, "pull_requests: write") if _has_app(environment) else None
    recovered = Recovered(
        lambda: dispatcher.workers(paths.APPLY), key, rest, lambda: fleet.is_alone(workers.server_service)
    )
    server = f"http://127.0.0.1:{environment['ATLANTIS_PORT']}"
    protection = TaskProtection(of_server(server), environment["ECS_AGENT_URI"])
    found: dict[str, Part] = {
        "workers": dispatcher.look,
        "tickets": dispatcher.run,
        "connections": dispatcher.accept,
        "results": recovered.run,
        "task-protection": protection.run,
    }
    if "DRIFT_DETECTION" in environment:
        found["drift"] = _drift(environment, server, protection, task_role).run
    return found


def _drift(
    environment: Mapping[str, str], server: str, protection: TaskProtection, task_role: aws.TaskRole
) -> DriftDetection:
    atlantis = Server(
        server,
        environment["ATLANTIS_API_SECRET"],
        environment.get("ATLANTIS_WEB_USERNAME", ""),
        environment.get("ATLANTIS_WEB_PASSWORD", ""),
    )
    region = environment["AWS_REGION"]

    def reader() -> aws.Session:
        role = environment.get("DRIFT_LOG_ROLE")
        return aws.assume_role(task_role, role, "drift", {}, region) if role else task_role.session()

    log = AgentLog(environment.get("DRIFT_LOG_GROUP", ""), region, reader)
    return DriftDetection(
        Configuration.parse(environment["DRIFT_DETECTION"]),
        atlantis,
        Issues(_rest(environment, "issues: write"), environment["ATLANTIS_ATLANTIS_URL"]),
        protection,
        discovery=Discovery(_rest(environment, "contents: read")),
        log=log,
    )


def _has_app(environment: Mapping[str, str]) -> bool:
    return "ATLANTIS_GH_APP_KEY" in environment


def _rest(environment: Mapping[str, str], permission: str) -> Rest:
    """GitHub's API with tokens that may do one thing."""
    name, _, access = permission.partition(": ")
    app = _app(environment, {name: access})
    return Rest(app.api, app.token, permission)


def _modules_app(environment: Mapping[str, str]) -> App | None:
    """The App that reads modules; None if there is no App."""
    repositories = environment.get("ISOLATION_MODULE_REPOSITORIES", "").split()
    return _app(environment, {"contents": "read"}, repositories) if _has_app(environment) else None


def _app(environment: Mapping[str, str], permissions: Mapping[str, str], repositories: Sequence[str] = ()) -> App:
    return App(
        host=environment.get("ATLANTIS_GH_HOSTNAME", "github.com"),
        app_id=environment["ATLANTIS_GH_APP_ID"],
        installation_id=environment["ATLANTIS_GH_APP_INSTALLATION_ID"],
        key=PrivateKey.parse(environment["ATLANTIS_GH_APP_KEY"]),
        permissions=permissions,
        repositories=repositories,
    )
