"""The program's schema of `repos.yaml` against Atlantis' own parser: the same verdict on the same files."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.configuration import repo_configuration, repo_configuration_parser
from sandbox.atlantis import build
from sandbox.testbed.paths import CHECKOUT
from tests.tables import table
from tests.unit.recording import LOCAL, REGION

GOOD: dict[str, Any] = table(__file__, "good") | {
    "default": repo_configuration.default("release/1.0", ["approved"]),
    "example": yaml.safe_load((CHECKOUT / "examples" / "repos.yaml").read_text(encoding="utf-8")),
    "terragrunt": yaml.safe_load((CHECKOUT / "examples" / "terragrunt.yaml").read_text(encoding="utf-8")),
}
BAD: dict[str, Any] = table(__file__, "bad")
STRICTER: dict[str, Any] = table(__file__, "stricter")


@pytest.fixture(scope="module")
def parser() -> Path:
    return build.executable()


def _file(tmp_path: Path, content: Any) -> str:
    file = tmp_path / "repos.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return str(file)


def _accepted(content: dict[str, Any]) -> bool:
    return not list(repo_configuration.problems(content))


@pytest.mark.parametrize("name", [*GOOD, *BAD, *STRICTER])
def test_the_schema_and_the_parser_give_the_same_verdict(parser: Path, tmp_path: Path, name: str) -> None:
    content = (GOOD | BAD | STRICTER)[name]
    reason = repo_configuration_parser.refusal(parser, _file(tmp_path, content))
    assert (reason is None, _accepted(content)) == {
        name in GOOD: (True, True),
        name in BAD: (False, False),
        name in STRICTER: (True, False),
    }[True], reason


def test_a_key_that_is_set_twice_is_refused_by_both(parser: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, "repos:\n- id: /.*/\n  apply_requirements: [approved]\n  apply_requirements: []\n")
    assert "apply_requirements" in str(repo_configuration_parser.refusal(parser, file))
    with pytest.raises(ValueError, match="the key apply_requirements is set twice"):
        repo_configuration.load(file)


def test_the_parser_is_asked_where_the_schema_finds_nothing(
    parser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Python has no such check: the patterns of ignored paths.
    content = repo_configuration.default("main", [])
    content["repos"][0]["autodiscover"] = {"ignore_paths": ["[a"]}
    _file(tmp_path, content)
    given = LOCAL | {"repoConfigFile": "repos.yaml"}
    settings.parse(given, stack="prod", region=REGION)
    monkeypatch.setenv("PATH", f"{os.defpath}:{parser.parent}")
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(given, stack="prod", region=REGION)
    (problem,) = refused.value.problems
    assert problem.startswith("repoConfigFile = 'repos.yaml': Atlantis rejects the file: ")
    assert "invalid pattern" in problem


def test_another_version_on_path_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "atlantis"
    other.write_text("#!/bin/sh\necho 'atlantis 0.46.0 (commit: none)'\n", encoding="utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repo_configuration_parser.find() is None
