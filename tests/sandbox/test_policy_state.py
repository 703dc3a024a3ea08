"""The policy pack on an exported state: what stands, what a fault in it adds, and a baseline that exempts what stands."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.harness import Scratch
from tests.sandbox.policy_judge import mandatory, shown


@pytest.fixture(scope="module")
def exported(production: Scratch) -> dict[str, Any]:
    """The production stack as it is deployed, exported."""
    return production.deployed().export()


def _judged(production: Scratch, file: Path, state: dict[str, Any], *arguments: str) -> tuple[int, str]:
    file.write_text(json.dumps(state), encoding="utf-8")
    answer = production.cli("policy-check", "--all", "--state", str(file), *arguments)
    return answer.returncode, answer.stdout + answer.stderr


def test_exported_state_of_production_has_no_violation(tmp_path: Path, production: Scratch, exported: dict[str, Any]):
    code, output = _judged(production, tmp_path / "state.json", exported)

    assert code == 0, output
    findings = list(shown(output))
    assert {(each.level, each.policy) for each in findings} == {("advisory", "evaluation-report")}
    assert all(" exempt. " in each.message for each in findings), output


def test_fault_in_an_exported_state_is_a_violation(tmp_path: Path, production: Scratch, exported: dict[str, Any]):
    state = json.loads(json.dumps(exported))
    for resource in state["deployment"]["resources"]:
        if resource["type"] == "aws:ecs/service:Service":
            resource["inputs"]["desiredCount"] = resource["outputs"]["desiredCount"] = 2
        if resource["type"] == "aws:efs/fileSystem:FileSystem":
            resource["inputs"]["encrypted"] = resource["outputs"]["encrypted"] = False

    code, output = _judged(production, tmp_path / "state.json", state)

    assert code != 0
    assert mandatory(list(shown(output))) == {
        ("encryption", "at-rest", "storage-efs"),
        ("single-task", "desired-count", "compute-service"),
    }


def test_baseline_exempts_what_was_found_and_stops_what_is_new(
    tmp_path: Path, production: Scratch, exported: dict[str, Any]
):
    state = json.loads(json.dumps(exported))
    (service,) = [each for each in state["deployment"]["resources"] if each["type"] == "aws:ecs/service:Service"]
    (files,) = [each for each in state["deployment"]["resources"] if each["type"] == "aws:efs/fileSystem:FileSystem"]
    files["inputs"]["encrypted"] = files["outputs"]["encrypted"] = False
    (group,) = [each for each in state["deployment"]["resources"] if each["urn"].endswith("::network-alb")]
    office = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["203.0.113.0/24"]}
    group["inputs"]["ingress"] = group["outputs"]["ingress"] = [office]
    file, baseline, sarif = tmp_path / "state.json", tmp_path / "baseline.json", tmp_path / "findings.sarif"
    file.write_text(json.dumps(state), encoding="utf-8")

    written = production.cli("policy-baseline", "--state", str(file), "--output", str(baseline))
    code, output = _judged(production, file, state, "--config", str(baseline), "--sarif", str(sarif))

    assert written.returncode == 0, written.stderr
    assert code == 0, output
    levels = {each["level"] for each in json.loads(sarif.read_text(encoding="utf-8"))["runs"][0]["results"]}
    assert levels == {"note"}

    # Worse than what is exempt, in the same check of the same resource.
    everyone = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}
    group["inputs"]["ingress"] = group["outputs"]["ingress"] = [office, everyone]
    service["inputs"]["desiredCount"] = service["outputs"]["desiredCount"] = 2
    code, output = _judged(production, file, state, "--config", str(baseline), "--sarif", str(sarif))

    assert code != 0
    assert mandatory(list(shown(output))) == {
        ("single-task", "desired-count", "compute-service"),
        ("cidr-restriction", "ranges", group["urn"].rpartition("::")[2]),
        ("public-exposure", "open-port", group["urn"].rpartition("::")[2]),
    }
    results = json.loads(sarif.read_text(encoding="utf-8"))["runs"][0]["results"]
    errors = {each["ruleId"] for each in results if each["level"] == "error"}
    assert errors == {"single-task/desired-count", "cidr-restriction/ranges", "public-exposure/open-port"}
