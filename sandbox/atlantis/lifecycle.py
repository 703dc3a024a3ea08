"""Starts the deployed service's task after ``make up`` and stops it before ``make down``."""

import hashlib
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any

from sandbox.atlantis import build, locking_database, operator
from sandbox.atlantis.agent import GITHUB_DIRECTORY, WORKERS
from sandbox.testbed import console, processes, terraform_provider
from sandbox.testbed.containers import bubblewrap, control_group, task_disk, task_network
from sandbox.testbed.containers.deployed_service import DeployedService, Service
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import other_host
from sandbox.testbed.github.store import Store
from sandbox.testbed.local_aws.task_status import (
    RECORDS,
    Outcome,
    Status,
    StatusFile,
    TaskRecord,
    agent_name,
)
from sandbox.testbed.paths import CHECKOUT, private_directory

_PROVIDER = f"Terraform AWS provider {terraform_provider.VERSION}"
_CONSEQUENCES = {
    "terraform": "plans fail (https://developer.hashicorp.com/terraform/install)",
    _PROVIDER: "plans have no AWS resources (`terraform providers mirror ~/.terraform.d/plugins` in a folder that requires this version)",
    "stunnel": "no terraformIsolation: tasks (Debian: apt-get install stunnel4)",
    "redis-server": "no lockingDatabase: redis (Debian: apt-get install redis-server)",
}
_PROGRAMS = ("terraform", "tofu", "terragrunt", "conftest", "git", "curl", "stunnel", "redis-server")
_DEFINITION = "atlantis_task_definition_arn"
# Longer than a failing deployment: three tasks, each with a start period of 60 s and three checks at 30 s.
_PATIENCE = 600.0
# The service is rolled back before the agent has recorded the rollback.
_RECORD_PATIENCE = 5.0
# More than the stop timeouts of the server's task and of the workers' after it.
_STOP_PATIENCE = 300.0


def after_up(
    deployment: DeployedService, environment: Mapping[str, str], stack: str, outputs: Mapping[str, Any]
) -> None:
    """Run the deployed service's task; raises ``SandboxError`` with the reasons if that fails."""
    status = bring_up(deployment, environment, definition=outputs.get(_DEFINITION))
    if status.state == "idle":
        console.step("No task is running: the service's desired count is 0")
        return
    suffix = "" if stack == "local" else f" STACK={stack}"
    workers = [f"{len(_running(each))} {each.name}" for each in _workers(deployment)]
    of_workers = f", with the workers {' and '.join(workers)}" if workers else ""
    console.step(f"Atlantis is running behind the deployed load balancer{of_workers}")
    for container in status.not_run:
        console.note(f"a container of the task isn't run: {container}")
    if lacking := [*_lacking(environment), *not_enforced()]:
        console.step(
            "This machine lacks something; install it and run `make up` again, which restarts the task with it"
        )
        for line in lacking:
            console.note(line)
    console.note(f"http://127.0.0.1:{status.proxy_port}/   the web page, for a browser")
    if "ATLANTIS_WEB_USERNAME" in deployment.variables(status.definition or deployment.require_service().definition):
        console.note(f"make password{suffix}  the user and the password of the page")
    console.note(f"make webhook{suffix}   send a signed event, as GitHub would")
    console.note(f"make logs{suffix}      follow its log")


def _lacking(environment: Mapping[str, str]) -> list[str]:
    """What this machine doesn't have, each with what doesn't work and how to get it."""
    found = _tools(environment)
    return [f"no {tool}: {consequence}" for tool, consequence in _CONSEQUENCES.items() if not found[tool]]


def _tools(environment: Mapping[str, str]) -> dict[str, str]:
    """The programs of this machine that a task uses, with their paths; empty for one that is missing."""
    provider = terraform_provider.find()
    programs = {tool: shutil.which(tool, path=environment.get("PATH")) or "" for tool in (*_PROGRAMS, "bwrap")}
    return {**programs, _PROVIDER: str(provider.mirror) if provider else ""}


def not_enforced() -> list[str]:
    """What this machine doesn't enforce of the tasks, each as a sentence with the reason."""
    if reason := bubblewrap.why_not():
        return [f"without containers: {reason}"]
    return [
        f"{what} isn't enforced: {reason}"
        for what, reason in (
            ("the security group of the workers", task_network.why_not()),
            ("the memory and the CPU of tasks", control_group.why_not()),
            ("the disk of tasks", task_disk.why_not()),
        )
        if reason
    ]


def _workers(deployment: DeployedService) -> list[DeployedService]:
    return [each for each in map(deployment.sibling, WORKERS) if each.service()]


def _running(service: DeployedService) -> list[TaskRecord]:
    return [task for task in StatusFile(service.state, service.name).read().tasks if task.stopped_at is None]


def bring_up(
    deployment: DeployedService,
    environment: Mapping[str, str],
    *,
    definition: str | None = None,
) -> Status:
    """Start the agent, wait until the service's current deployment has succeeded or failed, and return the status.

    ``definition`` is the task definition that the engine deployed. An agent that was already running may have rolled
    the service back by now. Raises ``SandboxError`` with the reasons of a failure or a rollback.
    """
    build.executable()
    service, agent = deployment.require_service(), agent_name(deployment.name)
    for line in prepare_and_start(deployment, environment):
        console.step(line)
    if definition is not None and service.definition != definition:
        raise SandboxError(_why_left(deployment, definition, service.definition))
    with console.timed(f"Waiting for the task of {_short(service.definition)}"):
        status = _wait(deployment, service, agent)
    for workers in _workers(deployment):
        with console.timed(f"Waiting for the workers {workers.name}"):
            _wait(workers, workers.require_service(), agent)
    return status


def prepare_and_start(deployment: DeployedService, environment: Mapping[str, str]) -> list[str]:
    """Push the image, set the empty secrets of the App or the token, and start the agent; returns a line for each change that was made."""
    service, done = deployment.require_service(), []
    if operator.push_image(deployment, service):
        done.append(f"Pushed Atlantis {build.version()} into the stack's image repository")
    if operator.set_up_app(deployment, service, Store(deployment.state / GITHUB_DIRECTORY)):
        done.append("Set generated values in the GitHub App's secret, which had no value")
    token = other_host.token(deployment.state / GITHUB_DIRECTORY)
    if operator.set_up_token(deployment, service, token or secrets.token_hex(32)):
        known = "which the host knows" if token else "which no host knows"
        done.append(f"Set a generated value in the token's secret, {known}; the secret had no value")
    if _start_agent(deployment, environment):
        done.append(
            "Restarted the task agent, which ran another version of the sandbox, or other tools of this machine"
        )
    return done


def take_down(deployment: DeployedService) -> bool:
    """Stop the agent and its tasks; returns False if no agent was running."""
    ran = processes.stop(deployment.state, agent_name(deployment.name), patience=_STOP_PATIENCE)
    for service in (deployment, *map(deployment.sibling, WORKERS)):
        service.stop_processes(_STOP_PATIENCE)
    locking_database.stop(deployment.state)
    return ran


def _start_agent(deployment: DeployedService, environment: Mapping[str, str]) -> bool:
    """Start the agent if none runs as it should; returns whether one ran that is of another version of the sandbox."""
    name = agent_name(deployment.name)
    version_file = private_directory(deployment.state / RECORDS) / f"{deployment.name}.version"
    version, started = _version(environment), version_file.read_text(encoding="utf-8") if version_file.exists() else ""
    services = (deployment, *map(deployment.sibling, WORKERS))
    files = {file: file.read() for each in services if (file := StatusFile(each.state, each.name)).exists}
    running = processes.find(deployment.state, name)
    known = [status.endpoint == deployment.endpoint and status.state != "failed" for status in files.values()]
    fits = running and running.lasting and known and all(known)
    if fits and started == version:
        return False
    # The local AWS has a new endpoint, the operator may have fixed a failure, or the agent's stop was interrupted; and an
    # older agent may not know what a newer program's task definition has.
    processes.stop(deployment.state, name, patience=_STOP_PATIENCE)
    options = {
        "state": str(deployment.state),
        "endpoint": deployment.endpoint,
        "region": deployment.region,
        "cluster": deployment.cluster,
        "name": deployment.name,
    }
    command = [*([] if task_disk.why_not() else task_disk.ENTER), sys.executable, "-m", "sandbox.atlantis.agent"]
    # A rollback is complete and must still be reported; any other failure is retried.
    for file, status in files.items():
        told = {key: outcome for key, outcome in status.outcomes.items() if outcome.rolled_back_to}
        file.write(Status(last_good=status.last_good, proxy_port=status.proxy_port, outcomes=told, tasks=status.tasks))
    processes.start(
        deployment.state,
        name,
        [*command, *(f"--{option}={value}" for option, value in options.items())],
        environment=environment,
        directory=CHECKOUT,
    )
    version_file.write_text(version, encoding="utf-8")
    return bool(fits)


def _version(environment: Mapping[str, str]) -> str:
    """What identifies the sandbox's code, the image's programs that it has copied, and the tools of this machine."""
    digest = hashlib.sha256(repr(sorted(_tools(environment).items())).encode())
    programs = [path for path in (CHECKOUT / "docker" / "isolation").rglob("*") if path.is_file()]
    code = [path for ending in ("py", "sh", "yaml") for path in (CHECKOUT / "sandbox").rglob(f"*.{ending}")]
    for path in sorted([*code, *(path for path in programs if path.suffix != ".pyc")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _wait(deployment: DeployedService, service: Service, agent_process: str) -> Status:
    status_file = StatusFile(deployment.state, deployment.name)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        status = status_file.read()
        outcome = status.outcomes.get(service.deployment)
        if outcome and outcome.problems:
            raise SandboxError(_explanation(outcome))
        wanted = "idle" if service.desired_count == 0 else "healthy"
        if status.state == wanted and (service.desired_count == 0 or (outcome and _server_runs(deployment))):
            return status
        agent = processes.find(deployment.state, agent_process)
        if agent is None or not agent.alive:
            log = deployment.state / "logs" / f"{agent_process}.log"
            raise SandboxError(f"The process that runs the task has ended; its log is {log}")
        current = deployment.require_service()
        if current.definition != service.definition:
            raise SandboxError(_why_left(deployment, service.definition, current.definition))
        # If another command has deployed the same task definition again, report the outcome of that deployment.
        service = current
        time.sleep(0.2)
    said = "\n".join(f"  {line}" for line in status_file.read().events[-5:])
    raise SandboxError(f"The task did not become healthy within {console.elapsed(_PATIENCE)}:\n{said}")


def _server_runs(deployment: DeployedService) -> bool:
    """Whether the server runs now: the agent's status is older, and names a server healthy that has crashed since."""
    return any(process.alive for process in deployment.processes() if "." not in process.name)


def _explanation(outcome: Outcome) -> str:
    reasons = "\n".join(f"  - {problem}" for problem in outcome.problems)
    ending = "No task is running. Fix the cause and run `make up` again."
    if outcome.rolled_back_to:
        ending = (
            f"The circuit breaker has rolled the service back to {_short(outcome.rolled_back_to)}. Fix the "
            "cause, run `make refresh` to detect the rollback, and run `make up` again."
        )
    return f"Atlantis isn't running as {_short(outcome.definition)} defines it:\n{reasons}\n{ending}"


def _why_left(deployment: DeployedService, wanted: str, current: str) -> str:
    """Explain why the service runs ``current``, although the engine's deployment of ``wanted`` succeeded."""
    status_file = StatusFile(deployment.state, deployment.name)
    deadline = time.monotonic() + _RECORD_PATIENCE
    while time.monotonic() < deadline:
        failures = [
            item for item in status_file.read().outcomes.values() if item.definition == wanted and item.problems
        ]
        if failures:
            return _explanation(failures[-1])
        time.sleep(0.2)
    return (
        f"The service's task definition is {_short(current)}, but {_short(wanted)} was deployed, and the task agent recorded no "
        "failure: the service was changed out of band. Run `make refresh` to detect the drift, then run `make up` again."
    )


def _short(definition: str) -> str:
    return definition.rpartition("/")[2]
