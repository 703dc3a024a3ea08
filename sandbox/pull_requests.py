"""Opens pull requests at the stand-in of GitHub, sends their events to the deployed Atlantis, and reads its comments."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sandbox.atlantis.agent import GITHUB_DIRECTORY
from sandbox.atlantis.webhooks import deliver
from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.targets import Response
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store

__all__ = ["PullRequests", "deliver", "has_failed", "is_busy", "sample_repository"]

_CONTINUED = "**Warning**: Output length greater than max comment size. Continued in next comment."
_BUSY = re.compile(r' is currently locked (for this pull request )?by "')
_ATTEMPTS = 30
_Found = TypeVar("_Found")
_FAILURE = re.compile(r"^\*\*\w[\w ]* (?:Error\*\*|Failed\*\*:)|^Error: Pre-workflow hook failed", re.MULTILINE)


def has_failed(comments: Iterable[str]) -> bool:
    """Whether one of Atlantis' comments reports an error or a failure, by the headings of its templates."""
    return any(_FAILURE.search(comment) for comment in comments)


def sample_repository(allowlist: str, wanted: str = "sandbox-sample") -> str:
    """Return a repository ``owner/name`` that ``allowlist`` allows: its first entry, with ``wanted`` for a wildcard."""
    entries = [entry.strip() for entry in allowlist.split(",")]
    admitted = next((entry for entry in entries if entry and not entry.startswith("!")), None)
    parts = (admitted or "").split("/")
    if len(parts) < 2:
        raise SandboxError(f"The allowlist {allowlist!r} admits no repository to try")
    owner, name = parts[1], "/".join(parts[2:]) or "*"
    return f"{owner.replace('*', 'sandbox')}/{name.replace('*', wanted)}"


def is_busy(comment: str) -> bool:
    """Whether Atlantis refused a command because another one of the pull request runs, which ends by itself.

    The lock of another pull request's plan doesn't.
    """
    return _BUSY.search(comment) is not None


@dataclass(frozen=True)
class PullRequests:
    """The pull requests of one deployed stack."""

    deployment: DeployedService
    store: Store

    @classmethod
    def of(cls, sandbox: Sandbox) -> "PullRequests":
        """Those of the deployed stack of ``sandbox``; raises ``SandboxError`` if it isn't deployed."""
        deployment = sandbox.service()
        if deployment is None:
            raise SandboxError("The stack isn't deployed. Run `make up` to deploy it")
        return cls(deployment, Store(deployment.state / GITHUB_DIRECTORY))

    def repository(self, wanted: str = "sandbox-sample") -> str:
        """A repository ``owner/name`` that the deployed allowlist allows, with the name ``wanted`` if that is allowed."""
        variables = self.deployment.variables(self.deployment.require_service().definition)
        return sample_repository(variables.get("ATLANTIS_REPO_ALLOWLIST", ""), wanted)

    def open(self, repository: str, branch: str, files: Mapping[str, str], title: str) -> PullRequest:
        """Open a pull request that adds ``files`` to an existing repository. Atlantis isn't informed yet."""
        return self.store.open_pull_request(repository, branch, files, title)

    def open_branch(self, repository: str, source: Path, revision: str, base: str, title: str) -> PullRequest:
        """Push ``base`` and ``revision`` of the git repository ``source``, and open a pull request from one to the other."""
        self.store.push(repository, source, base, "main")
        branch = f"rehearsal-{int(time.time())}" if revision in ("HEAD", "main") else revision
        self.store.push(repository, source, revision, branch)
        return self.store.open_pull_request_of_branch(repository, branch, title)

    def find(self, repository: str, number: int) -> PullRequest:
        """The pull request ``number``; raises ``SandboxError`` if there is none."""
        found = self.store.pull_request(repository, number)
        if found is None:
            known = ", ".join(map(str, self.store.numbers(repository))) or "none"
            raise SandboxError(f"{repository} has no pull request {number}; open one without NUMBER. It has: {known}")
        return found

    def announce(self, pull: PullRequest, action: str = "opened") -> Response:
        """Send the event of an opened, updated or closed pull request."""
        return deliver(self.deployment, "pull_request", events.pull_request(self.store, pull, action))

    def comment(self, pull: PullRequest, text: str, *, seconds: float) -> list[str]:
        """Comment ``text`` on the pull request, and return Atlantis' answer.

        Atlantis refuses a command while it completes the previous one. The command is then repeated.
        """
        for _ in range(_ATTEMPTS):
            before = len(self.comments(pull))
            answer = deliver(self.deployment, "issue_comment", events.comment(pull, text))
            _require_accepted(answer)
            found = self.answer(pull, before, seconds)
            if not any(map(is_busy, found)):
                return found
            time.sleep(1)
        raise SandboxError(f"{pull.repository}#{pull.number} is still locked by another command; see `make logs`")

    def planned(self, pull: PullRequest, *, seconds: float, action: str = "opened") -> list[str]:
        """Send the event of an opened or updated (``synchronize``) pull request, and return Atlantis' answer."""
        before = len(self.comments(pull))
        _require_accepted(self.announce(pull, action))
        return self.answer(pull, before, seconds)

    def merge(self, pull: PullRequest) -> PullRequest:
        """Merge the pull request, and inform Atlantis, which deletes its plans and locks."""
        merged = self.store.merge(pull)
        _require_accepted(self.announce(merged, "closed"))
        return merged

    def close(self, pull: PullRequest) -> PullRequest:
        """Close the pull request without merging it, and inform Atlantis."""
        closed = self.store.close(pull)
        _require_accepted(self.announce(closed, "closed"))
        return closed

    def comments(self, pull: PullRequest) -> list[str]:
        """Atlantis' comments on the pull request, oldest first."""
        return [
            entry["body"]
            for entry in self.store.recorded("comments")
            if (entry["repository"], entry["number"]) == (pull.repository, pull.number)
        ]

    def answer(self, pull: PullRequest, before: int, seconds: float) -> list[str]:
        """Wait for Atlantis' comments after the first ``before``; it splits a long comment into several.

        Raises:
            SandboxError: there was no complete comment within ``seconds``.
        """

        def complete() -> list[str] | None:
            new = self.comments(pull)[before:]
            return None if not new or _CONTINUED in new[-1] else new

        found = _wait_for(complete, seconds)
        if found is None:
            raise SandboxError(
                f"Atlantis wrote no comment on {pull.repository}#{pull.number} within {seconds:g} s; `make logs` shows its log"
            )
        return found


def _require_accepted(answer: Response) -> None:
    if answer.status != 200:
        text = answer.body.decode(errors="replace").strip()
        raise SandboxError(f"Atlantis refused the event with the status {answer.status}: {text}")


def _wait_for(find: Callable[[], _Found | None], seconds: float) -> _Found | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.3)
    return None
