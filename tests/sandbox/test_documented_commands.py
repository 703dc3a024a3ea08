"""The commands of the documentation that need no AWS account, with the real CLI."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.testbed.engine import installation
from sandbox.testbed.engine.workspace import Workspace
from sandbox.testbed.paths import CHECKOUT

DOCUMENTS = [CHECKOUT / "README.md", CHECKOUT / "README.ko.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
COMMANDS = sorted(
    {
        line
        for file in DOCUMENTS
        for line in re.findall(r"^\s*(pulumi config set .*)$", file.read_text("utf-8"), re.MULTILINE)
    }
)
LOOP = {
    "key": "oidcTokenEndpoint",
    "value": "https://login.example.com/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9/v2.0/token",
}
"""What the loop in docs/security.md has in its variables at its hardest: a key that the CLI takes for a secret's."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the project with the stacks of the documentation, and the environment in which a shell finds the CLI."""
    workspace = Workspace(tmp_path_factory.mktemp("state"), CHECKOUT)
    workspace.prepare("prod", {}, None)
    folder = tmp_path_factory.mktemp("project")
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(CHECKOUT / name, folder)
    environment = workspace.environment(None) | LOOP
    environment["PATH"] = os.pathsep.join([str(installation.locate().executable.parent), environment["PATH"]])
    for stack in ("prod", "moved"):
        subprocess.run(["pulumi", "stack", "init", stack], cwd=folder, env=environment, check=True, capture_output=True)
    return folder, environment


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_setting_is_accepted_by_the_cli(project: tuple[Path, dict[str, str]], command: str):
    folder, environment = project

    shell = ["sh", "-c", f"{command} --non-interactive"]
    answer = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
