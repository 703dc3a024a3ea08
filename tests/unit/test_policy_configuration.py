"""The policy pack's configuration is written from the settings, and compared with them."""

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import Settings, parse
from preflight import policy_configuration
from preflight.deployment import read_stack_file
from preflight.policy_configuration import Difference, difference, file_of, render, written
from sandbox.commands import policy_config
from sandbox.testbed.errors import SandboxError
from tests.policy.servicer import Pack, Planned
from tests.tables import table
from tests.unit import stacks
from tests.unit.authorities import authority
from tests.unit.recording import LOCAL, REGION, Graph

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


SHAPES: dict[str, dict[str, Any]] = {
    **{name: changes for name, changes in stacks.ALL.items() if name != "largest"},
    **table(__file__, "shapes"),
    "certificates": {"caCertificates": authority()},
}
SHAPES["internal"] = stacks.PRODUCTION | SHAPES["internal"]
COMBINED: dict[str, dict[str, Any]] = {
    " + ".join(names): {
        key: value for name in (*names, *table(__file__, "everything else")) for key, value in SHAPES[name].items()
    }
    | {"logArchiveDays": 730}
    for names in table(__file__, "combined")
}


def _mandatory(graph: Graph, configuration: dict[str, Any]) -> list[str]:
    """What stops the deployment of a stack."""
    resources = [
        Planned(
            each.type,
            each.name,
            each.inputs,
            each.input_sources,
            each.protect,
            provider={"region": REGION} if each.type.startswith("aws:") else {},
        )
        for each in graph.resources
    ]
    given = {
        policy: {"enforcementLevel": each} if isinstance(each, str) else each for policy, each in configuration.items()
    }
    return [found.message for found in Pack(given).review(*resources) if found.level == "mandatory"]


@pytest.mark.parametrize("changes", [*SHAPES.values(), *COMBINED.values()], ids=[*SHAPES, *COMBINED])
def test_a_stack_of_every_shape_passes_its_own_pack_with_the_written_configuration(changes: dict[str, Any]) -> None:
    given = {key: value for key, value in (LOCAL | changes).items() if value is not None}
    settings = parse(given, stack="prod", region=REGION)
    template = json.loads(file_of("prod").read_text(encoding="utf-8"))
    # Written exemptions must carry this, not those that the repository's file has for its own stack.
    for policy in ("containers", "secrets", "recovery"):
        del template[policy]["exemptions"]
    configuration = written(settings, template)
    graph = stacks.stack(**changes)
    assert _mandatory(graph, configuration) == []
    assert _mandatory(graph, configuration | {policy: template[policy] for policy in ("containers", "secrets")}) != []


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"caCertificates": authority()}, "compute-task (containers: non-root-user)"),
        ({"efsEncryptionKey": "aws"}, "storage-efs (encryption: customer-key)"),
        ({"deletionProtection": False}, "* (recovery: protect, deletion-protection, deletion-window)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_needed_exemption_is_missed_written_with_a_date_and_removed_when_no_longer_needed(
    tmp_path: Path, setting: dict[str, Any], named: str
) -> None:
    project, changed = _project(tmp_path, "prod", **setting)
    file = file_of("prod", project)
    before = json.loads(file.read_text(encoding="utf-8"))
    (missing,) = difference(changed, "prod", project).stopping
    assert missing.startswith(f"policy/config/prod.json has no exemption for {named}: ")
    after = written(changed, before)
    policy = named.partition("(")[2].partition(":")[0]
    added = after[policy]["exemptions"][-1]
    assert datetime.date.fromisoformat(added["expires"]) > datetime.datetime.now(datetime.UTC).date()
    assert added["reason"].rstrip(".") in missing
    file.write_text(json.dumps(after), encoding="utf-8")
    assert difference(changed, "prod", project) == Difference([], [])
    plain = read_stack_file(ROOT / "Pulumi.prod.yaml", "prod")
    (spare,) = difference(plain, "prod", project).other
    assert spare.startswith(f"policy/config/prod.json has an exemption that the settings don't need, for {named}: ")
    restored = written(plain, after)
    assert restored.pop("encryption").pop("exemptions", []) == []
    assert restored == {key: value for key, value in before.items() if key != "encryption"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hostedZoneId", "example.com"),
        ("alarmTopicArns", ["x"]),
        ("acmCertificateArn", "arn:aws:acm:x"),
        ("privateSubnetIds", "subnet-0a1b2c3d4e5f60713"),
        ("webAclArn", "none"),
        ("url", 5),
        ("terraformStateKeyArns", {"a": ["b"]}),
        ("extraContainers", [5]),
    ],
)
def test_the_sandbox_refuses_a_stack_file_that_only_its_substitutes_would_make_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: object
) -> None:
    project, _ = _project(tmp_path, "dev")
    for name, path in (("CHECKOUT", project), ("_AGREED", tmp_path / "agreed.json")):
        monkeypatch.setattr(policy_config, name, path)
    file = project / "Pulumi.dev.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({"config": document["config"] | {f"atlantis:{key}": value}}), encoding="utf-8")
    with pytest.raises(SandboxError, match=f"Fix Pulumi.dev.yaml.*\n  - atlantis:{key}"):
        policy_config.require("dev")


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


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"cidr-restriction": {"allowedCidrBlocks": 5}}', '{"encryption": {"exemptions": ["x"]}}']
)
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
