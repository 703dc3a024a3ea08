"""The chapter that rolls the pack out in an organization: its configuration and its commands, on three example stacks.

In the CLI's place, the SDK's own servicer evaluates an exported state. `tests/sandbox/test_policy_state.py` does it with the engine.
"""

import copy
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import analysis
import baseline
import check_state
from check_configuration import problems
from tests.policy.servicer import Pack, Planned
from tests.policy.test_programs import ROOT, registered

CHAPTER = (
    (ROOT / "policy" / "README.md")
    .read_text("utf-8")
    .partition("## Roll it out in an organization")[2]
    .partition("\n## ")[0]
)
_BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", CHAPTER, re.MULTILINE | re.DOTALL)
CONFIGURATION = next(json.loads(text) for language, text in _BLOCKS if language == "json")
COMMANDS = [line.strip() for language, text in _BLOCKS if not language for line in text.splitlines()]
WEEKS = re.findall(r"^ +\| (\d+) \| (.*`.*) \| mandatory", CHAPTER, re.MULTILINE)
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "web_shop": ("aws:efs/fileSystem:FileSystem", {"encrypted": False}),
    "serverless_orders": ("aws:sqs/queue:Queue", {"kmsMasterKeyId": "", "sqsManagedSseEnabled": False}),
    "data_lake": ("aws:redshift/cluster:Cluster", {"encrypted": False}),
}
"""By program: the type of resources that the stack has with these properties, which mandatory policies find."""

Run = Callable[[str], int]


def _exported(program: str, folder: Path) -> Path:
    """The state of a deployed stack that has its program's resources, and a fault of years ago."""
    kind, fault = FAULTS[program]
    resources = [copy.deepcopy(asdict(planned)) for planned in registered(program).outputs]
    for resource in resources:
        if resource["type"] == kind:
            resource["properties"] |= fault
    file = folder / f"{program}.json"
    file.write_text(json.dumps({"deployment": {"resources": resources}}), encoding="utf-8")
    return file


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of the chapter; returns its exit code."""

    def analyze(
        state: Path, configuration: Path | None, *_arguments: str, capture: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        assert capture
        assert configuration is not None
        assert problems(configuration) == []
        pack = Pack(json.loads(configuration.read_text("utf-8")))
        resources = json.loads(state.read_text("utf-8"))["deployment"]["resources"]
        found = pack.review(*(Planned(**resource) for resource in resources))
        events = [
            {
                "policyName": each.policy,
                "enforcementLevel": each.level,
                "resourceUrn": each.urn,
                "message": each.message,
            }
            for each in found
        ]
        output = "\n".join(json.dumps({"policyEvent": event}) for event in events)
        stops = any(each.level == "mandatory" for each in found)
        return subprocess.CompletedProcess([], 255 if stops else 0, output)

    monkeypatch.setattr(analysis, "analyze", analyze)
    monkeypatch.chdir(tmp_path)

    def execute(command: str) -> int:
        program, *arguments = shlex.split(command)
        if program == "make":
            # What make would run: a variable that the Makefile doesn't pass on is missing here.
            done = subprocess.run(
                ["make", "--no-print-directory", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
            )
            _, verb, *arguments = shlex.split(
                done.stdout.strip().splitlines()[-1].partition(" -m sandbox ")[2].join(["x ", ""])
            )
            return {"policy-check": check_state.main, "policy-baseline": baseline.main}[verb](arguments)
        done = subprocess.run(["python3", str(ROOT / arguments[0]), *arguments[1:]], check=False)
        return done.returncode

    return execute


def _commands(name: str, state: Path, configuration: Path) -> list[str]:
    """The chapter's commands that begin with ``name``, for these files, and with a day in the future."""
    day = (datetime.now(UTC).date() + timedelta(days=60)).isoformat()
    found = [command for command in COMMANDS if command.startswith(name)]
    assert found, name
    return [
        re.sub(r"UNTIL=\S+", f"UNTIL={day}", command.replace("organization.json", str(configuration))).replace(
            "state.json", str(state)
        )
        for command in found
    ]


def _raised(configuration: Path) -> None:
    """Make the policies of the table's first weeks mandatory, as the chapter says."""
    content = json.loads(configuration.read_text("utf-8"))
    for policy in {name for week, names in WEEKS if int(week) < 4 for name in re.findall("`([a-z-]+)`", names)}:
        content[policy]["enforcementLevel"] = "mandatory"
    configuration.write_text(json.dumps(content), encoding="utf-8")


def test_the_chapter_takes_three_stacks_from_advisory_to_mandatory(
    tmp_path: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    configuration = tmp_path / "organization.json"
    configuration.write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    states = [_exported(program, tmp_path) for program in FAULTS]
    for state in states:
        assert run(_commands("make policy-check", state, configuration)[0]) == 0
        assert re.search(r"^encryption\S* +advisory", capfd.readouterr().out, re.MULTILINE)

    _raised(configuration)
    assert [run(_commands("make policy-check", state, configuration)[0]) for state in states] == [255] * 3

    for state in states:
        for name in ("make policy-baseline", "python policy/check_configuration"):
            assert {run(command) for command in _commands(name, state, configuration)} == {0}
    # The exemptions of all stacks are in the one file that the group has, in addition to what was in it.
    written = json.loads(configuration.read_text("utf-8"))
    assert written["cidr-restriction"]["allowedCidrBlocks"] == CONFIGURATION["cidr-restriction"]["allowedCidrBlocks"]
    assert [run(_commands("make policy-check", state, configuration)[-1]) for state in states] == [0] * 3

    # A new fault stops the stack.
    resources = json.loads(states[1].read_text("utf-8"))
    resources["deployment"]["resources"].append(
        {
            "type": "aws:efs/fileSystem:FileSystem",
            "name": "new",
            "properties": {},
            "urn": "urn:pulumi:dev::serverless_orders::new::new",
        }
    )
    states[1].write_text(json.dumps(resources), encoding="utf-8")
    assert run(_commands("make policy-check", states[1], configuration)[-1]) == 255


def test_the_other_commands_of_the_chapter_are_those_of_the_cli() -> None:
    others = {command.split(" my-organization")[0] for command in COMMANDS if command.startswith("pulumi ")}
    pack = "--policy-pack pack/policy --policy-pack-config organization.json"
    assert others == {
        "pulumi -C policy policy publish",
        "pulumi stack export --file state.json",
        "pulumi policy enable",
        "pulumi -C pack/policy install",
        f"pulumi preview {pack}",
        f"pulumi up {pack}",
        "pulumi stack export --stack production --file state.json",
    }


def test_commands_of_a_pipeline_without_pulumi_cloud_run(tmp_path: Path, run: Run) -> None:
    configuration, state = tmp_path / "organization.json", _exported("web_shop", tmp_path)
    configuration.write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    (check,) = _commands("python pack/policy/check_configuration", state, configuration)
    assert run(check.replace("pack/", "")) == 0
    (judge,) = _commands("python pack/policy/check_state", state, configuration)
    assert check_state.main(shlex.split(judge.replace("findings.sarif", str(tmp_path / "findings.sarif")))[2:]) == 0
    assert json.loads((tmp_path / "findings.sarif").read_text("utf-8"))["runs"][0]["results"]
