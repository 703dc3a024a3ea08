"""The policy pack on the real engine: what passes, what is stopped, and what a person reads."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CHECKOUT
from tests.policy.record import RECORDED, RECORDER
from tests.sandbox.harness import Scratch
from tests.sandbox.policy_judge import Judge, configured_pack, mandatory
from tests.tables import table
from tests.unit.test_policy_configuration import COMBINED

PROGRAMS = CHECKOUT / "tests" / "programs"


@pytest.fixture(scope="module")
def production(production: Scratch) -> Scratch:
    """The scratch folder of the production stack with its local AWS, which each preview would start and stop otherwise."""
    local_aws.start(production.state, clean_environment())
    return production


@pytest.fixture
def judge(capfd: pytest.CaptureFixture[str]) -> Judge:
    """The judge of one test."""
    return Judge(capfd)


@pytest.mark.parametrize("stack", ["prod", "local"])
def test_stacks_of_this_project_pass_and_each_advisory_explains_itself(tmp_path: Path, judge: Judge, stack: str):
    _, findings = judge.passes(Scratch(tmp_path, stack).sandbox())

    assert {(each.level, each.policy) for each in findings} == {("advisory", "evaluation-report")}
    exempt = [each.message for each in findings if " exempt. " in each.message]
    assert len(exempt) == 1, "one line for each policy, in one message"
    waiting = [each.message for each in findings if each.message not in exempt]
    assert [message[:14] for message in waiting] == ["Not evaluated,"]


@pytest.mark.parametrize("shape", ["production + gitlab", "existing listener + existing cluster + drift"])
def test_a_stack_with_everything_passes_with_the_configuration_that_make_policy_config_writes(
    tmp_path: Path, production: Scratch, judge: Judge, shape: str
):
    changes = COMBINED[shape]
    # An existing listener has its own subnets.
    own: dict[str, Any] = {"publicSubnetIds": None} if "httpsListenerArn" in changes else {}
    sandbox = production.sandbox(**changes, **own)
    given = sandbox.workspace.source_settings("prod") | sandbox.settings
    stack_file = tmp_path / "Pulumi.prod.yaml"
    config = {key: value for key, value in given.items() if value is not None}
    stack_file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    shutil.copytree(CHECKOUT / "policy" / "config", tmp_path / "policy" / "config")
    main = [sys.executable, "-m", "preflight.policy_configuration", "--stack", "prod", "--project", str(tmp_path)]
    subprocess.run(main, cwd=CHECKOUT, check=True)

    judge.stops(sandbox)
    sandbox.policy_configuration = tmp_path / "policy" / "config" / "prod.json"

    _, findings = judge.passes(sandbox)

    assert {(each.level, each.policy) for each in findings} == {("advisory", "evaluation-report")}


def test_the_world_let_in_by_the_settings_is_stopped(production: Scratch, judge: Judge):
    open_to_all = production.sandbox(allowedCidrBlocks=["0.0.0.0/0"], allowPublicAccess=True)

    output, findings = judge.stops(open_to_all)

    assert {(policy, check) for policy, check, _ in mandatory(findings)} == {("cidr-restriction", "ranges")}
    assert (
        "network-alb-https-from-0.0.0.0/0 (ranges): cidrIpv4 allows 0.0.0.0/0, which is outside of the allowed ranges"
        in output
    )
    assert "Fix: limit it to the ranges that need access" in output


def test_a_misspelt_policy_or_key_ends_the_run_before_it_starts(tmp_path: Path, production: Scratch):
    pack = configured_pack(tmp_path, {"single-tasks": "mandatory", "recovery": {"requireProtekt": True}})

    with pytest.raises(SandboxError) as error:
        Sandbox("prod", state=production.state, policy_pack=pack, run_atlantis=False).preview()

    assert 'single-tasks is unknown; did you mean "single-task"?' in str(error.value)
    assert 'recovery.requireProtekt is unknown; did you mean "requireProtect"?' in str(error.value)


@pytest.mark.parametrize(
    ("program", "stopping", "advisory"),
    table(__file__, "findings"),
)
def test_stacks_that_others_wrote_have_the_expected_findings(
    tmp_path: Path,
    judge: Judge,
    program: str,
    stopping: list[str],
    advisory: list[str],
):
    sandbox = Sandbox("dev", state=tmp_path / "dev", program=PROGRAMS / program, run_atlantis=False)

    output, findings = judge.stops(sandbox) if stopping else judge.passes(sandbox)

    assert {" ".join(each) for each in mandatory(findings)} == set(stopping)
    advised = {f"{each.policy} {each.check} {each.resource}" for each in findings if each.level == "advisory"}
    tagging = {each for each in advised if each.startswith("required-tags ")}
    assert advised - tagging == set(advisory)
    assert bool(tagging) == bool(stopping)
    assert "let-me-in" not in "".join(each.message for each in findings)
    # The official language host interrupts a program whose run a violation has ended, and Python prints where.
    assert output.count("Traceback") == output.count("KeyboardInterrupt")


def test_recording_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The tests of the rules break a recording of the program: it has to have the program's resources."""
    recording = tmp_path / "first_preview.json"
    monkeypatch.setenv("RECORDING", str(recording))

    Sandbox("prod", state=tmp_path / "prod", policy_pack=RECORDER, run_atlantis=False).preview()

    recorded, current = (
        {(each["type"], each["name"]): sorted(each["inputs"]) for each in json.loads(file.read_text(encoding="utf-8"))}
        for file in (RECORDED / "first_preview.json", recording)
    )
    assert recorded == current, "the program has changed: run `python -m tests.policy.record`"
