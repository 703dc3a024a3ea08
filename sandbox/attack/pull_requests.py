"""Pull requests of an attacker: opens them in GitHub, sends their events to Atlantis, and reads Atlantis' comments."""

import dataclasses
import secrets
import time
from collections.abc import Collection, Mapping

import yaml

from components.settings.accepted import REPOSITORY
from sandbox.attack.target import Target
from sandbox.pull_requests import is_busy
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest

HARMLESS = 'resource "terraform_data" "harmless" {\n  input = "harmless"\n}\n'
_COMMENT_SECONDS, _ATTEMPTS = 120.0, 10
_BACKEND = """
terraform {{
  backend "s3" {{
    bucket = "{bucket}"
    key    = "{key}"
    region = "{region}"
  }}
}}
"""


@dataclasses.dataclass(frozen=True)
class Answered:
    """A pull request, and the text of all comments that Atlantis has written since the event."""

    pull: PullRequest
    text: str

    @property
    def planned(self) -> bool:
        """Whether Atlantis planned the pull request."""
        return "Plan: " in self.text or "Changes to Outputs" in self.text

    @property
    def gist(self) -> str:
        """The most informative line: for an error, the first line with its message."""
        lines = [line.strip("`*# ") for line in self.text.splitlines()]
        lines = [
            line for line in lines if len(line.split()) > 2 and not line.startswith(("Ran ", "running ", "<details"))
        ]
        said = [
            line
            for line in lines
            if any(word in line for word in ("rror:", "must", "can't", "cannot", "not ", "failed"))
        ]
        return (said or lines or [self.text.strip()])[0][:160]


def opened(
    target: Target,
    name: str,
    files: Mapping[str, str],
    *,
    branch: str = "change",
    executables: Collection[str] = (),
    links: Mapping[str, str] | None = None,
) -> PullRequest:
    """Create a separate repository for ``name`` and open a pull request with ``files``, without sending an event to Atlantis.

    ``{repository}`` in a file's text becomes the repository's name.
    """
    repository = target.repository(f"{name}-{secrets.token_hex(3)}")
    target.github.create_repository(repository, {"README.md": "A repository of the attack table.\n"})
    texts = {path: text.replace(REPOSITORY, repository) for path, text in files.items()}
    pull = target.github.open_pull_request(repository, branch, texts, name, executables=executables, links=links)
    target.opened.append(pull)
    return pull


def planned(
    target: Target,
    name: str,
    files: Mapping[str, str],
    *,
    branch: str = "change",
    executables: Collection[str] = (),
    links: Mapping[str, str] | None = None,
) -> Answered:
    """Open a pull request, send its event, and wait for Atlantis' comment."""
    pull = opened(target, name, files, branch=branch, executables=executables, links=links)
    return ask(target, pull, "pull_request", events.pull_request(target.github, pull))


def backend(target: Target) -> str:
    """A block with a state of the pull request's repository, for which `{repository}` stands; empty without isolation.

    Isolated Terraform applies nothing whose state is local.
    """
    if not target.isolated:
        return ""
    settings = yaml.safe_load(target.sandbox.workspace.stack_file(target.sandbox.stack).read_text(encoding="utf-8"))
    prefixes = settings["config"].get("atlantis:terraformStatePrefixes") or [""]
    own = next((prefix for prefix in prefixes if REPOSITORY in prefix), f"{prefixes[0]}{REPOSITORY}/")
    return _BACKEND.format(bucket=state_bucket(target), key=f"{own}attack.tfstate", region=target.sandbox.aws.region)


def state_bucket(target: Target) -> str:
    """The first bucket with Terraform's states."""
    return next(item["Name"] for item in target.client("s3").list_buckets()["Buckets"] if "state" in item["Name"])


def approved(target: Target, name: str, configuration: str) -> PullRequest:
    """Open a pull request whose state can be written in an apply, wait for its plan, and approve it."""
    pull = planned(target, name, {"main.tf": configuration + backend(target)}).pull
    target.github.approve(pull, "reviewer")
    return pull


def applied(target: Target, name: str, configuration: str) -> Answered:
    """Apply an approved pull request."""
    return commented(target, approved(target, name, configuration), "atlantis apply")


def commented(target: Target, pull: PullRequest, text: str, author: str = "sandbox-author") -> Answered:
    """Comment ``text`` on the pull request and wait for Atlantis' comment.

    Atlantis refuses a command while it completes the previous one. Such a refusal says nothing about the attack.
    """
    for _ in range(_ATTEMPTS):
        answered = ask(target, pull, "issue_comment", events.comment(pull, text, author))
        if not is_busy(answered.text):
            return answered
        time.sleep(1)
    raise TimeoutError(f"{pull.repository}#{pull.number} is still locked after {_ATTEMPTS} attempts")


def ask(target: Target, pull: PullRequest, event: str, body: bytes) -> Answered:
    """Deliver ``body`` and wait for Atlantis' comment on ``pull``.

    Raises:
        SandboxError: Atlantis wrote no comment.
    """
    requests = target.requests
    before = len(requests.comments(pull))
    answer = target.deliver(event, body)
    if answer.status != 200:
        return Answered(pull, f"{answer.status} {answer.body.decode(errors='replace').strip()}")
    return Answered(pull, "\n".join(requests.answer(pull, before, _COMMENT_SECONDS)))
