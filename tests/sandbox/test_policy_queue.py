"""A deployed queue with a KMS key on the real engine: up, preview and policy-check say nothing that stops it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.policy_pack import provide_environment
from sandbox.testbed.engine import installation
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.paths import CHECKOUT

PACK = CHECKOUT / "policy"
PROGRAM = """\
import pulumi_aws as aws

aws.sqs.Queue("orders", name="orders", kms_master_key_id={key!r}, sqs_managed_sse_enabled={own!r})
"""

Pulumi = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose provider is the one of queues."""
    plugin = tmp_path / "plugin" / "pulumi-resource-aws"
    plugin.parent.mkdir()
    plugin.write_text(
        f'#!/bin/sh\ncd {CHECKOUT} && exec {sys.executable} -m tests.sandbox.queue_provider "$@"\n', encoding="utf-8"
    )
    plugin.chmod(0o700)
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: queues\nruntime: {{name: python, options: {{virtualenv: {CHECKOUT / '.venv'}}}}}\n"
        f"plugins: {{providers: [{{name: aws, path: {plugin.parent}}}]}}\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def pulumi(project: Path) -> Pulumi:
    """Runs the engine on the project, with a separate state."""
    provide_environment(PACK)
    engine = installation.locate().executable
    (project / "state").mkdir()
    environment = {
        **clean_environment(),
        "PATH": f"{engine.parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(project / "home"),
        "PULUMI_BACKEND_URL": f"file://{project / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(engine), *arguments, "--non-interactive"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def _write(project: Path, key: str | None, *, own: bool | None = None) -> None:
    (project / "__main__.py").write_text(PROGRAM.format(key=key, own=own), encoding="utf-8")


def test_queue_with_a_key_is_deployed_previewed_and_checked_without_an_alarm(project: Path, pulumi: Pulumi) -> None:
    _write(project, "alias/orders")
    created = pulumi("stack", "init", "dev")
    assert created.returncode == 0, created.stderr

    deployed = pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(PACK))
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    previewed = pulumi("preview", "--policy-pack", str(PACK))
    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    state = project / "state.json"
    exported = pulumi("stack", "export", "--file", str(state))
    assert exported.returncode == 0, exported.stderr
    assert '"sqsManagedSseEnabled": false' in state.read_text(encoding="utf-8")
    checked = _check(state)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    for answer in (deployed, previewed, checked):
        assert "[mandatory]" not in answer.stdout


def test_queue_whose_author_disables_encryption_is_stopped(project: Path, pulumi: Pulumi) -> None:
    _write(project, None, own=False)
    pulumi("stack", "init", "dev")

    previewed = pulumi("preview", "--policy-pack", str(PACK))

    assert previewed.returncode != 0
    assert "orders (at-rest): sqsManagedSseEnabled is false" in previewed.stdout


def _check(state: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sandbox", "policy-check", "--state", str(state)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300)
