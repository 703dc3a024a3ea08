"""The workflows: what they pin, what they may, and that no test is left out of the shards."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
FILES = [*WORKFLOWS, *sorted(GITHUB.glob("actions/*/action.yaml"))]
OIDC = "aws-actions/configure-aws-credentials@"


def identifier(file: Path) -> str:
    return str(file.relative_to(GITHUB))


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]


JOBS = {f"{file.stem}/{name}": job for file in WORKFLOWS for name, job in jobs(file).items()}


@pytest.mark.parametrize("file", FILES, ids=identifier)
def test_every_action_is_pinned_by_commit_with_its_version_beside_it(file: Path) -> None:
    uses = re.findall(r"uses: (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/actions/\w+")
    assert [action for action in uses if not pinned.fullmatch(action)] == []


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_a_job_names_its_permissions_and_its_time(job: dict[str, Any]) -> None:
    assert job["permissions"]
    assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_code_of_the_repository_never_runs_beside_a_token_that_may_write(job: dict[str, Any]) -> None:
    writes = {scope for scope, level in job["permissions"].items() if level == "write"} - {"id-token"}
    checks_out = any("actions/checkout@" in step.get("uses", "") for step in job["steps"])
    assert not (writes and checks_out)


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_an_aws_role_is_assumed_in_an_environment_only(job: dict[str, Any]) -> None:
    assumes = any(step.get("uses", "").startswith(OIDC) for step in job["steps"])
    assert assumes == (job["permissions"].get("id-token") == "write")
    assert not assumes or job["environment"]


def test_the_shards_run_every_sandbox_test_once() -> None:
    shards = JOBS["pull-request/sandbox"]["strategy"]["matrix"]["shard"]
    run: list[Path] = []
    for pattern in " ".join(shard["tests"] for shard in shards).split():
        for found in ROOT.glob(pattern):
            run += [found] if found.is_file() else found.rglob("test_*.py")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    everything = re.findall(r"^TESTS \?= (.+)$", makefile, re.MULTILINE)[0].split()
    assert sorted(run) == sorted(test for folder in everything for test in (ROOT / folder).rglob("test_*.py"))


def test_the_aws_chapter_names_every_workflow() -> None:
    chapter = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    assert [file.name for file in WORKFLOWS if f"| `{file.name}` |" not in chapter] == []


def test_the_installed_cli_is_the_engine_of_the_sandbox() -> None:
    action = (GITHUB / "actions" / "pulumi" / "action.yaml").read_text(encoding="utf-8")
    engine = (ROOT / "sandbox" / "engine" / "go.mod").read_text(encoding="utf-8")
    installed = re.findall(r"pulumi-version: (\S+)", action)
    assert installed == re.findall(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", engine)


def test_the_policy_pack_s_configuration_is_checked_before_it_is_published() -> None:
    commands = [step.get("run", "") for step in JOBS["policy-pack/publish"]["steps"]]
    check = next(index for index, command in enumerate(commands) if "check_configuration.py" in command)
    publish = next(index for index, command in enumerate(commands) if "policy publish" in command)
    assert check < publish


PREVIEW = """\
Previewing update (prod):
 +  pulumi:pulumi:Stack atlantis-prod create

Diagnostics:
  aws:lb:LoadBalancer (ingress):
    warning: a warning

Policies:
    ❌ atlantis-guard@v1.0.0 (local: policy)
        - [mandatory]  cidr-restriction  (aws:vpc/securityGroupIngressRule: ingress-https-0)
          0.0.0.0/0 is outside the allowed ranges.

Outputs:
    atlantis_url: "https://atlantis.example.com"

Resources:
    + 98 to create
"""


def report(tmp_path: Path, output: str, code: int) -> str:
    (tmp_path / "output.txt").write_text(output, encoding="utf-8")
    command = [sys.executable, GITHUB / "report.py", "--title", "Preview of prod", "--code", str(code)]
    ran = subprocess.run([*command, tmp_path / "output.txt"], capture_output=True, text=True, check=True)
    return ran.stdout


def test_a_report_begins_with_the_result_the_findings_and_the_changes(tmp_path: Path) -> None:
    before, details = report(tmp_path, PREVIEW, 255).split("<details>")
    assert before.startswith("## Preview of prod\n\n**Failed** with exit code 255.\n")
    headings = re.findall(r"^### (.+)$", before, re.MULTILINE)
    assert headings == ["Policies", "Diagnostics", "Changes"]
    assert "cidr-restriction" in before.split("### Policies")[1].split("###")[0]
    assert "+ 98 to create" in before.split("### Changes")[1]
    assert "atlantis_url" not in before
    assert PREVIEW.strip() in details


def test_a_report_of_a_run_without_findings_says_that_it_succeeded(tmp_path: Path) -> None:
    text = report(tmp_path, "Resources:\n    98 unchanged\n", 0)
    assert "Succeeded." in text
    assert "### Policies" not in text


def test_a_long_report_fits_into_a_comment(tmp_path: Path) -> None:
    text = report(tmp_path, PREVIEW + " +  aws:ec2:Thing created\n" * 10_000, 0)
    assert len(text) < 65_536
    assert "cut; the job's log has the rest" in text
