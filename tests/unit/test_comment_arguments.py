"""Arguments of Terraform in comments: which ones the server denies, and what a setting opens."""

from pathlib import Path
from typing import Any

import pytest

from components.configuration.comment_arguments import BLOCKED, blocked
from tests.unit.isolated import containers_of, environment_of
from tests.unit.stacks import stack


def denied_by(**changes: Any) -> list[str]:
    return environment_of(containers_of(stack(**changes))["atlantis"])["ATLANTIS_BLOCKED_EXTRA_ARGS"].split(",")


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
