"""The program of the container `agent`: task protection, and what the executors need from AWS and GitHub.

It never runs a pull request's code, and nothing of it can be asked by a pull request's code: its sockets are root's, in
volumes that only the executors have.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from isolation import aws, paths
from isolation.broker import Broker, Roles, forget_environment
from isolation.drift.configuration import Configuration
from isolation.drift.discovery import Discovery
from isolation.drift.issues import Issues
from isolation.drift.log import AgentLog
from isolation.drift.rest import Rest
from isolation.drift.run import DriftDetection
from isolation.drift.server import Server
from isolation.github import App, GithubError, PrivateKey
from isolation.task_protection import TaskProtection

__all__ = ["main"]

_ENDS = (signal.SIGTERM, signal.SIGINT)
_LOOK_EVERY = 1
"""Seconds between two looks whether a part has failed."""


def main() -> None:
    """Run all parts until SIGTERM, or until one of them fails: ECS then starts the container again."""
    environment = dict(os.environ)
    forget_environment()
    stop = threading.Event()
    # Waited for, not handled: a handler that sets the event while this thread is about to wait for it would wait for itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    failed: list[str] = []
    try:
        parts = _parts(environment, stop)
    except (GithubError, KeyError, ValueError, OSError) as problem:
        sys.exit(f"The agent can't start: {type(problem).__name__}: {problem}")
    for name, work in parts.items():
        threading.Thread(target=_run, args=(name, work, stop, failed), name=name, daemon=True).start()
    while not stop.is_set():
        if signal.sigtimedwait(_ENDS, _LOOK_EVERY):
            stop.set()
    sys.exit(1 if failed else 0)


def _parts(environment: Mapping[str, str], stop: threading.Event) -> dict[str, Callable[[], None]]:
    """What the agent does at the same time, by name."""
    task_role, region, app = aws.TaskRole(environment), environment["AWS_REGION"], _modules_app(environment)
    # By executor: the default role's ARN, the tag of its sessions, and pairs of a pattern and an ARN.
    configured = json.loads(environment["ISOLATION_ROLES"])

    def assume(role_arn: str, session_name: str, tags: Mapping[str, str]) -> aws.Session:
        return aws.assume_role(task_role, role_arn, session_name, tags, region)

    parts: dict[str, Callable[[], None]] = {}
    for role in paths.ROLES:
        patterns = [(pattern, arn) for pattern, arn in configured[role].get("patterns", [])]
        roles = Roles(configured[role]["default"], patterns, configured[role].get("tag", ""))
        parts[f"{role}-broker"] = Broker(role, paths.broker_socket(role), roles, assume, app).serve
    server = f"http://127.0.0.1:{environment['ATLANTIS_PORT']}"
    protection = TaskProtection(server, environment["ECS_AGENT_URI"])
    parts["task-protection"] = lambda: protection.run(stop)
    if "DRIFT_DETECTION" in environment:
        drift = _drift(environment, server, protection, assume)
        parts["drift"] = lambda: drift.run(stop)
    return parts


def _drift(
    environment: Mapping[str, str],
    server: str,
    protection: TaskProtection,
    assume: Callable[[str, str, Mapping[str, str]], aws.Session],
) -> DriftDetection:
    app, reader = _app(environment, {"issues": "write"}), _app(environment, {"contents": "read"})
    atlantis = Server(
        server,
        environment["ATLANTIS_API_SECRET"],
        environment.get("ATLANTIS_WEB_USERNAME", ""),
        environment.get("ATLANTIS_WEB_PASSWORD", ""),
    )
    issues = Issues(Rest(app.api, app.token, "issues: write"), environment["ATLANTIS_ATLANTIS_URL"])
    discovery = Discovery(Rest(reader.api, reader.token, "contents: read"))
    log = AgentLog(
        environment.get("DRIFT_LOG_GROUP", ""),
        environment["AWS_REGION"],
        lambda: assume(environment["DRIFT_LOG_ROLE"], "drift", {}),
    )
    configuration = Configuration.parse(environment["DRIFT_DETECTION"])
    return DriftDetection(configuration, atlantis, issues, protection, discovery=discovery, log=log)


def _modules_app(environment: Mapping[str, str]) -> App | None:
    """The App that reads modules; None if private modules are turned off."""
    repositories = environment.get("ISOLATION_MODULE_REPOSITORIES", "").split()
    return _app(environment, {"contents": "read"}, repositories) if "ATLANTIS_GH_APP_KEY" in environment else None


def _app(environment: Mapping[str, str], permissions: Mapping[str, str], repositories: Sequence[str] = ()) -> App:
    return App(
        host=environment.get("ATLANTIS_GH_HOSTNAME", "github.com"),
        app_id=environment["ATLANTIS_GH_APP_ID"],
        installation_id=environment["ATLANTIS_GH_APP_INSTALLATION_ID"],
        key=PrivateKey.parse(environment["ATLANTIS_GH_APP_KEY"]),
        permissions=permissions,
        repositories=repositories,
    )


def _run(name: str, work: Callable[[], None], stop: threading.Event, failed: list[str]) -> None:
    try:
        work()
    except BaseException as problem:  # noqa: BLE001 whatever ends a part ends the agent, so that it is restarted whole
        print(f"{name} failed: {type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        failed.append(name)
    else:
        if not stop.is_set():
            print(f"{name} ended", file=sys.stderr, flush=True)
            failed.append(name)
    stop.set()
