"""The documentation matches the program: Pulumi.yaml, the settings table, outputs, and GitHub's webhook ranges."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.settings.schema import REQUIRED, WEBHOOK_RANGES, Settings
from tests.unit import settings_table
from tests.unit.recording import LOCAL, REGION
from tests.unit.stacks import stack

ROOT = Path(__file__).parents[2]
FIELDS = {settings.key_of(field.name): field for field in dataclasses.fields(Settings) if field.metadata}
ZONE = "Z0123456789ABCDEFGHIJ"
SETTINGS = settings_table.CHAPTER.read_text(encoding="utf-8")


def test_pulumi_yaml_declares_every_setting_and_no_other() -> None:
    assert sorted(settings_table.declared()) == sorted(FIELDS)


@pytest.mark.parametrize("key", FIELDS)
def test_a_setting_is_declared_with_a_description_and_the_program_s_default(key: str) -> None:
    declared = settings_table.declared()[key]
    assert set(declared) - {"items"} == {"type", "description", "default"}
    assert declared["description"].strip()
    if FIELDS[key].metadata["default"] is REQUIRED:
        assert declared["description"].startswith("Required.")
        assert declared["default"] in ("", [])
    else:
        # Either of certificate and zone may be left out, not both.
        others = {other: value for other, value in (LOCAL | {"hostedZoneId": ZONE}).items() if other != key}
        as_declared = settings.parse(others | {key: declared["default"]}, stack="prod", region=REGION)
        left_out = settings.parse(others, stack="prod", region=REGION)
        assert getattr(as_declared, FIELDS[key].name) == getattr(left_out, FIELDS[key].name)


def type_of(field: dataclasses.Field[Any]) -> str:
    annotation = str(field.type)
    if "tuple" in annotation:
        return "array"
    return {"bool": "boolean", "int": "integer"}.get(getattr(field.type, "__name__", ""), "string")


@pytest.mark.parametrize("key", FIELDS)
def test_a_setting_is_declared_with_the_program_s_type(key: str) -> None:
    declared = settings_table.declared()[key]
    assert declared["type"] == type_of(FIELDS[key])
    assert declared.get("items") == ({"type": "string"} if declared["type"] == "array" else None)


@pytest.mark.parametrize("name", ["prod", "local"])
def test_a_stack_file_holds_settings_that_are_accepted(name: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))["config"]
    own = {key.removeprefix("atlantis:"): value for key, value in config.items() if key.startswith("atlantis:")}
    assert settings.parse(own, stack=name, region=config["aws:region"]).environment == name


def test_the_table_of_settings_is_the_project_s() -> None:
    assert settings_table.in_chapter() == settings_table.table(), "python -m tests.unit.settings_table --write"


def test_the_table_of_outputs_is_the_program_s() -> None:
    first_cells = [line.split("|")[1] for line in SETTINGS.splitlines() if line.startswith("| `atlantis_")]
    assert sorted(name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)) == sorted(stack().outputs)


def test_the_ranges_of_github_s_webhooks_tell_their_source_and_their_date() -> None:
    published = json.loads(
        (ROOT / "components" / "settings" / "github_webhook_ranges.json").read_text(encoding="utf-8")
    )
    assert set(published) == {"source", "read", "hooks"}
    assert published["source"].startswith("https://api.github.com/meta")
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", published["read"])
    assert [str(block) for block in WEBHOOK_RANGES] == published["hooks"]
    assert {block.version for block in WEBHOOK_RANGES} == {4, 6}
