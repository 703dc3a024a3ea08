"""Arguments of Terraform in comments: which ones the server denies, and what a setting opens."""

import json
from pathlib import Path
from typing import Any

import pytest

from components import settings
from components.configuration.comment_arguments import BLOCKED, blocked
from tests.unit.recording import LOCAL, REGION
from tests.unit.stacks import stack


def denied_by(**changes: Any) -> list[str]:
    definition = stack(**changes).one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"]
    environment = {item["name"]: item["value"] for item in json.loads(definition)[0]["environment"]}
    return environment["ATLANTIS_BLOCKED_EXTRA_ARGS"].split(",")


def test_the_server_denies_each_argument_with_one_dash_and_with_two() -> None:
    assert denied_by() == [spelling for name in BLOCKED for spelling in (name, f"-{name}")]


def test_the_server_s_own_list_is_part_of_it() -> None:
    # The flag replaces Atlantis' default.
    assert {"-chdir", "--chdir", "-plugin-dir", "--plugin-dir"} <= set(denied_by())


def test_a_setting_opens_a_single_argument() -> None:
    assert set(denied_by()) - set(denied_by(allowedExtraArguments=["-target"])) == {"-target", "--target"}


def test_the_flag_of_a_file_denies_more_and_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.yaml").write_text("blocked-extra-args: -parallelism, -target\n", encoding="utf-8")
    denied = denied_by(serverConfigFile="server.yaml", allowedExtraArguments=["-replace"])
    assert set(denied) == ({*denied_by(), "-parallelism"} - {"-replace", "--replace"})
    assert len(denied) == len(set(denied))


def test_a_file_can_deny_what_a_setting_opens() -> None:
    assert "-target" in blocked(["-target"], "-target").split(",")
    assert "--target" not in blocked(["-target"], "-target").split(",")


def test_an_argument_that_is_not_denied_can_t_be_opened() -> None:
    with pytest.raises(settings.SettingsError, match="must be one of -allow-missing"):
        settings.parse(LOCAL | {"allowedExtraArguments": ["--target"]}, stack="prod", region=REGION)


@pytest.mark.parametrize("commands", ["plan,apply,state", "all"])
def test_state_commands_need_a_setting_that_says_what_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.yaml").write_text(f"allow-commands: {commands}\n", encoding="utf-8")
    given = LOCAL | {"serverConfigFile": "server.yaml"}
    with pytest.raises(settings.SettingsError, match="for everyone who can comment, without an approval") as refused:
        settings.parse(given, stack="prod", region=REGION)
    assert len(refused.value.problems) == 1
    assert "or set allowStateCommands to true" in refused.value.problems[0]
    settings.parse(given | {"allowStateCommands": True}, stack="prod", region=REGION)


def test_commands_without_state_need_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.yaml").write_text("allow-commands: plan,apply,unlock,import\n", encoding="utf-8")
    settings.parse(LOCAL | {"serverConfigFile": "server.yaml"}, stack="prod", region=REGION)


def test_the_api_s_secret_needs_a_setting_that_says_what_it_can_do() -> None:
    given = LOCAL | {"serverSecrets": ["api-secret=ci/api:secret"]}
    with pytest.raises(settings.SettingsError, match="can apply any branch through the API, without an approval"):
        settings.parse(given, stack="prod", region=REGION)
    settings.parse(given | {"allowApi": True}, stack="prod", region=REGION)
    with pytest.raises(settings.SettingsError, match="requires api-secret in serverSecrets"):
        settings.parse(LOCAL | {"allowApi": True}, stack="prod", region=REGION)


def test_a_preview_warns_about_everything_that_is_opened() -> None:
    opened = {
        "allowedExtraArguments": ["-target", "-replace"],
        "allowStateCommands": True,
        "allowApi": True,
        "serverSecrets": ["api-secret=ci/api:secret"],
    }
    graph = stack(**opened)
    risks = [warning for warning in graph.warnings if warning.startswith("allow")]
    assert [risk.split(":")[0] for risk in risks] == [
        "allowedExtraArguments",
        "allowedExtraArguments",
        "allowStateCommands",
        "allowApi",
    ]
    assert "-target" in risks[0]
    assert stack().warnings == []
