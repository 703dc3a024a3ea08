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


WRONG: tuple[tuple[str, Any, str], ...] = (
    ("cidr-restriction", {"allowedCidrBlock": []}, '.allowedCidrBlock is unknown; did you mean "allowedCidrBlocks"?'),
    ("cidr-restriction", {"allowedCidrBlocks": ["10.0.0.0/33"]}, '.allowedCidrBlocks[0] must be a CIDR block'),
    ("cidr-restriction", {"allowedCidrBlocks": "10.0.0.0/8"}, ".allowedCidrBlocks must be a list"),
    ("encryption", {"customerKeys": "efs"}, ".customerKeys must be a list"),
    ("encryption", {"customerKeys": ["efs", "s4"]}, ".customerKeys[1] isn't accepted; accepted are athena, "),
    ("encryption-stack", {"bucketCustomerKeys": "yes"}, ".bucketCustomerKeys must be true or false"),
    ("encryption-stack", {"publicWebsites": {"www": ""}}, ".publicWebsites.www must have 1 or more characters"),
    ("encryption-stack", {"publicWebsites": []}, ".publicWebsites must be an object"),
    ("recovery", {"minimumBackupDays": "7"}, ".minimumBackupDays must be an integer"),
    ("logging", {"minimumRetentionDays": -1}, ".minimumRetentionDays must be at least 0"),
    ("public-exposure", {"closedPorts": [22, 3.5]}, ".closedPorts[1] must be an integer"),
    ("identity", {"unknowns": "ignore"}, ".unknowns isn't accepted; accepted are pass, advisory, mandatory"),
    ("required-tags", {"tags": [""]}, ".tags[0] must have 1 or more characters"),
    ("secrets", {"exemptions": {}}, ".exemptions must be a list"),
    ("secrets", {"exemptions": ["a"]}, ".exemptions[0] must be an object"),
    *(
        ("secrets", {"exemptions": [{"resource": "a", "reason": "because it is", "expires": "2030-01-01", **entry}]}, text)
        for entry, text in (
            ({"expires": "2030-13-01"}, '.exemptions[0].expires must be a date in the format YYYY-MM-DD, not "2030-13-01"'),
            ({"expires": "20300101"}, ".exemptions[0].expires must be a date"),
            ({"expires": "2030-W01-1"}, ".exemptions[0].expires must be a date in the format YYYY-MM-DD"),
            ({"reason": " it is     "}, ".exemptions[0].reason must have 10 or more characters"),
            ({"checks": ["rotating"]}, '.exemptions[0].checks[0] isn\'t accepted; did you mean "rotation"?'),
            ({"findings": {}}, ".exemptions[0].findings must not be empty"),
            ({"findings": {"0123456789abcdef": 1}}, ".exemptions[0].findings.0123456789abcdef must be a string"),
            ({"until": "x"}, ".exemptions[0].until is unknown; "),
        )
    ),
    ("secrets", {"exemptions": [{"resource": "a", "reason": "because it is"}]}, '.exemptions[0] requires "expires"'),
)  # fmt: skip
"""A policy, its configuration, and what both the pack and the gate report."""


@pytest.mark.parametrize(("policy", "given", "expected"), WRONG, ids=[text for *_, text in WRONG])
def test_wrong_configuration_is_an_error_of_the_pack_and_of_the_gate(
    tmp_path: Path, policy: str, given: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        BY_NAME[policy].read(given)
    assert str(error.value).startswith(
        f"The configuration of the policy {policy} is invalid: {expected.removeprefix('.')}"
    )
    (found,) = problems(_file(tmp_path, {policy: given}))
    assert found.startswith(f"{tmp_path / 'configuration.json'}:1: {policy}{expected}")


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        ({"encrytion": "mandatory"}, 1, 'encrytion is unknown; did you mean "encryption"?'),
        ({"firewall": "advisory"}, 1, "firewall is unknown; accepted are all, environments, encryption, "),
        ({"all": "madatory"}, 1, 'all isn\'t accepted; did you mean "mandatory"?'),
        ({"encryption": "on"}, 1, "encryption isn't accepted; accepted are advisory"),
        ({"encryption": {"enforcmentLevel": "advisory"}}, 1, 'did you mean "enforcementLevel"?'),
        ('{\n"encryption": {\n  "customerKeys": []},\n\n"encryption": "disabled"}', 5, "encryption occurs twice;"),
        ('{"encryption": {"customerKeys":\n["efs"],\n"customerKeys": []}}', 3, "encryption.customerKeys occurs twice"),
        *(
            (f'{{"recovery": {{\n"minimumBackupDays":\n{value}}}}}', 2, "recovery.minimumBackupDays must be an integer")
            for value in ('"7"', "7.5", "NaN", "1e400", "true")
        ),
        ('{"encryption": {"customerKeys": [\n"efs",\n\n"ec{2"]}}', 4, "encryption.customerKeys[1] isn't accepted"),
        ([], 1, "the file must be an object"),
        ("{", 0, "isn't valid JSON"),
        ("[" * 100_000, 0, "isn't valid JSON"),
    ],
    ids=str,
)
def test_gate_reports_the_line_of_a_problem(tmp_path: Path, content: Any, line: int, expected: str) -> None:
    (found,) = problems(_file(tmp_path, content))
    assert expected in found
    assert not line or found.startswith(f"{tmp_path / 'configuration.json'}:{line}: ")


def test_gate_does_not_repeat_a_value_that_could_be_a_secret(tmp_path: Path) -> None:
    value = "ghp_" + "a" * 36
    entry = {"resource": "a", "reason": value, "expires": value, "checks": [value]}
    content = {
        "secrets": {"exemptions": [entry], "unknowns": value},
        "cidr-restriction": {"allowedCidrBlocks": [value]},
    }
    found = problems(_file(tmp_path, content))
    assert len(found) == 4
    assert value not in "".join(found)


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
    command = [sys.executable, "-S", str(PACK / "check_configuration.py")]
    wrong = subprocess.run(
        [*command, str(_file(tmp_path, {"sekrets": "advisory"}))], capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert 'sekrets is unknown; did you mean "secrets"?' in wrong.stderr
    right = subprocess.run([*command, str(PACK / "config" / "prod.json")], capture_output=True, text=True, check=False)
    assert (right.returncode, right.stdout, right.stderr) == (0, "", "")


def test_all_problems_of_a_configuration_are_reported_together() -> None:
    with pytest.raises(ConfigurationError) as error:
        BY_NAME["recovery"].read({"requireProtect": 1, "minimumBackupDays": "7", "unknowns": 3})
    assert str(error.value).count("; ") == 2


def test_wrong_configuration_reaches_the_engine_as_an_error_whatever_the_level() -> None:
    pack = Pack({"cidr-restriction": {"enforcementLevel": "advisory", "allowedCidrBlocks": ["everything"]}})
    with pytest.raises(ConfigurationError, match=r"allowedCidrBlocks\[0\] must be a CIDR block"):
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
