"""The policy pack's configuration is written from the settings, and compared with them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import Settings
from preflight import policy_configuration
from preflight.deployment import read_stack_file
from preflight.policy_configuration import Difference, difference, file_of, render, written
from tests.unit.authorities import authority

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "policy" / "config").glob("*.json"))


def _project(folder: Path, stack: str, **settings: Any) -> tuple[Path, Settings]:
    """A project whose new ``stack`` has production's settings, except for ``settings``."""
    (folder / "policy").mkdir()
    shutil.copytree(ROOT / "policy" / "config", folder / "policy" / "config")
    document = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    document["config"] |= {f"atlantis:{key}": value for key, value in settings.items()}
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder, read_stack_file(file, stack)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_files_in_the_repository_are_what_the_command_writes(file: Path) -> None:
    settings = read_stack_file(ROOT / f"Pulumi.{file.stem}.yaml", file.stem)
    assert difference(settings, file.stem) == Difference([], [])
    text = file.read_text(encoding="utf-8")
    assert render(written(settings, json.loads(text))) + "\n" == text


def test_a_missing_file_a_blocked_range_and_an_unset_tag_stop_and_an_unused_range_does_not(tmp_path: Path) -> None:
    project, settings = _project(tmp_path, "dev", allowedCidrBlocks=["198.51.100.0/24"])
    assert difference(settings, "dev", project).stopping == [
        "policy/config/dev.json doesn't exist, so the policy pack has no allowed ranges"
    ]
    configuration = json.loads(file_of("prod", project).read_text(encoding="utf-8"))
    configuration["required-tags"]["tags"] += ["CostCenter", "Ticket"]
    file_of("dev", project).write_text(json.dumps(configuration), encoding="utf-8")
    assert difference(settings, "dev", project) == Difference(
        [
            "policy/config/dev.json doesn't allow 198.51.100.0/24, which the settings allow",
            "policy/config/dev.json requires the tags Ticket, which the stack doesn't set",
        ],
        ["policy/config/dev.json allows 203.0.113.0/24, 198.51.100.32/28, which the settings don't use"],
    )


@pytest.mark.parametrize(
    "setting", [{"terraformIsolation": "containers"}, {"caCertificates": authority()}], ids=["isolated", "certificates"]
)
def test_a_container_as_root_needs_an_exemption_which_the_command_writes_and_removes(
    tmp_path: Path, setting: dict[str, str]
) -> None:
    project, isolated = _project(tmp_path, "prod", **setting)
    file = file_of("prod", project)
    before = json.loads(file.read_text(encoding="utf-8"))
    assert difference(isolated, "prod", project).stopping == [
        "policy/config/prod.json has no exemption for the containers of terraformIsolation and caCertificates, which run as the user 0"
    ]
    with_exemption = written(isolated, before)
    assert with_exemption["containers"]["exemptions"][-1]["checks"] == ["non-root-user"]
    file.write_text(json.dumps(with_exemption), encoding="utf-8")
    assert difference(isolated, "prod", project) == Difference([], [])
    plain = read_stack_file(ROOT / "Pulumi.prod.yaml", "prod")
    assert difference(plain, "prod", project).other == [
        "policy/config/prod.json has an exemption for the containers of terraformIsolation and caCertificates, which the settings don't use"
    ]
    assert written(plain, with_exemption) == before


def test_the_command_writes_a_new_file_from_production_s_and_changes_only_what_the_settings_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ranges = ["198.51.100.0/24", "2001:db8::/32"]
    project, settings = _project(tmp_path, "dev", allowedCidrBlocks=ranges, githubWebhookCidrBlocks=["192.0.2.0/24"])
    monkeypatch.setattr("sys.argv", ["policy-config", "--stack", "dev", "--project", str(project)])

    assert policy_configuration.main() == 0
    assert capsys.readouterr().out == (
        "policy/config/dev.json is written; it allows 198.51.100.0/24, 2001:db8::/32, 192.0.2.0/24\n"
    )
    template, new = (json.loads(file_of(stack, project).read_text(encoding="utf-8")) for stack in ("prod", "dev"))
    assert new.pop("cidr-restriction") == {"allowedCidrBlocks": [*ranges, "192.0.2.0/24"]}
    del template["cidr-restriction"]
    assert new == template
    assert difference(settings, "dev", project) == Difference([], [])

    assert policy_configuration.main() == 0
    assert "dev.json is up to date;" in capsys.readouterr().out


def test_an_enforcement_level_and_exemptions_stay(tmp_path: Path) -> None:
    _, settings = _project(tmp_path, "dev")
    exempt = [{"resource": "a", "checks": ["ranges"], "reason": "b", "expires": "2027-01-01"}]
    before = {"cidr-restriction": {"enforcementLevel": "advisory", "exemptions": exempt}, "identity": "mandatory"}
    after = written(settings, before)
    assert after["cidr-restriction"].pop("allowedCidrBlocks")
    assert after == before
    assert written(settings, {"cidr-restriction": "advisory"})["cidr-restriction"]["enforcementLevel"] == "advisory"


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_file_that_is_no_configuration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    project, settings = _project(tmp_path, "dev")
    file_of("dev", project).write_text(content, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["policy-config", "--stack", "dev", "--project", str(project)])

    assert policy_configuration.main() == 2
    assert str(file_of("dev", project)) in capsys.readouterr().err
    assert str(file_of("dev", project)) in difference(settings, "dev", project).stopping[0]
    assert file_of("dev", project).read_text(encoding="utf-8") == content
