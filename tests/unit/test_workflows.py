"""The workflows: what they pin, what they may, and that no test is left out of the shards."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.needs import needs
from tests.tables import table

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
def test_every_action_is_pinned_by_commit_with_its_version_next_to_it(file: Path) -> None:
    uses = re.findall(r"uses: (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/actions/\w+")
    assert [action for action in uses if not pinned.fullmatch(action)] == []


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_a_job_names_its_permissions_and_its_time(job: dict[str, Any]) -> None:
    assert job["permissions"]
    assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("name", JOBS)
def test_code_of_the_repository_runs_next_to_a_token_that_may_write_only_in_a_release(name: str) -> None:
    job = JOBS[name]
    writes = {scope for scope, level in job["permissions"].items() if level == "write"} - {"id-token"}
    checks_out = any("actions/checkout@" in step.get("uses", "") for step in job["steps"])
    # Who may push a tag, and what else the environment requires, the owner decides.
    assert not (writes and checks_out) or (name.startswith("release/") and job["environment"] == "release")


def test_a_release_begins_with_a_tag_only() -> None:
    # YAML 1.1 reads the key `on` as true.
    assert yaml.safe_load((GITHUB / "workflows" / "release.yaml").read_text(encoding="utf-8"))[True] == {
        "push": {"tags": ["v*"]}
    }


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
    engine = (ROOT / "sandbox" / "testbed" / "engine" / "go.mod").read_text(encoding="utf-8")
    installed = re.findall(r"pulumi-version: (\S+)", action)
    assert installed == re.findall(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", engine)


def test_the_policy_pack_s_configuration_is_checked_before_it_is_published() -> None:
    commands = [step.get("run", "") for step in JOBS["policy-pack/publish"]["steps"]]
    check = next(index for index, command in enumerate(commands) if "check_configuration.py" in command)
    publish = next(index for index, command in enumerate(commands) if "policy publish" in command)
    assert check < publish


PREVIEW = table(__file__, "preview")


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


PULUMI_STACK = ["deploy/deploy", "preview/preview", "drift/detect"]


@pytest.mark.parametrize("name", PULUMI_STACK)
def test_a_job_runs_for_every_stack_of_the_variable_with_the_token_of_pulumi_cloud(name: str) -> None:
    job = JOBS[name]
    assert job["env"]["STACK"] == "${{ matrix.stack }}"
    assert "vars.STACKS" in job["strategy"]["matrix"]["stack"]
    runs = [step for step in job["steps"] if "pulumi " in step.get("run", "")]
    assert [step["env"]["PULUMI_ACCESS_TOKEN"] for step in runs] == ["${{ secrets.PULUMI_ACCESS_TOKEN }}"]


GH = """#!/bin/bash
# Stands in for GitHub: records each call with the body that it sends.
printf '%s\\n' "$*" >> calls.txt
for argument; do
  case $argument in body=@*) cat "${argument#body=@}" >> calls.txt ;; esac
  case $previous in --body-file) cat "$argument" >> calls.txt ;; esac
  previous=$argument
done
case $* in *"--paginate"*) cat comments.txt ;; "issue list"*) cat issues.txt ;; esac
"""


def _run_last_step(folder: Path, job: str, **files: str) -> str:
    """Run the step that talks to GitHub, next to the downloaded artifacts ``files``. Returns GitHub's calls."""
    for name, content in {"gh": GH, "comments.txt": "", "issues.txt": "[]", **files}.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "gh").chmod(0o755)
    environment = {
        **{"PATH": f"{folder}:{os.environ['PATH']}", "GH_REPO": "example/infrastructure", "NUMBER": "7"},
        **{"STACKS": '["dev", "prod"]', "RUN_URL": "https://github.com/log"},
    }
    script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", JOBS[job]["steps"][-1]["run"]]
    subprocess.run(script, cwd=folder, env=environment, check=True, capture_output=True)
    return (folder / "calls.txt").read_text(encoding="utf-8")


@needs("jq")
def test_a_comment_is_found_by_its_marker_and_an_early_failure_is_readable(tmp_path: Path) -> None:
    others = [[1, "hello"], [2, "<!-- preview of the stack prod -->\nold"]]
    calls = _run_last_step(
        tmp_path,
        "preview/comment",
        **{"comments.txt": "\n".join(map(json.dumps, others)), "report-prod.md": "## Preview of prod\n"},
    )
    assert "pr comment 7 --body-file comment.md\n<!-- preview of the stack dev -->\n## Preview of dev\n" in calls
    assert "**Failed** before Pulumi started. [The log](https://github.com/log) has the reason." in calls
    updated = "--method PATCH repos/example/infrastructure/issues/comments/2 --field body=@comment.md\n"
    assert f"{updated}<!-- preview of the stack prod -->\n## Preview of prod\n" in calls


@needs("jq")
@pytest.mark.parametrize(
    ("artifacts", "said"),
    [
        ({"unchanged-dev.md": "", "report-prod.md": "drifted"}, ["issue create --label drift --title Drift of prod"]),
        (
            {"unchanged-prod.md": "", "issues.txt": '[{"number": 3, "title": "Drift of dev"}]'},
            ["issue comment 3 --body-file report-dev.md\n**Failed** before Pulumi started."],
        ),
    ],
    ids=["a new issue", "an open issue, and a failure before the refresh"],
)
def test_a_stack_that_drifted_has_one_open_issue(tmp_path: Path, artifacts: dict[str, str], said: list[str]) -> None:
    calls = _run_last_step(tmp_path, "drift/issue", **artifacts)
    assert [part for part in said if part not in calls] == []
    assert calls.count("issue create") + calls.count("issue comment") == 1
