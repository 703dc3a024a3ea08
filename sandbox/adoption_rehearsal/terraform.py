"""Checks with real Terraform that it only forgets what is left of the modules whose calls the operator deletes."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from adoption import files
from adoption.plan import Plan
from sandbox.testbed import console, terraform_provider
from sandbox.testbed.engine.workspace import clean_environment

_CONFIGURATION = """\
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"""
"""Of the operator's configuration, which isn't in the state: what the blocks need. The plan doesn't read AWS."""
_SHOWN = 500


def changed_by_terraform(plan: Plan, folder: Path) -> Iterator[str]:
    """A sentence for each resource of these modules that Terraform wouldn't only forget, with the files that the command writes.

    `folder` is created, and has the state afterwards as the script leaves it.
    """
    provider = terraform_provider.find()
    if provider is None or plan.file is None:
        console.note(
            f"skipped: Terraform's plan of what remains, because `terraform` with its AWS provider {terraform_provider.VERSION} isn't "
            "installed"
        )
        return
    console.step("Terraform's plan without the modules' calls, which must destroy nothing")
    folder.mkdir()
    configuration = folder / "terraform.rc"
    provider.write_configuration(configuration)
    (folder / "main.tf").write_text(_CONFIGURATION + files.removed_blocks(plan.to_remove), encoding="utf-8")
    shutil.copy(plan.file, folder / "terraform.tfstate")
    files.write_state_rm(folder / "state-rm.sh", plan.to_forget)
    modules = [f"-target={name}" for name in sorted({".".join(block.split(".")[:2]) for block in plan.to_remove})]
    for command in (
        ["terraform", "init", "-input=false"],
        ["sh", "state-rm.sh"],
        *([["terraform", "plan", "-input=false", "-refresh=false", "-json", *modules]] if modules else []),
    ):
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**clean_environment(), "TF_CLI_CONFIG_FILE": str(configuration), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        events = list(map(json.loads, ended.stdout.splitlines() if "-json" in command else ()))
        if ended.returncode:
            errors = [
                each["diagnostic"]["summary"]
                for each in events
                if each.get("diagnostic", {}).get("severity") == "error"
            ]
            reason = "; ".join(errors) or " ".join((ended.stderr or ended.stdout).split())[-_SHOWN:]
            yield (
                f"`{' '.join(command[:2])}` failed, so it isn't known what Terraform would destroy: {reason}. Pull the state again with "
                "this machine's Terraform, or put the one that wrote the state on PATH; without `terraform`, the rehearsal skips this plan"
            )
            return
        for line in events:
            if line.get("change", {}).get("action") in ("create", "delete", "replace", "update"):
                yield f"Terraform would {line['change']['action']} {line['change']['resource']['addr']}"
