"""The documentation matches the program: Pulumi.yaml, the settings table, outputs, and GitHub's webhook ranges."""

import ipaddress
import json
import re
from pathlib import Path

import pytest
import yaml

from components import settings
from components.configuration.vcs import published_ranges
from components.settings import reference
from components.settings.arguments import AtlantisArgs
from components.settings.schema import Declared, settings_of
from tests.unit.recording import LOCAL, REGION
from tests.unit.stacks import stack

ROOT = Path(__file__).parents[2]
DECLARED = {declared.key: declared for declared in settings_of(AtlantisArgs)}
ZONE = "Z0123456789ABCDEFGHIJ"
NO_SECRET = {"githubAppSecretName": "shared/app", "webhookSecretName": "shared/webhook", "webBasicAuth": False}
SETTINGS = reference.CHAPTER.read_text(encoding="utf-8")
PROJECT = yaml.safe_load(reference.PROJECT.read_text(encoding="utf-8"))["config"]


def test_no_two_settings_have_one_key() -> None:
    assert len(DECLARED) == len(list(settings_of(AtlantisArgs)))


def test_pulumi_yaml_and_the_settings_table_are_up_to_date() -> None:
    assert reference.PROJECT.read_text(encoding="utf-8") == reference.project(), "make settings"
    assert reference.chapter() == SETTINGS, "make settings"


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
def test_the_default_in_pulumi_yaml_is_the_program_s(declared: Declared) -> None:
    written = PROJECT[declared.key]
    assert written["description"].strip()
    if declared.required and declared.key != "environment":
        assert written["description"].startswith("Required.")
        assert written["default"] in ("", [])
        return
    # One of certificate and zone is required, and a stack that creates a secret names those who deploy.
    given = LOCAL | {"hostedZoneId": ZONE} | (NO_SECRET if declared.key == "secretReaderArns" else {})
    others = {other: value for other, value in given.items() if other != declared.key}
    as_written = settings.parse(others | {declared.key: written["default"]}, stack="prod", region=REGION)
    assert as_written == settings.parse(others, stack="prod", region=REGION)


@pytest.mark.parametrize("name", ["prod", "local"])
def test_a_stack_file_holds_settings_that_are_accepted(name: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))["config"]
    own = {key.removeprefix("atlantis:"): value for key, value in config.items() if key.startswith("atlantis:")}
    assert settings.parse(own, stack=name, region=config["aws:region"]).environment == name


def test_the_table_of_outputs_is_the_program_s() -> None:
    first_cells = [line.split("|")[1] for line in SETTINGS.splitlines() if line.startswith("| `atlantis_")]
    assert sorted(name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)) == sorted(stack().outputs)


def test_the_ranges_of_each_host_s_webhooks_state_their_source_and_their_date() -> None:
    path = ROOT / "components" / "configuration" / "webhook_ranges.json"
    published = json.loads(path.read_text(encoding="utf-8"))
    assert published.keys() == {"github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"}
    for host, entry in published.items():
        assert set(entry) == {"source", "read", "ranges"}
        assert entry["source"].startswith("https://")
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", entry["read"])
        assert list(published_ranges(host)) == entry["ranges"]
    assert published["github.com"]["source"].startswith("https://api.github.com/meta")
    assert {ipaddress.ip_network(block).version for block in published_ranges("github.com")} == {4, 6}
