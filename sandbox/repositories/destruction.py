"""Destroys what a rehearsal applied, with the local AWS' root credentials.

A comment can't do it, because Atlantis denies Terraform's argument `-destroy` in comments. Terraform runs in a copy of the
working directory that Atlantis applied, so that a state without a backend is found too.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sandbox.atlantis.deployed_service import DeployedService
from sandbox.atlantis.image_tools import TERRAFORM_CONFIGURATION
from sandbox.errors import SandboxError
from sandbox.github.store import PullRequest
from sandbox.local_aws import LocalAws

__all__ = ["destroy"]


def destroy(deployment: DeployedService, pull: PullRequest, directory: str, workspace: str) -> tuple[bool, str]:
    """Destroy the project's resources. Returns whether it succeeded, and Terraform's output.

    Raises:
        SandboxError: Atlantis has no working directory of this pull request.
    """
    below = f"repos/{pull.repository}/{pull.number}/{workspace}"
    found = next((path for path in (deployment.state / "efs").glob(f"*/*/{below}") if path.is_dir()), None)
    if found is None:
        raise SandboxError(f"Atlantis has no folder {below} in {deployment.state / 'efs'}; nothing was destroyed")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
        **LocalAws(deployment.endpoint, deployment.region).environment(),
        "TF_CLI_CONFIG_FILE": str(deployment.state / "task-tools" / TERRAFORM_CONFIGURATION),
        "TF_IN_AUTOMATION": "1",
        "TF_WORKSPACE": workspace,
    }
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "work"
        shutil.copytree(found, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        # The links to the providers lead into the task's file system, so they are installed again.
        shutil.rmtree(copy / directory / ".terraform" / "providers", ignore_errors=True)
        output = ""
        for verb in (["init"], ["destroy", "-auto-approve"]):
            done = subprocess.run(
                ["terraform", *verb, "-input=false", "-no-color"],
                cwd=copy / directory,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            output = done.stdout + done.stderr
            if done.returncode:
                return False, output
    return True, output
