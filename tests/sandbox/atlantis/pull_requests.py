"""Pull requests at the stand-in of GitHub whose Terraform keeps its state where the deployed stack does."""

import json
from collections.abc import Mapping

from sandbox.pull_requests import deliver
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.local_service import BUCKET, OWNER, TABLE, LocalService

RESOURCE = 'resource "terraform_data" "release" {}\n'
# For a queue, the provider would wait half a minute until its attributes are the same everywhere.
TOPIC = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
  backend "s3" {
    bucket         = "team-states"
    key            = "topic/terraform.tfstate"
    region         = "ap-northeast-2"
    dynamodb_table = "team-locks"
  }
}

resource "aws_sns_topic" "jobs" {
  name = "team-jobs"
  tags = { Service = "team" }
}
"""
_CONFIGURATION = """
terraform {{
  backend "s3" {{
    bucket         = "{bucket}"
    key            = "{key}"
    region         = "ap-northeast-2"
    dynamodb_table = "{table}"
    encrypt        = true
    {backend}
  }}
}}

resource "terraform_data" "release" {{
  input = "{value}"
  {extra}
}}
"""


def project(key: str, value: str = "v1", *, bucket: str = BUCKET, backend: str = "", extra: str = "") -> str:
    """A configuration whose state is ``key``; ``backend`` is one more line of the backend's block, ``extra`` one of the resource's."""
    return _CONFIGURATION.format(bucket=bucket, key=key, table=TABLE, value=value, backend=backend, extra=extra)


def open_pull_request(
    github: Store, name: str, branch: str, *, bucket: str = BUCKET, backend: str = "", extra: str = ""
) -> PullRequest:
    """Make a repository of the allowlist's owner and open a pull request that adds a first resource, as `project` has it."""
    repository = f"{OWNER}/{name}"
    github.create_repository(repository, {"README.md": "Infrastructure\n"})
    configuration = project(f"{name}/terraform.tfstate", branch, bucket=bucket, backend=backend, extra=extra)
    return github.open_pull_request(repository, branch, {"main.tf": configuration}, f"Release {branch}")


def open_with_files(
    github: Store, name: str, files: Mapping[str, str], *, default_branch: str = "master"
) -> PullRequest:
    """Make a repository of the allowlist's owner and open a pull request that adds ``files``."""
    repository = f"{OWNER}/{name}"
    github.create_repository(repository, {"README.md": "Infrastructure\n"}, default_branch=default_branch)
    return github.open_pull_request(repository, "change", dict(files), "Change")


def send(local: LocalService, github: Store, pull: PullRequest) -> None:
    """Deliver the event of an opened pull request."""
    assert deliver(local.deployment, "pull_request", events.pull_request(github, pull)).status == 200


def operations_of(service: DeployedService) -> int:
    """How many operations the server has in progress."""
    return json.loads(entrance(service).request("GET", "/status").body)["in_progress_operations"]


def when_idle(service: DeployedService) -> None:
    """Wait until the server runs nothing: a command locks its pull request for a moment after its comment."""
    eventually("the end of the previous command", lambda: operations_of(service) == 0)


def say(service: DeployedService, pull: PullRequest, text: str) -> None:
    """Deliver the event of somebody's comment on a pull request."""
    when_idle(service)
    assert deliver(service, "issue_comment", events.comment(pull, text)).status == 200


def comment(github: Store, pull: PullRequest, beginning: str, after: int = 0) -> str:
    """Wait for a comment of Atlantis that begins so; ``after`` comments are passed over."""

    def found() -> str | None:
        comments = github.recorded("comments")[after:]
        bodies = [item["body"] for item in comments if item["repository"] == pull.repository]
        return next((body for body in bodies if body.startswith(beginning)), None)

    return eventually(f"a comment that begins with {beginning!r}", found)
