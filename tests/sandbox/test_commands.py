"""The command line itself, where nothing is deployed."""

import shutil
from importlib import import_module
from pathlib import Path

import pytest

from sandbox.__main__ import VERBS
from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_json
from sandbox.testbed.locks import mark_unfinished
from tests.sandbox.harness import Scratch


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_leads_to_a_function(verb: str):
    module, function = VERBS[verb][0].split(":")

    assert callable(getattr(import_module(module), function))


def test_outputs_of_what_is_not_deployed(scratch: Scratch):
    answer = scratch.cli("outputs")

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert "not deployed" in answer.stderr
    assert "make up" in answer.stderr


def test_a_shell_gets_the_local_aws_and_nothing_else(scratch: Scratch):
    before = scratch.cli("env")
    aws = local_aws.start(scratch.state, clean_environment())

    answer = scratch.cli("env")

    assert before.returncode == 1
    assert "make up" in before.stderr
    exported = dict(line.removeprefix("export ").split("=", 1) for line in answer.stdout.splitlines())
    assert exported == aws.environment()


def test_an_unknown_stack_is_named_with_the_known_ones_and_starts_nothing(scratch: Scratch):
    scratch.stack = "staging"

    answer = scratch.cli("up")

    assert answer.returncode == 1
    assert "There is no stack 'staging'" in answer.stderr
    assert "local, prod" in answer.stderr
    assert local_aws.running(scratch.state) is None


def test_status_says_what_runs_and_what_did_not_end(scratch: Scratch):
    nothing = scratch.cli("status")
    local_aws.start(scratch.state, clean_environment())
    mark_unfinished(scratch.state, "`up` did not end")

    answer = scratch.cli("status")

    assert nothing.returncode == 0
    assert "local: 0 resources" in nothing.stdout
    assert "none is running" in nothing.stdout
    assert "local-aws: process" in answer.stdout
    assert "`up` did not end; the next `make up` recovers it" in answer.stdout


def test_preflight_where_no_local_aws_runs(scratch: Scratch):
    answer = scratch.cli("preflight")

    assert answer.returncode == 1
    assert "isn't running. Run `make up` to start it" in answer.stderr
    assert answer.stdout == ""


def test_a_forced_down_killed_while_it_empties_the_folder_is_ended_by_the_next_run(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
):
    sandbox = scratch.sandbox()
    for name in ("backend", "local-aws", "project"):
        write_json(scratch.state / name / "something.json", {})

    def die(_folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            sandbox.down(force=True)
    assert (scratch.state / "project").exists()

    sandbox.down()

    assert [entry.name for entry in scratch.state.iterdir()] == ["run.lock"]


def test_encrypted_settings_are_refused_with_the_reason(scratch: Scratch, tmp_path: Path):
    (tmp_path / "Pulumi.local.yaml").write_text("config: {'atlantis:token': {secure: abc}}\n")
    sandbox = Sandbox(state=scratch.state, program=tmp_path, run_atlantis=False)

    with pytest.raises(SandboxError, match=r"encrypted settings \(atlantis:token\)"):
        sandbox.up()


def test_a_local_aws_of_another_time_is_not_taken_for_this_one(scratch: Scratch):
    record = {"pid": 1, "started": "another time", "port": 1}
    write_json(scratch.state / "processes" / "local-aws.json", record)

    assert local_aws.running(scratch.state) is None
    assert local_aws.crashed(scratch.state)
