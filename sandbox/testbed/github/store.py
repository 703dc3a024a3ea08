"""The data of the stand-in for GitHub: repositories, pull requests, and all requests that it received.

Everything is a file below one directory, so that a test or a command can open a pull request and read the answers
while the server runs in another process.
"""

import datetime
import json
import shutil
import subprocess
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.github.repositories import Repositories, git

_BOT = {"login": "atlantis-sandbox[bot]", "type": "Bot"}
_CHANGES = frozenset({"title", "body", "state", "state_reason", "labels"})
_LONGEST_BODY = 65_536


class Issues:
    """The issues of all repositories, a file each below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def listing(self, repository: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The issues that match ``state`` and ``labels``, newest first, one page of them."""
        wanted = set(filter(None, query.get("labels", "").split(",")))
        state = query.get("state", "open")
        found = [
            issue
            for issue in self.of(repository)
            if state in ("all", issue["state"]) and wanted <= {label["name"] for label in issue["labels"]}
        ]
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        return found[::-1][size * (page - 1) : size * page]

    def of(self, repository: str) -> list[dict[str, Any]]:
        """Every issue of ``owner/name``, oldest first."""
        files = sorted((self._directory / repository).glob("*.json"), key=lambda path: int(path.stem))
        return [json.loads(path.read_text(encoding="utf-8")) for path in files]

    def create(self, repository: str, given: Mapping[str, Any], *, first: int) -> dict[str, Any]:
        """Open an issue; ``first`` is the number of the repository's first one.

        Raises:
            ValueError: a value isn't one that GitHub accepts.
        """
        known = self.of(repository)
        number = known[-1]["number"] + 1 if known else first
        issue = {
            "number": number,
            "html_url": f"https://github.com/{repository}/issues/{number}",
            "state": "open",
            "user": _BOT,
            "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        return self._save(repository, issue, {"body": "", "labels": [], **given})

    def update(self, repository: str, number: int, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Change an issue; None if it doesn't exist.

        Raises:
            ValueError: a value isn't one that GitHub accepts.
        """
        issue = read_json(self._directory / repository / f"{number}.json")
        return None if issue is None else self._save(repository, issue, given)

    def _save(self, repository: str, issue: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := given.keys() - _CHANGES:
            raise ValueError(f"unknown fields {sorted(unknown)}")
        changed = {**issue, **given}
        if not changed.get("title") or len(changed["body"]) > _LONGEST_BODY:
            raise ValueError(f"an issue has a title, and a body of at most {_LONGEST_BODY} characters")
        if changed["state"] not in ("open", "closed"):
            raise ValueError("state is open or closed")
        changed["labels"] = [label if isinstance(label, dict) else {"name": label} for label in changed["labels"]]
        write_json(self._directory / repository / f"{changed['number']}.json", changed)
        return changed


@dataclass(frozen=True)
class PullRequest:
    """A pull request; ``approved_by`` has the logins of reviewers who approved it."""

    repository: str
    number: int
    branch: str
    title: str
    author: str = "sandbox-author"
    base: str = "main"
    state: str = "open"
    approved_by: list[str] = field(default_factory=list)
    merged: bool = False


class Store(Repositories):
    """The files of one stand-in, below ``directory``."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._lock = threading.Lock()

    @property
    def registration(self) -> Path:
        """The file of the registered App."""
        return self.directory / "app.json"

    @property
    def author_configuration(self) -> Path:
        """git's configuration file for the author of pull requests, who can push; it exists while the stand-in runs."""
        return self.directory / "author.gitconfig"

    @property
    def issues(self) -> Issues:
        """The issues of all repositories."""
        return Issues(self.directory / "issues")

    def open_pull_request(
        self,
        repository: str,
        branch: str,
        files: Mapping[str, str],
        title: str,
        *,
        executables: Collection[str] = (),
        links: Mapping[str, str] | None = None,
    ) -> PullRequest:
        """Push ``files`` to a new ``branch`` and open a pull request from it to the default branch."""
        self.commit(repository, branch, files, title, executables=executables, links=links)
        return self.open_pull_request_of_branch(repository, branch, title)

    def open_pull_request_of_branch(self, repository: str, branch: str, title: str) -> PullRequest:
        """Open a pull request from an existing ``branch`` to the default branch."""
        number = 1 + max(self.numbers(repository), default=0)
        head = self.head(repository, branch)
        git("update-ref", f"refs/pull/{number}/head", head, directory=self.git_directory(repository))
        return self._changed(PullRequest(repository, number, branch, title, base=self.default_branch(repository)))

    def commit(self, repository: str, branch: str, files: Mapping[str, str], message: str, **more: Any) -> str:
        """Commit as `Repositories.commit` does, and update the pull requests from ``branch``."""
        hash_ = super().commit(repository, branch, files, message, **more)
        self.moved(repository, branch)
        return hash_

    def push(self, repository: str, source: Path, revision: str, branch: str) -> str:
        """Push as `Repositories.push` does, and update the pull requests from ``branch``."""
        hash_ = super().push(repository, source, revision, branch)
        self.moved(repository, branch)
        return hash_

    def moved(self, repository: str, branch: str) -> list[PullRequest]:
        """Update the references of the pull requests from ``branch``, and return those that are open."""
        known = (self.pull_request(repository, number) for number in self.numbers(repository))
        from_branch = [pull for pull in known if pull and (pull.branch, pull.state) == (branch, "open")]
        for pull in from_branch:
            reference, head = f"refs/pull/{pull.number}/head", self.head(repository, branch)
            git("update-ref", reference, head, directory=self.git_directory(repository))
        return from_branch

    def merge(self, pull: PullRequest) -> PullRequest:
        """Merge a pull request into its base with a merge commit; raises ``SandboxError`` if they conflict."""
        if not self.merges_cleanly(pull):
            raise SandboxError(f"{pull.repository}#{pull.number} conflicts with {pull.base}; push a branch that merges")
        message = f"Merge pull request #{pull.number} from {pull.branch}"
        self.merge_branches(pull.repository, pull.base, pull.branch, message)
        return self._changed(pull, state="closed", merged=True)

    def remove(self, repository: str) -> None:
        """Remove the repository ``owner/name`` and its pull requests."""
        for directory in (self.git_directory(repository), self._pulls(repository)):
            shutil.rmtree(directory, ignore_errors=True)

    def numbers(self, repository: str) -> list[int]:
        """The numbers of the repository's pull requests."""
        return sorted(int(file.stem) for file in self._pulls(repository).glob("*.json"))

    def approve(self, pull: PullRequest, login: str) -> PullRequest:
        """Add an approving review of ``login``."""
        return self._changed(pull, approved_by=[*pull.approved_by, login])

    def close(self, pull: PullRequest) -> PullRequest:
        """Close a pull request without merging it."""
        return self._changed(pull, state="closed")

    def retarget(self, pull: PullRequest, base: str) -> PullRequest:
        """Change the base branch of a pull request."""
        return self._changed(pull, base=base)

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """Pull request ``number`` of ``owner/name``, or None."""
        known = read_json(self._pulls(repository) / f"{number}.json")
        return None if known is None else PullRequest(**known)

    def changed_files(self, pull: PullRequest) -> list[dict[str, str]]:
        """The files of a pull request as GitHub lists them: name and status."""
        words = {"A": "added", "M": "modified", "D": "removed"}
        listing = git(
            "diff",
            "--no-renames",
            "--name-status",
            f"{pull.base}...{pull.branch}",
            directory=self.git_directory(pull.repository),
        )
        changes = (line.split("\t", 1) for line in listing.splitlines())
        return [{"filename": name, "status": words[status]} for status, name in changes]

    def merges_cleanly(self, pull: PullRequest) -> bool:
        """Whether the branch merges into its base without conflict."""
        merged = subprocess.run(
            ["git", "merge-tree", "--write-tree", pull.base, pull.branch],
            cwd=self.git_directory(pull.repository),
            capture_output=True,
            check=False,
        )
        return merged.returncode == 0

    def record(self, kind: str, entry: Mapping[str, Any]) -> int:
        """Append ``entry`` to the log ``kind`` and return its number, counted from one."""
        log = self._log(kind)
        with self._lock:
            number = len(self.recorded(kind)) + 1
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"id": number, **entry}) + "\n")
        return number

    def recorded(self, kind: str) -> list[dict[str, Any]]:
        """All entries of the log ``kind``: ``comments``, ``statuses``, ``reactions``, ``requests``, ``refused`` or ``deliveries``."""
        log = self._log(kind)
        if not log.is_file():
            return []
        # The last line may still be written.
        whole, _, _ = log.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.decode("utf-8").splitlines()]

    def unexpected(self) -> list[str]:
        """Return the calls that the stand-in refused or doesn't support, as ``METHOD path -> status``."""
        return [
            f"{call['method']} {call['path']} -> {call['status']}"
            for call in self.recorded("requests")
            if not call["expected"]
        ]

    def _changed(self, pull: PullRequest, **changes: Any) -> PullRequest:
        changed = replace(pull, **changes)
        write_json(self._pulls(pull.repository) / f"{pull.number}.json", asdict(changed))
        return changed

    def _pulls(self, repository: str) -> Path:
        return self.directory / "pulls" / repository

    def _log(self, kind: str) -> Path:
        return self.directory / "records" / f"{kind}.jsonl"
