"""The command as people and pipelines call it."""

import json
import subprocess
from pathlib import Path

import pytest

from preflight.command import CHECKS
from tests.preflight.account import Account, run_module

PROJECT = Path(__file__).resolve().parents[2]


def preflight(account: Account, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return account.run_command("preflight", file, *options)


def test_table_says_ok_and_the_exit_code_is_zero(account: Account, tmp_path: Path):
    ended = preflight(account, tmp_path / "Pulumi.prod.yaml")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "image: architecture" in ended.stdout
    assert "atlantis:v0.47.1 is for amd64" in ended.stdout
    assert ended.stdout.rstrip().endswith(f"\n{len(CHECKS)} ok")


def test_failure_says_what_to_do_and_the_exit_code_is_not_zero(account: Account, tmp_path: Path):
    account.put_secret("prod-atlantis-github-app", {"app_id": "k3epMeSecret"})
    ended = preflight(account, tmp_path / "Pulumi.prod.yaml")
    assert ended.returncode == 1
    assert (
        "secrets: credentials have their keys FAILED prod-atlantis-github-app lacks installation_id, private_key"
        in " ".join(ended.stdout.split())
    )
    assert "-> put all of them: aws secretsmanager put-secret-value" in ended.stdout
    assert ended.stdout.rstrip().endswith(f"\n{len(CHECKS) - 3} ok, 1 failed, 2 not checked")
    assert "k3epMeSecret" not in ended.stdout + ended.stderr


def test_a_command_to_copy_stays_in_one_line(account: Account, tmp_path: Path):
    account.values["imageTag"] = "v0.48.0"
    ended = preflight(account, tmp_path / "Pulumi.prod.yaml")
    command = "docker push 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/atlantis:v0.48.0"
    assert f"-> {command}" in [line.strip() for line in ended.stdout.splitlines()]


def test_json_has_every_result(account: Account, tmp_path: Path):
    account.values["imageTag"] = "v0.48.0"
    ended = preflight(account, tmp_path / "Pulumi.prod.yaml", "--json")
    results = {f"{result['subject']}: {result['title']}": result for result in json.loads(ended.stdout)}
    assert ended.returncode == 1
    assert results["image: exists"]["status"] == "failed"
    assert "docker push" in results["image: exists"]["remedy"]
    assert results["image: architecture"]["status"] == "not checked"
    assert results["image: architecture"]["message"] == "needs: image exists (failed)"


def test_wrong_settings_are_all_named_before_aws_is_asked(account: Account, tmp_path: Path):
    account.values |= {"cpu": 300, "url": "http://atlantis.example.com"}
    ended = preflight(account, tmp_path / "Pulumi.prod.yaml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "atlantis:cpu = 300: must be" in ended.stderr
    assert "atlantis:url = 'http://atlantis.example.com': must be https://" in ended.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "Pulumi.prod.yaml does not exist; stacks with a file here: dev"),
        ("config: [", "Pulumi.prod.yaml isn't YAML: line 1: "),
        ("- a list", "Pulumi.prod.yaml has no `config` mapping"),
        (
            "config:\n  atlantis:url:\n    secure: AAABAGNpcGhlcnRleHQ=\n",
            "atlantis:url = [secret]: the value isn't valid",
        ),
    ],
)
def test_unusable_stack_file_is_said(tmp_path: Path, content: str | None, said: str):
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}")
    if content is not None:
        (tmp_path / "Pulumi.prod.yaml").write_text(content)
    ended = run_module("preflight", tmp_path / "Pulumi.prod.yaml")
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "AAABAGNpcGhlcnRleHQ=" not in ended.stderr
    assert "Traceback" not in ended.stderr
