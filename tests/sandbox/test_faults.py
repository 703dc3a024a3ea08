"""The deployment under faults: each run ends well or says why, and the next one converges."""

import json
import os
import resource as limits
import signal
import socket
import subprocess
import threading
import time

import pytest

from sandbox.testbed import local_aws, locks, processes
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.engine.workspace import clean_environment, provider_settings
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.faulty_aws import FaultyAws
from tests.sandbox.harness import Scratch, resource


def test_of_two_runs_at_once_the_second_waits_and_says_for_whom(scratch: Scratch):
    with locks.one_run(scratch.state, "refresh"):
        second = subprocess.Popen(
            scratch.command("down"), cwd=CHECKOUT, env=scratch.environment(), stderr=subprocess.PIPE, text=True
        )
        assert second.stderr is not None
        assert f"Waiting for `refresh` (process {os.getpid()}) to end" in second.stderr.readline()
        assert second.poll() is None

    said = second.communicate(timeout=300)[1]
    assert (second.returncode, "it ended after" in said, "Nothing was running" in said) == (0, True, True), said


def test_a_taken_port_is_left_to_its_owner(deployed: Scratch):
    sandbox = deployed.sandbox()
    port = int(sandbox.endpoint.rsplit(":", 1)[1])
    local_aws.stop(deployed.state)
    with socket.socket() as owner:
        owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        owner.bind(("127.0.0.1", port))
        owner.listen()

        sandbox.up()

        assert sandbox.endpoint != f"http://127.0.0.1:{port}"
        assert sandbox.compare().describe() == ""


def test_a_killed_local_aws_costs_what_it_had_not_saved_and_no_more(deployed: Scratch):
    # Saves everything, before a change that deletes nothing: one that goes back to an older save has again what was deleted since.
    local_aws.stop(deployed.state)
    sandbox = deployed.sandbox(logRetentionDays=14)
    sandbox.up()
    process = processes.find(deployed.state, "local-aws")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    while process.alive:
        time.sleep(0.05)

    sandbox.up()

    assert sandbox.compare().describe() == ""
    group = resource(sandbox, "aws:cloudwatch/logGroup:LogGroup", "compute-logs")["id"]
    (found,) = sandbox.aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["retentionInDays"] == 14


def test_a_local_aws_that_is_stopped_in_the_middle_of_an_up(deployed: Scratch):
    sandbox = deployed.sandbox(disposable=False, imageTag="v0.48.1")
    stopper = threading.Timer(1.5, local_aws.stop, [deployed.state])
    stopper.start()
    try:
        sandbox.up()
    except EngineError as error:
        assert "ended with exit code" in str(error)  # noqa: PT017 - whether it fails depends on the moment
    stopper.join()

    sandbox.up()

    assert sandbox.compare().describe() == ""


def test_an_older_state_file_converges_without_a_second_of_anything(deployed: Scratch):
    file = deployed.engine_state()
    old = file.read_text(encoding="utf-8")
    sandbox = deployed.sandbox(logRetentionDays=30)
    sandbox.up()
    file.write_text(old, encoding="utf-8")

    sandbox.refresh()
    sandbox.up()

    assert sandbox.compare().describe() == ""


@pytest.mark.parametrize(("version", "why"), [(2, "no secrets manager"), (99, "version")])
def test_a_state_of_another_format_is_refused_and_left_alone(deployed: Scratch, version: int, why: str):
    file = deployed.engine_state()
    whole = file.read_text(encoding="utf-8")
    document = json.loads(whole)
    document["version"] = version
    foreign = json.dumps(document)
    file.write_text(foreign, encoding="utf-8")
    try:
        answer = deployed.cli("refresh")
        kept = file.read_text(encoding="utf-8")
    finally:
        file.write_text(whole, encoding="utf-8")

    assert answer.returncode != 0
    assert why in answer.stdout + answer.stderr
    assert kept == foreign


def test_a_damaged_state_and_a_lock_with_cut_off_attributes_are_recovered_from(deployed: Scratch):
    state, sandbox = deployed.engine_state(), deployed.sandbox()
    for file in (state, state.with_name(f"{state.name}.bak")):
        file.write_bytes(file.read_bytes()[:1000])
    lock = deployed.state / "backend" / ".pulumi" / "locks" / "organization" / "atlantis" / "local" / "killed.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("{}", encoding="utf-8")
    for file in (state, lock):
        file.with_name(f"{file.name}.attrs").write_text("{", encoding="utf-8")
    locks.mark_unfinished(deployed.state, "a test")

    sandbox.up()

    assert not lock.exists()
    assert sandbox.compare().describe() == ""


def test_a_state_damaged_with_all_its_copies_is_named_and_left_alone(deployed: Scratch):
    file = deployed.engine_state()
    states = [path for path in (deployed.state / "backend" / ".pulumi").rglob("*.json*") if path.suffix != ".attrs"]
    whole = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in states}
    for path in states:
        path.write_text("{", encoding="utf-8")
    try:
        answer = deployed.cli("up")
        kept = file.read_text(encoding="utf-8")
    finally:
        for path, (content, written) in whole.items():
            path.write_bytes(content)
            os.utime(path, ns=(written, written))

    assert answer.returncode == 1
    assert str(file) in answer.stderr
    assert "Traceback" not in answer.stderr
    assert kept == "{"


def test_a_full_disk_ends_the_run_and_the_next_one_converges(deployed: Scratch):
    sandbox = deployed.sandbox()
    size = deployed.engine_state().stat().st_size

    def no_more_than_half_the_state() -> None:
        limits.setrlimit(limits.RLIMIT_FSIZE, (size // 2, size // 2))

    answer = subprocess.run(
        deployed.command("refresh"),
        cwd=CHECKOUT,
        env=deployed.environment(),
        preexec_fn=no_more_than_half_the_state,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode != 0
    assert "too large" in answer.stdout + answer.stderr

    sandbox.up()

    assert sandbox.compare().describe() == ""


def test_throttling_and_internal_errors_leave_no_resource_unknown(scratch: Scratch):
    sandbox = scratch.sandbox()
    aws = local_aws.start(scratch.state, clean_environment())
    with FaultyAws(aws.endpoint, share=0.3) as proxy:
        detour = provider_settings(aws)
        detour["aws:endpoints"] = [dict.fromkeys(local_aws.SERVICES, proxy.url)]
        faulted = scratch.sandbox(disposable=False)
        faulted.settings |= detour
        try:
            faulted.up()
        except SandboxError as error:
            assert "its reasons are above" in str(error)  # noqa: PT017 - many faults may be too many
        assert proxy.failed > 10
        assert sandbox.compare().orphans == {}

    sandbox.up()

    assert sandbox.compare().describe() == ""
