"""What is made of an exported stack's findings: exemptions for a baseline, SARIF for code hosts."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis import Found, parsed
from baseline import with_baseline
from policies.catalogue import RULES
from sarif import document
from summary import summary
from tests.policy.servicer import Pack, Planned

TODAY, UNTIL = date(2026, 11, 25), date(2099, 2, 23)
FILES = Planned("aws:efs/fileSystem:FileSystem", "files", {"encrypted": False})
DOOR = Planned("aws:ec2/securityGroup:SecurityGroup", "door", {"ingress": [{"cidrBlocks": ["0.0.0.0/0"]}]})


def _found(*resources: Planned, **configuration: Any) -> list[Found]:
    findings = Pack(configuration).review(*resources)
    return [parsed(each.policy, each.level, "high", each.urn, each.message) for each in findings]


def test_baseline_keeps_the_configuration_and_its_exemptions() -> None:
    own = {"resource": "x", "reason": "It is replaced.", "expires": "2099-01-01"}
    base = {
        "all": "mandatory",
        "encryption": "mandatory",
        "cidr-restriction": {"allowedCidrBlocks": ["10.0.0.0/8"], "exemptions": [own]},
    }
    made = with_baseline(base, _found(FILES, DOOR), TODAY, UNTIL)
    assert made["all"] == "mandatory"
    assert made["encryption"]["enforcementLevel"] == "mandatory"
    assert made["encryption"]["exemptions"] == [
        {
            "resource": FILES.identity,
            "checks": ["at-rest"],
            "findings": {"b4f3c674e9a3ebae": "at-rest: encrypted is false, so data at rest isn't encrypted"},
            "reason": "Baseline of 2026-11-25: the finding existed before the pack was mandatory.",
            "expires": "2099-02-23",
        }
    ]
    assert made["cidr-restriction"]["allowedCidrBlocks"] == ["10.0.0.0/8"]
    assert made["cidr-restriction"]["exemptions"][0] == own
    assert base["encryption"] == "mandatory"


def test_expired_exemption_is_not_renewed_by_a_baseline() -> None:
    expired = {"exemptions": [{"resource": "files", "reason": "It was a trial.", "expires": "2026-01-01"}]}
    found = _found(FILES, encryption=expired)
    assert [each.check for each in found if each.policy == "encryption"].count("exemption") == 1
    made = with_baseline({}, found, TODAY, UNTIL)
    assert made["encryption"]["exemptions"][0]["checks"] == ["at-rest"]


def test_sarif_names_each_finding_by_rule_resource_and_level() -> None:
    content = json.loads(document(_found(FILES), "infrastructure/Pulumi.yaml"))
    (run,) = content["runs"]
    known = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert content["version"] == "2.1.0"
    assert {f"{rule.name}/{check}" for rule in RULES for check in rule.checks} == set(known)
    (at_rest,) = [each for each in run["results"] if each["ruleId"] == "encryption/at-rest"]
    assert at_rest["level"] == "error"
    assert at_rest["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "infrastructure/Pulumi.yaml"}
    assert at_rest["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == FILES.identity
    assert known["encryption/at-rest"]["properties"]["security-severity"] == "9.5"
    levels = {each["ruleId"].partition("/")[0]: each["level"] for each in run["results"]}
    assert levels["recovery"] == "warning"
    fingerprints = [each["partialFingerprints"]["resourceAndFinding/v1"] for each in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_finding_keeps_its_fingerprint_when_its_message_changes() -> None:
    first, second = (
        json.loads(document([Found("encryption", "at-rest", "mandatory", "high", FILES.identity, text)], "Pulumi.yaml"))
        for text in ("one", "another")
    )
    prints = [each["runs"][0]["results"][0]["partialFingerprints"] for each in (first, second)]
    assert prints[0] == prints[1]


def test_missing_environment_of_the_pack_is_an_error_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state.json"
    state.touch()
    monkeypatch.setattr(analysis, "ENVIRONMENT", tmp_path / ".venv")

    with pytest.raises(
        analysis.UnusableError, match=r"no virtual environment .*\.venv\. Fix: run `pulumi -C \S+ install`"
    ):
        analysis.analyze(state, None)


def _many(number: int) -> list[Found]:
    """Findings of a large stack: most are advisory, a few are not."""
    advisory = [
        Found(
            "logging",
            "access-logs",
            "advisory",
            "medium",
            f"urn:pulumi:a::b::aws:s3/bucket:Bucket::b{each}",
            "b: x. Fix: y.",
        )
        for each in range(number)
    ]
    worst = Found(
        "encryption",
        "at-rest",
        "mandatory",
        "critical",
        "urn:pulumi:a::b::c$aws:x/y:Y::files",
        "files (at-rest): " + "z" * 300,
    )
    return [*advisory, worst]


def test_report_of_a_large_stack_fits_a_screen_and_begins_with_the_worst() -> None:
    lines = summary(_many(24_000)).splitlines()
    assert len(lines) <= 50
    assert all(len(line) <= 160 for line in lines)
    assert re.fullmatch(r"encryption +mandatory +critical +1 +1", lines[1])
    assert re.fullmatch(r"logging +advisory +medium +24000 +24000", lines[2])
    assert lines[4] == "The worst 20 of 24001 findings:"
    assert lines[5].startswith("  encryption  files (at-rest): ")
    assert "--all" in lines[-1]
    assert "--sarif" in lines[-1]


def test_report_of_a_small_stack_has_every_finding_with_its_fix() -> None:
    text = summary(_many(3))
    assert "- [mandatory] [severity: critical]  encryption  (aws:x/y:Y: files)" in text
    assert text.count("Fix: y.") == 3
    assert summary([]) == "No findings.\n"
