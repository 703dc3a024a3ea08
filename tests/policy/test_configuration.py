"""Configuration: what a file may say, and what is said about a file that is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from check_configuration import problems
from evaluation.configuration import ConfigurationError
from policies.catalogue import RULES
from tests.policy.servicer import Pack, Planned

PACK = Path(__file__).parents[2] / "policy"
BY_NAME = {rule.name: rule for rule in RULES}
GROUP = Planned("aws:ec2/securityGroup:SecurityGroup", "it", {"ingress": [{"cidrBlocks": ["203.0.113.0/25"]}]})


def _file(directory: Path, content: Any) -> Path:
    file = directory / "configuration.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"encrytion": "mandatory"}, 'there is no policy "encrytion"; did you mean "encryption"?'),
        ({"single-tasks": {"unknowns": "pass"}}, 'there is no policy "single-tasks"; did you mean "single-task"?'),
        ({"firewall": "advisory"}, 'there is no policy "firewall"; valid names are all, environments, encryption'),
        (
            {"cidr-restriction": {"allowedCidrBlock": []}},
            'the policy cidr-restriction has no key "allowedCidrBlock"; did you mean "allowedCidrBlocks"?',
        ),
        ({"encryption": {"enforcmentLevel": "advisory"}}, 'did you mean "enforcementLevel"?'),
        ([], "must contain an object"),
        ("{", "isn't valid JSON"),
    ],
)
def test_misspelt_name_in_a_file_is_said_with_what_was_meant(tmp_path: Path, content: Any, expected: str) -> None:
    found = problems(_file(tmp_path, content))
    assert len(found) == 1
    assert expected in found[0]


def test_file_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.json") == [f"{tmp_path / 'none.json'} can't be read: No such file or directory"]


@pytest.mark.parametrize("file", sorted((PACK / "config").glob("*.json")), ids=lambda file: file.name)
def test_configuration_of_this_repository_is_sound(file: Path) -> None:
    assert problems(file) == []
    for name, value in json.loads(file.read_text(encoding="utf-8")).items():
        given = dict(value) if isinstance(value, dict) else {}
        given.pop("enforcementLevel", None)
        settings = BY_NAME[name].read(given)
        assert not [exemption for exemption in settings.exemptions if exemption.expired]


def test_command_ends_with_an_error_and_the_reason(tmp_path: Path) -> None:
    command = [sys.executable, str(PACK / "check_configuration.py")]
    wrong = subprocess.run(
        [*command, str(_file(tmp_path, {"sekrets": "advisory"}))], capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert 'there is no policy "sekrets"; did you mean "secrets"?' in wrong.stderr
    right = subprocess.run([*command, str(PACK / "config" / "prod.json")], capture_output=True, text=True, check=False)
    assert (right.returncode, right.stdout, right.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("policy", "given", "expected"),
    [
        (
            "cidr-restriction",
            {"allowedCidrBlock": []},
            'unknown key "allowedCidrBlock"; did you mean "allowedCidrBlocks"',
        ),
        ("cidr-restriction", {"allowedCidrBlocks": ["10.0.0.0/33"]}, "must contain CIDR blocks only, not 10.0.0.0/33"),
        ("cidr-restriction", {"allowedCidrBlocks": "10.0.0.0/8"}, "must be a list of non-empty strings"),
        ("encryption", {"customerKeys": ["efs", "s4"]}, "not s4"),
        ("encryption-stack", {"bucketCustomerKeys": "yes"}, "must be true or false"),
        ("logging", {"minimumRetentionDays": -1}, "must be a non-negative integer"),
        ("public-exposure", {"closedPorts": ["22"]}, "must be a list of non-negative integers"),
        ("identity", {"unknowns": "ignore"}, '"unknowns" must be one of pass, advisory, mandatory'),
        ("secrets", {"exemptions": {}}, '"exemptions" must be a list'),
        ("secrets", {"exemptions": ["a"]}, "exemptions[0] must be an object"),
        (
            "secrets",
            {"exemptions": [{"resource": "a", "reason": "because it is"}]},
            'exemptions[0] requires the string "expires"',
        ),
        (
            "secrets",
            {"exemptions": [{"resource": "a", "reason": "because it is", "expires": "31.12.2030"}]},
            '"expires" must be a date in the format YYYY-MM-DD',
        ),
        (
            "secrets",
            {"exemptions": [{"resource": "a", "reason": "r", "expires": "2030-01-01", "checks": ["rotating"]}]},
            'has the unknown check "rotating"; the policy has',
        ),
        (
            "secrets",
            {"exemptions": [{"resource": "a", "reason": "r", "expires": "2030-01-01", "until": "x"}]},
            'exemptions[0] has the unknown key "until"',
        ),
    ],
)
def test_wrong_configuration_ends_the_run_with_what_is_accepted(
    policy: str, given: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        BY_NAME[policy].read(given)
    assert str(error.value).startswith(f"The configuration of the policy {policy} is invalid: ")
    assert expected in str(error.value)


def test_all_problems_of_a_configuration_are_reported_together() -> None:
    with pytest.raises(ConfigurationError) as error:
        BY_NAME["recovery"].read({"requireProtect": 1, "minimumBackupDays": "7", "unknowns": 3})
    assert str(error.value).count("; ") == 2


def test_wrong_configuration_reaches_the_engine_as_an_error_whatever_the_level() -> None:
    pack = Pack({"cidr-restriction": {"enforcementLevel": "advisory", "allowedCidrBlocks": ["everything"]}})
    with pytest.raises(ConfigurationError, match="everything"):
        pack.analyze_stack([GROUP])


def test_level_and_keys_of_a_configuration_are_applied() -> None:
    levels = {finding.level for finding in Pack().review(GROUP) if finding.policy == "cidr-restriction"}
    assert levels == {"mandatory"}
    advised = Pack({"cidr-restriction": {"enforcementLevel": "advisory"}}).review(GROUP)
    assert {finding.level for finding in advised if finding.policy == "cidr-restriction"} == {"advisory"}
    disabled = Pack({"cidr-restriction": {"enforcementLevel": "disabled"}}).review(GROUP)
    allowed = Pack({"cidr-restriction": {"allowedCidrBlocks": ["203.0.113.0/26", "203.0.113.64/26"]}}).review(GROUP)
    for findings in (disabled, allowed):
        assert not [finding for finding in findings if finding.policy == "cidr-restriction"]


@pytest.mark.parametrize(
    ("unknowns", "expected"),
    [
        ("pass", []),
        ("advisory", [("evaluation-report", "advisory")]),
        ("mandatory", [("cidr-restriction", "mandatory")]),
    ],
)
def test_configuration_decides_what_an_unknown_value_counts_as(unknowns: str, expected: list[tuple[str, str]]) -> None:
    from tests.policy.servicer import UNKNOWN

    silent = {rule.name: {"unknowns": "pass"} for rule in RULES}
    group = Planned(
        "aws:ec2/securityGroup:SecurityGroup", "it", {"ingress": [{"cidrBlocks": [UNKNOWN]}], "tags": UNKNOWN}
    )
    found = Pack({**silent, "cidr-restriction": {"unknowns": unknowns}}).review(group)
    assert [(finding.policy, finding.level) for finding in found] == expected
    assert all("ingress[0].cidrBlocks[0]" in finding.message for finding in found)
