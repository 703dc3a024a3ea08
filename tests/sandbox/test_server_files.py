"""Server-side configurations as operators write them: this program's verdict, and whether the real server starts with them."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.configuration import repo_configuration
from sandbox.atlantis import build
from tests.sandbox.started_server import refusal
from tests.unit.recording import LOCAL, REGION
from tests.unit.stacks import stack

SERVER = {"ATLANTIS_GH_USER": "atlantis", "ATLANTIS_GH_TOKEN": "none", "ATLANTIS_REPO_ALLOWLIST": "github.com/acme/*"}
OWN = (
    "ATLANTIS_GH_",
    "ATLANTIS_DATA_DIR",
    "ATLANTIS_PORT",
    "ATLANTIS_ATLANTIS_URL",
    "ATLANTIS_WEB_",
    "ATLANTIS_REPO_ALLOWLIST",
)
"""Variables of the deployed task that this server has separate values for."""

FILES: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("server_files.yaml").read_text(encoding="utf-8")
)


def _given(files: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The stack's settings for the files, which are written to the working directory, under separate names: `stack` caches."""
    slug = re.sub(r"\W", "-", name)
    given: dict[str, Any] = {**LOCAL, **files.get("settings", {})}
    for key, file, text in (
        ("serverConfigFile", f"server-{slug}.yaml", files.get("flags")),
        ("repoConfigFile", f"repos-{slug}.yaml", files.get("rules")),
    ):
        if text:
            Path(file).write_text(text, encoding="utf-8")
            given[key] = file
    return given | (
        {"allowWeakerRequirements": True} if repo_configuration.has_rules(given.get("repoConfigFile")) else {}
    )


def _secrets(files: Mapping[str, Any]) -> Mapping[str, str]:
    """A value for each secret flag."""
    flags = [reference.split("=", 1)[0] for reference in files.get("settings", {}).get("serverSecrets", [])]
    return dict.fromkeys(flags, "xoxb-none")


def _container(given: Mapping[str, Any]) -> dict[str, str]:
    definitions = (
        stack(**given).one("aws:ecs/taskDefinition:TaskDefinition", "compute-task").inputs["containerDefinitions"]
    )
    return {item["name"]: item["value"] for item in json.loads(definitions)[0]["environment"]}


@pytest.mark.parametrize("name", FILES["accepted"])
def test_an_accepted_configuration_starts_the_server_as_the_stack_passes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    # The program asks the server's parser too.
    monkeypatch.setenv("PATH", f"{os.defpath}:{build.executable().parent}")
    files = FILES["accepted"][name]
    given = _given(files, name)
    settings.parse(given, stack="prod", region=REGION)
    passed = _container(given)
    # The start of the container writes the notifications and the secrets into one file.
    fragment = passed.get("SERVER_NOTIFICATIONS", "")
    written = "".join(f"{flag}: {value}\n" for flag, value in _secrets(files).items()) + fragment
    (tmp_path / "passed.yaml").write_text(written, encoding="utf-8")
    variables = {key: value for key, value in passed.items() if key.startswith("ATLANTIS_") and not key.startswith(OWN)}
    assert refusal(tmp_path, SERVER | variables, "--config=passed.yaml") is None
    assert yaml.safe_load(fragment or "webhooks: []") == {
        "webhooks": (yaml.safe_load(files.get("flags", "")) or {}).get("webhooks", [])
    }


@pytest.mark.parametrize("name", FILES["refused"])
def test_a_refused_configuration_is_refused_by_the_server_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{os.defpath}:{build.executable().parent}")
    files = FILES["refused"][name]
    given = _given(files, name)
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(given, stack="prod", region=REGION)
    (problem,) = refused.value.problems
    assert files["reason"] in problem
    flags = [
        f"--{flag}={given[key]}"
        for key, flag in (("serverConfigFile", "config"), ("repoConfigFile", "repo-config"))
        if key in given
    ]
    variables = {f"ATLANTIS_{flag.upper().replace('-', '_')}": value for flag, value in _secrets(files).items()}
    # Without it, the server doesn't look at webhooks for drift.
    variables |= {"ATLANTIS_ENABLE_DRIFT_DETECTION": "true"} if "driftProjects" in files.get("settings", {}) else {}
    assert refusal(tmp_path, SERVER | variables, *flags) is not None
