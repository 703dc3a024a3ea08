"""The command: exit codes, what it writes, and that nothing is written after a problem or a failed rehearsal."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from adoption import command
from adoption.files import read_settings, section
from adoption.plan import Plan
from components.adoption import FILE_VARIABLE
from tests.adoption.plans import small_plan
from tests.adoption.states import FILE_SYSTEM, REGION, SETTINGS, State, add, container, find, small_state, write


class Stack:
    """A folder with a state and a stack file."""

    def __init__(self, folder: Path, state: State) -> None:
        self.folder, self.state = folder, write(folder, state)
        self.stack_file, self.adoption_file = folder / "Pulumi.prod.yaml", folder / "adoption.yaml"
        config = {"aws:region": REGION} | {f"atlantis:{key}": value for key, value in SETTINGS.items()}
        self.stack_file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
        self.before = self.stack_file.read_text(encoding="utf-8")

    def run(self, *options: str, **more: Any) -> int:
        files = ["--config-file", str(self.stack_file), "--adoption-file", str(self.adoption_file)]
        return command.main(["--state", str(self.state), "--stack", "prod", *files, *options], **more)

    @property
    def wrote_nothing(self) -> bool:
        unchanged = self.stack_file.read_text(encoding="utf-8") == self.before
        return unchanged and sorted(path.name for path in self.folder.iterdir()) == [
            "Pulumi.prod.yaml",
            "terraform.tfstate",
        ]


@pytest.fixture(autouse=True)
def _without_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)


def _losing_state() -> State:
    state = small_state()
    environment = [{"name": "ATLANTIS_AUTOMERGE", "value": "true"}]
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(environment=environment)
    return state


def test_nothing_is_written_unless_it_is_told_to_and_then_the_settings_match(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path, small_state())
    assert stack.run() == 0
    assert stack.wrote_nothing
    assert "WRITE=1      writes settings and adoption.yaml" in capsys.readouterr().out
    assert stack.run("--write") == 0
    assert yaml.safe_load(stack.adoption_file.read_text(encoding="utf-8")) == {"prod": section(small_plan().adopted)}
    assert read_settings(stack.stack_file)[0] == small_plan().settings
    # As a checkout has it then: the program's own run must not look for an engine.
    monkeypatch.setenv(FILE_VARIABLE, str(stack.adoption_file))
    assert stack.run() == 0
    assert "The stack file's settings match the running stack." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--state", "none.tfstate"], "none.tfstate can't be read"),
        (["--state", "x", "--stack", "nowhere"], "Pulumi.nowhere.yaml does not exist; stacks with a file here:"),
    ],
)
def test_what_cannot_be_used_ends_with_two(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 2
    assert says in capsys.readouterr().err


def test_a_problem_ends_with_one_and_writes_nothing_until_it_is_accepted(tmp_path: Path) -> None:
    stack = Stack(tmp_path, _losing_state())
    assert stack.run("--write") == 1
    assert stack.wrote_nothing
    assert stack.run("--write", "--accept-lost", "ATLANTIS_AUTOMERGE") == 0
    assert not stack.wrote_nothing


def test_a_state_that_cannot_be_used_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = Stack(tmp_path, small_state())
    stack.state.write_text("{}", encoding="utf-8")
    assert stack.run("--write") == 2
    assert stack.wrote_nothing
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")


def test_nothing_is_written_after_a_rehearsal_that_failed(tmp_path: Path) -> None:
    stack, rehearsed = Stack(tmp_path, small_state()), list[Plan]()

    def rehearse(code: int) -> Any:
        return lambda plan: rehearsed.append(plan) or code

    assert stack.run("--write", rehearse=rehearse(1)) == 1
    assert stack.wrote_nothing
    assert stack.run("--write", rehearse=rehearse(0)) == 0
    assert not stack.wrote_nothing
    assert len(rehearsed) == 2


def test_a_plan_with_a_problem_is_not_rehearsed(tmp_path: Path) -> None:
    rehearsed: list[Plan] = []
    assert Stack(tmp_path, _losing_state()).run(rehearse=lambda plan: rehearsed.append(plan) or 0) == 1
    assert rehearsed == []


def test_the_script_removes_exactly_what_terraform_must_let_go_of(tmp_path: Path) -> None:
    state = small_state()
    add(state, "aws_s3_bucket.others", {"id": "others"})
    state["resources"][0]["instances"][0]["index_key"] = "a b\"$x'"
    stack = Stack(tmp_path, state)
    assert stack.run("--write") == 0
    assert (
        yaml.safe_load(stack.adoption_file.read_text(encoding="utf-8"))["prod"]["import"]["storage-efs"] == FILE_SYSTEM
    )
    script = tmp_path / "terraform-state-rm.prod.sh"
    terraform = tmp_path / "bin" / "terraform"
    terraform.parent.mkdir()
    terraform.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    terraform.chmod(0o755)
    environment = {"PATH": f"{terraform.parent}:/usr/bin:/bin"}
    ran = subprocess.run(["sh", str(script)], env=environment, capture_output=True, text=True, check=True)
    verb, remove, *addresses = ran.stdout.splitlines()
    index = json.dumps("a b\"$x'")
    assert (verb, remove) == ("state", "rm")
    assert f"module.atlantis.aws_security_group.alb[{index}]" in addresses
    kept = {
        "aws_secretsmanager_secret.github",
        "aws_secretsmanager_secret.webhook",
        "aws_secretsmanager_secret_version.github",
    }
    everything = {f"module.atlantis.{item['type']}.{item['name']}" for item in small_state()["resources"]}
    assert {address.partition("[")[0] for address in addresses} == everything - {
        f"module.atlantis.{name}" for name in kept
    }
