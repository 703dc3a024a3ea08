"""The commands for an exported stack, with a program in place of the CLI that prints the events of one run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import analysis
import baseline
import check_state

URN = "urn:pulumi:prod::shop::aws:efs/fileSystem:FileSystem::files"
MANDATORY = {
    "policyName": "encryption",
    "enforcementLevel": "mandatory",
    "severity": "critical",
    "resourceUrn": URN,
    "message": "Data stores are encrypted.\nfiles (at-rest): encrypted is not set. Fix: set encrypted to true. Finding 0123456789abcdef.",
}
ADVISORY = {
    **MANDATORY,
    "policyName": "recovery",
    "enforcementLevel": "advisory",
    "message": "a\nfiles (backup): b. Fix: c. Finding fedcba9876543210.",
}

Cli = Callable[..., None]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Puts a ``pulumi`` on PATH that notes its arguments, and prints events (with --json) or a text."""

    def install(*events: dict[str, Any], code: int = 0, noise: str = "") -> None:
        program = tmp_path / "bin" / "pulumi"
        program.parent.mkdir(exist_ok=True)
        printed = "\n".join([noise, "[]", *(json.dumps({"policyEvent": event}) for event in events)])
        program.write_text(
            f"#!{sys.executable}\nimport pathlib, sys\n"
            f"pathlib.Path({str(tmp_path / 'arguments')!r}).write_text('\\n'.join(sys.argv[1:]))\n"
            f"print({printed!r} if '--json' in sys.argv else 'the text of the engine')\nsys.exit({code})\n",
            encoding="utf-8",
        )
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(program.parent))

    monkeypatch.setattr(analysis, "ENVIRONMENT", tmp_path)
    return install


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """An exported stack of another project."""
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"deployment": {"resources": [{"urn": URN}]}}), encoding="utf-8")
    return file


def _arguments(state: Path) -> list[str]:
    return (state.parent / "arguments").read_text(encoding="utf-8").splitlines()


def test_check_prints_the_findings_and_ends_with_the_code_of_the_engine(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cli(MANDATORY, ADVISORY, code=1, noise="Analyzing...")
    assert check_state.main(["--state", str(state)]) == 1
    output = capfd.readouterr().out
    assert "- [mandatory] [severity: critical]  encryption  (aws:efs/fileSystem:FileSystem: files)" in output
    assert "Fix: set encrypted to true." in output
    assert _arguments(state)[:2] == ["policy", "analyze"]
    assert "--policy-pack-config" not in _arguments(state)


def test_check_of_a_stack_without_findings_passes(cli: Cli, state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cli()
    assert check_state.main(["--state", str(state)]) == 0
    assert capfd.readouterr().out == "No findings.\n"


@pytest.mark.parametrize(("form", "expected"), [("--all", "the text of the engine"), ("--json", '"policyEvent"')])
def test_check_can_print_what_the_engine_prints(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str], form: str, expected: str
) -> None:
    cli(ADVISORY)
    sarif = state.with_name("findings.sarif")
    assert check_state.main(["--state", str(state), form, "--sarif", str(sarif)]) == 0
    assert expected in capfd.readouterr().out
    assert json.loads(sarif.read_text(encoding="utf-8"))["runs"][0]["results"][0]["ruleId"] == "recovery/backup"


def test_check_writes_sarif_in_addition_to_the_report(cli: Cli, state: Path) -> None:
    cli(MANDATORY, code=1)
    sarif = state.with_name("findings.sarif")
    assert check_state.main(["--state", str(state), "--sarif", str(sarif), "--source", "infra/Pulumi.yaml"]) == 1
    assert "infra/Pulumi.yaml" in sarif.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [check_state.main, baseline.main])
def test_failed_engine_is_an_error_and_not_a_stack_without_findings(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str], command: Callable[[list[str]], int]
) -> None:
    cli(ADVISORY, code=255)
    assert command(["--state", str(state)]) == 1
    assert f"error: `pulumi policy analyze` failed for {state}" in capfd.readouterr().err


@pytest.mark.parametrize("command", [check_state.main, baseline.main])
def test_missing_state_is_an_error_with_the_command_that_exports_it(
    cli: Cli, tmp_path: Path, capfd: pytest.CaptureFixture[str], command: Callable[[list[str]], int]
) -> None:
    cli()
    assert command(["--state", str(tmp_path / "none.json")]) == 1
    assert "run `pulumi stack export --file none.json`" in capfd.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", '{"deployment": {}}', '{"deployment": {"resources": [{}]}}'])
def test_file_that_is_no_state_is_an_error(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str], content: str
) -> None:
    cli()
    state.write_text(content, encoding="utf-8")
    assert check_state.main(["--state", str(state)]) == 1
    assert "isn't an exported stack" in capfd.readouterr().err


def test_missing_cli_is_an_error_with_the_page_that_installs_it(
    cli: Cli, state: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cli()
    monkeypatch.setenv("PATH", str(state.parent / "nowhere"))
    assert check_state.main(["--state", str(state)]) == 1
    assert "https://www.pulumi.com/docs/install/" in capfd.readouterr().err


def test_misspelt_configuration_is_an_error_before_the_engine_runs(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cli()
    config = state.with_name("config.json")
    config.write_text('{"encription": "mandatory"}', encoding="utf-8")
    assert check_state.main(["--state", str(state), "--config", str(config)]) == 1
    assert 'did you mean "encryption"?' in capfd.readouterr().err
    assert not (state.parent / "arguments").exists()


def test_stack_of_the_packs_own_project_has_its_configuration(
    cli: Cli, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = state.with_name("Pulumi.yaml")
    project.write_text("name: shop\n", encoding="utf-8")
    monkeypatch.setattr(analysis, "PROJECT", project)
    cli()
    assert check_state.main(["--state", str(state)]) == 0
    assert _arguments(state)[-1] == str(analysis.PACK / "config" / "prod.json")
    project.unlink()
    assert analysis.configuration_of(state) is None


def test_baseline_exempts_each_finding_until_a_day(cli: Cli, state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cli(
        MANDATORY, ADVISORY, {**ADVISORY, "policyName": "evaluation-report", "message": "a\n2 findings exempt."}, code=1
    )
    output = state.with_name("organization.json")
    assert baseline.main(["--state", str(state), "--output", str(output), "--until", "2099-01-31"]) == 0
    assert capfd.readouterr().err == "2 findings are exempt until 2099-01-31\n"
    written = json.loads(output.read_text(encoding="utf-8"))
    assert set(written) == {"encryption", "recovery"}
    (exemption,) = written["encryption"]["exemptions"]
    assert (exemption["resource"], exemption["checks"], exemption["expires"]) == (URN, ["at-rest"], "2099-01-31")
    assert exemption["findings"] == {"0123456789abcdef": "at-rest: encrypted is not set"}


def test_baseline_keeps_the_given_configuration_and_asks_for_tags_by_resource(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cli(MANDATORY, code=1)
    config = state.with_name("config.json")
    config.write_text('{"required-tags": "mandatory", "recovery": {"minimumBackupDays": 3}}', encoding="utf-8")
    assert baseline.main(["--state", str(state), "--config", str(config)]) == 0
    written = json.loads(capfd.readouterr().out)
    assert written["required-tags"] == "mandatory"
    assert written["recovery"] == {"minimumBackupDays": 3}
    assert "--policy-pack-config" in _arguments(state)


@pytest.mark.parametrize(("until", "message"), [("2020-01-01", "must be in the future"), ("31.1.2099", "isn't a date")])
def test_baseline_without_a_day_in_the_future_is_an_error(
    cli: Cli, state: Path, capfd: pytest.CaptureFixture[str], until: str, message: str
) -> None:
    cli()
    with pytest.raises(SystemExit):
        baseline.main(["--state", str(state), "--until", until])
    assert message in capfd.readouterr().err
