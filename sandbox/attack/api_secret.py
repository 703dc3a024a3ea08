"""Attacks on the server's API, whose secret can apply any branch without an approval: from outside, from a plan, and from a worker."""

import json
import re
import subprocess

from sandbox.attack.provider import in_session, printed
from sandbox.attack.row import Outcome, SkippedError, row, script
from sandbox.attack.target import Target
from sandbox.attack.webhooks import answered, signed
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.bubblewrap import ContainerUser
from sandbox.testbed.local_aws.task_status import StatusFile

_SECRET = "ATLANTIS_API_SECRET"  # noqa: S105 - the name of a variable
_PATHS = {"apply": "/api/apply", "drift": "/api/drift/detect"}
_SEARCH = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sed -n 's/^ATLANTIS_API_SECRET=.*/has the secret/p; s/^PATH=.*/has PATH/p'"


def _secret(target: Target) -> str:
    if _SECRET not in target.secrets:
        raise SkippedError("the server's API has no secret, because this stack detects no drift")
    return target.secrets[_SECRET]


def _stolen(target: Target, path: str) -> Outcome:
    headers = {"X-Atlantis-Token": _secret(target), "Content-Type": "application/json"}
    return answered(target.load_balancer.request("POST", path, headers=headers, body=_body(target).encode()))


def _body(target: Target) -> str:
    return json.dumps({"Repository": target.repository("any"), "Ref": "main", "Type": "Github"})


def _called(target: Target, name: str) -> Outcome:
    """The answer to one of the calls of a provider in a plan; its name is a path of the server or a call of AWS."""
    _secret(target)
    secret = next(
        item["valueFrom"].partition(":api_secret:")[0]
        for container in target.task_definition["containerDefinitions"]
        for item in container.get("secrets", [])
        if item["name"] == _SECRET
    )
    (group,) = {
        container["logConfiguration"]["options"]["awslogs-group"]
        for container in target.task_definition["containerDefinitions"]
        if container["name"] == "agent"
    }
    calls = script(
        "api-secret-plan-apply",
        port=StatusFile(target.deployment.state, target.deployment.name).read().port,
        paths=" ".join(_PATHS.values()),
        body=_body(target),
        secret=secret,
        group=group,
    )
    said = printed(target, "api-secret", in_session(calls))
    found = re.search(rf"^{re.escape(name)} (\d+)$", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the provider called nothing: {said[:300]}")
    error = re.search(rf"^{re.escape(name)} answered (.*)$", said, re.MULTILINE)
    if error and "AccessDenied" not in error[1]:
        raise RuntimeError(f"{name} failed for another reason: {error[1]}")
    return Outcome(found[1] == "200", f"{name} was answered with {found[1]} {error[1] if error else ''}".rstrip())


def _in_container(target: Target, name: str, *words: str) -> str:
    """The output of a command as root of a container, as if its program had been taken over: the agent's, or a worker's executor."""
    service = target.deployment if name == "agent" else target.deployment.sibling("-plan")
    process = next((each for each in service.processes() if each.name.endswith(f".{name}") and each.alive), None)
    if process is None or bubblewrap.why_not():
        raise SkippedError(f"the task has no container {name} on this machine: {bubblewrap.why_not()}")
    command = bubblewrap.enter(process.pid, ContainerUser(0, 0), words)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout


def _finds(target: Target, container: str) -> Outcome:
    _secret(target)
    said = _in_container(target, container, "sh", "-c", _SEARCH)
    if "has PATH" not in said:
        raise RuntimeError(f"the search has read no environment in {container}: {said[:300]}")
    found = "has the secret" in said
    return Outcome(found, f"{container} {'has' if found else 'has not'} the secret")


def _asked(target: Target) -> dict[str, str]:
    """The answers of the worker's agent, by what it was asked for."""
    lines = _in_container(target, "executor", "python3", "-c", script("api-secret-agent")).splitlines()
    return dict(line.split(" ", 1) for line in lines)


def _told(target: Target) -> Outcome:
    secret = _secret(target)
    told = [want for want, answer in _asked(target).items() if secret in answer]
    return Outcome(bool(told), f"the agent gave it for {', '.join(told)}" if told else "no answer has the secret")


ROWS = (
    *(
        row(
            f"api-secret-outside-{name}",
            lambda target, path=path: _stolen(target, path),
            signed,
        )
        for name, path in _PATHS.items()
    ),
    *(
        row(
            f"api-secret-plan-{name}",
            lambda target, path=path: _called(target, path),
            lambda target: _called(target, "groups"),
        )
        for name, path in _PATHS.items()
    ),
    row("api-secret-plan-read", lambda target: _called(target, "secret"), lambda target: _called(target, "groups")),
    row("api-secret-plan-request", lambda target: _called(target, "request"), lambda target: _called(target, "groups")),
    row("api-secret-neighbour", lambda target: _finds(target, "executor"), lambda target: _finds(target, "agent")),
    row(
        "api-secret-agent",
        _told,
        lambda target: Outcome("AccessKeyId" in _asked(target).get("session", ""), "the agent hands out a session"),
    ),
)
