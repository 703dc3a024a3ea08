"""A running Terraform stack is adopted with the real engine: nothing is lost, and nothing is left to change."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adoption.plan import Plan, make_plan
from adoption.rehearsal import rehearse
from sandbox import local_aws, processes
from sandbox.engine.stack import EngineError
from sandbox.engine.workspace import clean_environment
from sandbox.local_aws import LocalAws
from sandbox.sandbox import Sandbox
from tests.adoption.states import REGION, SETTINGS, small_state, write
from tests.sandbox.harness import own_processes

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "adoption" / "terraform.tfstate"
MODULE = ROOT / "tests" / "adoption" / "fargate"
PLUGIN_FOLDERS = ("/opt/*", "/usr/local/share/terraform/*", "/usr/share/terraform/*", "~/.terraform.d/*")
ORIGINAL = {
    "allowedCidrBlocks": ["203.0.113.0/24"],
    "url": "https://atlantis.example.com",
    "repoAllowlist": "github.com/ryu-qqq/*",
    "managedNamePrefixes": [],
    "secretReaderArns": ["arn:aws:iam::123456789012:role/deployer"],
}


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import pulumi
import pulumi_aws as aws
from adoption import transform
transform.register(pulumi.get_stack())
aws.cloudwatch.LogGroup("logs", name=pulumi.Config().require("group"), retention_in_days=7)
"""


def _official_provider() -> Path | None:
    """A folder of Terraform plugins that holds the official AWS provider."""
    for pattern in PLUGIN_FOLDERS:
        base = Path(pattern).expanduser()
        for folder in base.parent.glob(base.name):
            if any(folder.glob("registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*")):
                return folder
    return None


@pytest.fixture
def terraform_aws(tmp_path: Path) -> Iterator[LocalAws]:
    folder = tmp_path / "terraform-aws"
    yield local_aws.start(folder, clean_environment())
    local_aws.stop(folder)


def _assert_rehearsed(plan: Plan, folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    assert plan.problems == []
    ended = rehearse(plan, folder)
    shown = capfd.readouterr()
    assert ended == 0, shown.out[-6000:] + shown.err[-6000:]
    assert not folder.exists(), "a rehearsal leaves nothing behind"
    assert list(own_processes(folder)) == []
    return shown.err


def test_a_stack_of_another_account_and_region_is_adopted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan = make_plan(write(tmp_path, small_state()), "prod", SETTINGS, REGION)
    said = _assert_rehearsed(plan, tmp_path / "rehearsal", capfd)
    assert "17 resources were adopted under the ids that they had" in said


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not on this machine")
def test_the_original_stack_is_adopted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = _assert_rehearsed(make_plan(SHARED, "prod", ORIGINAL, "ap-northeast-2"), tmp_path / "rehearsal", capfd)
    assert "35 resources were adopted under the ids that they had" in said
    for name in ("storage-efs fs-", "storage-access-point fsap-", "storage-ecr-key ", "storage-repository atlantis"):
        assert name in said


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on this machine")
@pytest.mark.skipif(_official_provider() is None, reason="the official Terraform AWS provider is not on this machine")
def test_a_stack_that_terraform_made_is_adopted(
    tmp_path: Path, terraform_aws: LocalAws, capfd: pytest.CaptureFixture[str]
) -> None:
    module = shutil.copytree(MODULE, tmp_path / "module")
    environment = {**clean_environment(), **terraform_aws.environment(), "TF_CLI_CONFIG_FILE": os.devnull}

    def terraform(*arguments: str) -> str:
        command = ["terraform", f"-chdir={module}", *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    terraform("init", "-input=false", f"-plugin-dir={_official_provider()}")
    terraform("apply", "-auto-approve", "-input=false")
    state = tmp_path / "pulled.tfstate"
    state.write_text(terraform("state", "pull"), encoding="utf-8")

    plan = make_plan(state, "prod", ORIGINAL, terraform_aws.region)
    names = {adopted.pair.wanted.name for adopted in plan.adopted}
    assert names >= {
        *("compute-service", "compute-cluster", "compute-logs", "ingress-alb", "ingress-https", "ingress-targets"),
        *("storage-efs", "storage-access-point"),
        *("network-alb", "network-ecs-tasks", "network-efs", "network-alb-to-tasks-ingress"),
    }
    assert {actual.type for actual, _ in plan.left} >= {"aws_vpc", "aws_subnet", "aws_acm_certificate"}
    assert json.loads(state.read_text(encoding="utf-8"))["terraform_version"]
    _assert_rehearsed(plan, tmp_path / "rehearsal", capfd)


def test_the_engine_refuses_to_replace_what_the_file_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "__main__.py").write_text(PROGRAM.format(root=str(ROOT)), encoding="utf-8")
    (program / "Pulumi.yaml").write_text("name: logs\nruntime: python\n", encoding="utf-8")
    (program / "Pulumi.test.yaml").write_text("config:\n  aws:region: ap-northeast-2\n", encoding="utf-8")
    state = tmp_path / "state"

    def sandbox(group: str) -> Sandbox:
        return Sandbox(
            "test", state=state, program=program, settings={"logs:group": group}, policy_pack=None, run_atlantis=False
        )

    logs = local_aws.start(state, clean_environment()).client("logs")
    try:
        logs.create_log_group(logGroupName="running")
        first = sandbox("running")
        first.workspace.adoption_file.write_text("test: {import: {logs: running}}", encoding="utf-8")
        first.up()
        (group,) = logs.describe_log_groups()["logGroups"]
        assert (group["logGroupName"], group["retentionInDays"]) == ("running", 7)

        capfd.readouterr()
        with pytest.raises(EngineError):
            sandbox("another").up()
        assert "may not be replaced" in capfd.readouterr().out
        assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["running"]

        kept = sandbox("another")
        kept.workspace.adoption_file.write_text("test: {keep: {logs: [name]}}", encoding="utf-8")
        kept.preview(expect_no_changes=True)
    finally:
        processes.stop_all(state)
