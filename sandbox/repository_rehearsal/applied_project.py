"""Changes and destroys what a rehearsal applied, with the role of applies, so that IAM's decisions show these permissions too.

A comment can't do it, because Atlantis denies Terraform's argument `-destroy` in comments. Terraform runs in a copy of the
working directory that Atlantis applied, so that a state without a backend is found too.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.atlantis.image_tools import TERRAFORM_CONFIGURATION
from sandbox.testbed.containers.deployed_service import ROOT, Credentials, DeployedService
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.store import PullRequest
from sandbox.testbed.local_aws import LocalAws

_DISTRIBUTION, _PROGRAMS = "ATLANTIS_DEFAULT_TF_DISTRIBUTION", {"opentofu": "tofu"}
_TAG = "TF_AWS_DEFAULT_TAGS_Rehearsal"
"""The provider's variable for one more tag on every resource that has tags."""


class AppliedProject:
    """A copy of the working directory of a project that Atlantis applied.

    Raises:
        SandboxError: Atlantis has no working directory of this pull request.
    """

    def __init__(
        self,
        deployment: DeployedService,
        pull: PullRequest,
        *,
        directory: str,
        workspace: str,
        credentials: Credentials,
        copy: Path,
    ) -> None:
        below = f"repos/{pull.repository}/{pull.number}/{workspace}"
        found = next((path for path in (deployment.state / "efs").glob(f"*/*/{below}") if path.is_dir()), None)
        if found is None:
            raise SandboxError(
                f"Atlantis has no folder {below} in {deployment.state / 'efs'}; nothing can be destroyed"
            )
        shutil.copytree(found, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        self._directory = copy / directory
        # The links to the providers lead into the task's file system, so they are installed again.
        shutil.rmtree(self._directory / ".terraform" / "providers", ignore_errors=True)
        self._deployment, self._workspace = deployment, workspace
        variables = deployment.variables(deployment.require_service().definition)
        self._program, self._own = program_of(self._directory, variables.get(_DISTRIBUTION, ""))
        self._environment = self._with(credentials)
        self._initialized = False

    def state(self) -> Mapping[str, Any]:
        """The project's state, as `terraform show -json` prints it; empty if it can't be read."""
        done, output = self._run(["show", "-json"], self._environment)
        try:
            return json.loads(output[output.index("{") :]) if done else {}
        except ValueError:
            return {}

    def update(self) -> tuple[bool, str]:
        """Add a tag to every resource that has tags. Returns whether it succeeded, and Terraform's output."""
        return self._run(["apply", "-auto-approve"], {**self._environment, _TAG: "update"})

    def destroy(self) -> tuple[bool, str]:
        """Destroy the project's resources. Returns whether it succeeded, and Terraform's output.

        If the role can't, the local AWS' root credentials destroy the rest.
        """
        done, output = self._run(["destroy", "-auto-approve"], self._environment)
        if not done:
            _, more = self._run(["destroy", "-auto-approve"], self._with(ROOT))
            output += f"\nWith the local AWS' root credentials:\n{more}"
        return done, output

    def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> tuple[bool, str]:
        output = ""
        for arguments in (() if self._initialized else (["init"],)) + (command,):
            options = ["-no-color"] if arguments[0] == "show" else ["-input=false", "-no-color"]
            done = subprocess.run(
                [self._program, *arguments, *options],
                cwd=self._directory,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            output = done.stdout if arguments[0] == "show" else done.stdout + done.stderr
            if done.returncode:
                return False, done.stdout + done.stderr
        self._initialized = True
        return True, output

    def _with(self, credentials: Credentials) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
            **LocalAws(self._deployment.endpoint, self._deployment.region).environment(),
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            **({"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}),
            "TF_CLI_CONFIG_FILE": str(self._deployment.state / "task-tools" / TERRAFORM_CONFIGURATION),
            "TF_IN_AUTOMATION": "1",
            "TF_WORKSPACE": self._workspace,
            **self._own,
        }


def program_of(directory: Path, distribution: str) -> tuple[str, Mapping[str, str]]:
    """The program that applies the project in ``directory``, and its own variables: the server's, or Terragrunt with it.

    Terragrunt passes the inputs of `terragrunt.hcl`, without which Terraform would ask for them.
    """
    program = _PROGRAMS.get(distribution, "terraform")
    if (directory / "terragrunt.hcl").is_file():
        return "terragrunt", {"TG_TF_PATH": program, "TG_NON_INTERACTIVE": "true"}
    return program, {}
