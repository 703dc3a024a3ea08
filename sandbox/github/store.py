"""The data of the stand-in for GitHub: repositories, pull requests, and all requests that it received.

Everything is a file below one directory, so that a test or a command can open a pull request and read the answers
while the server runs in another process.
"""

import json
import shutil
import subprocess
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.files import read_json, write_json
from sandbox.github.issues import Issues

__all__ = ["PullRequest", "Store"]

_IDENTITY = ("-c", "user.name=Sandbox", "-c", "user.email=sandbox@example.invalid")


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


class Store:
    """The files of one stand-in, below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    @property
    def repositories(self) -> Path:
        """The root of the bare repositories, ``<owner>/<name>.git`` each."""
        return self._directory / "repositories"

    @property
    def registration(self) -> Path:
        """The file of the registered App."""
        return self._directory / "app.json"

    @property
    def issues(self) -> Issues:
        """The issues of all repositories."""
        return Issues(self._directory / "issues")

    def git_directory(self, repository: str) -> Path:
        """The bare repository of ``owner/name``."""
        return self.repositories / f"{repository}.git"

    def has_repository(self, repository: str) -> bool:
        """Whether the repository ``owner/name`` exists."""
        return (self.git_directory(repository) / "HEAD").is_file()

    def create_repository(self, repository: str, files: Mapping[str, str], *, default_branch: str = "main") -> None:
        """Create the repository ``owner/name`` with one commit on its default branch."""
        bare = self.git_directory(repository)
        bare.parent.mkdir(parents=True, exist_ok=True)
        _git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(bare))
        self.commit(repository, default_branch, files, "First commit")

    def default_branch(self, repository: str) -> str:
        """The branch that ``owner/name`` was created with."""
        return _git("symbolic-ref", "--short", "HEAD", directory=self.git_directory(repository))

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
        _git("update-ref", f"refs/pull/{number}/head", head, directory=self.git_directory(repository))
        pull = PullRequest(repository, number, branch, title, base=self.default_branch(repository))
        self._save(pull)
        return pull

    def commit(
        self,
        repository: str,
        branch: str,
        files: Mapping[str, str],
        message: str,
        *,
        executables: Collection[str] = (),
        links: Mapping[str, str] | None = None,
    ) -> str:
        """Add a commit with ``files`` to ``branch`` and return its hash; a new branch starts at the default branch.

        ``executables`` are the names of those files that are committed as executable, ``links`` are symbolic links with
        their targets.
        """
        bare = self.git_directory(repository)
        work = self._directory / "work" / repository.replace("/", "_")
        shutil.rmtree(work, ignore_errors=True)
        _git("clone", "--quiet", str(bare), str(work))
        known = _git("branch", "--remotes", "--format=%(refname:short)", directory=work).splitlines()
        start = [name for name in (f"origin/{branch}", f"origin/{self.default_branch(repository)}") if name in known]
        _git("checkout", "--quiet", "-B", branch, *start[:1], directory=work)
        for name, text in files.items():
            target = work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            if name in executables:
                target.chmod(0o755)
        for name, leads_to in (links or {}).items():
            link = work / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(leads_to)
        _git("add", "--all", directory=work)
        _git(*_IDENTITY, "commit", "--quiet", "-m", message, directory=work)
        _git("push", "--quiet", "origin", branch, directory=work)
        shutil.rmtree(work)
        return self._moved(repository, branch)

    def push(self, repository: str, source: Path, revision: str, branch: str) -> str:
        """Push ``revision`` of the git repository ``source`` to ``branch`` and return its hash.

        The repository ``owner/name`` is created if it doesn't exist; ``branch`` is then its default branch.
        """
        bare = self.git_directory(repository)
        if not self.has_repository(repository):
            bare.parent.mkdir(parents=True, exist_ok=True)
            _git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(bare))
        # Forced, because an amended commit is pushed as well. Hooks of the source are for its own remotes.
        _git(
            "push",
            "--quiet",
            "--force",
            "--no-verify",
            str(bare),
            f"{revision}^{{commit}}:refs/heads/{branch}",
            directory=source,
        )
        return self._moved(repository, branch)

    def merge(self, pull: PullRequest) -> PullRequest:
        """Merge a pull request into its base with a merge commit; raises ``SandboxError`` if they conflict."""
        bare = self.git_directory(pull.repository)
        base, head = self.head(pull.repository, pull.base), self.head(pull.repository, pull.branch)
        if not self.merges_cleanly(pull):
            raise SandboxError(f"{pull.repository}#{pull.number} conflicts with {pull.base}; push a branch that merges")
        tree = _git("merge-tree", "--write-tree", base, head, directory=bare)
        message = f"Merge pull request #{pull.number} from {pull.branch}"
        merged = _git(*_IDENTITY, "commit-tree", tree, "-p", base, "-p", head, "-m", message, directory=bare)
        _git("update-ref", f"refs/heads/{pull.base}", merged, base, directory=bare)
        done = replace(pull, state="closed", merged=True)
        self._save(done)
        return done

    def remove(self, repository: str) -> None:
        """Remove the repository ``owner/name`` and its pull requests."""
        for directory in (self.git_directory(repository), self._pulls(repository)):
            shutil.rmtree(directory, ignore_errors=True)

    @staticmethod
    def main_branch(source: Path) -> str:
        """``main`` or ``master`` of the git repository ``source``; raises ``SandboxError`` if it has neither."""
        for name in ("main", "master"):
            if _git("branch", "--list", name, directory=source):
                return name
        raise SandboxError(f"{source} has no branch main or master; set BASE to the branch to merge into")

    def numbers(self, repository: str) -> list[int]:
        """The numbers of the repository's pull requests."""
        return sorted(int(file.stem) for file in self._pulls(repository).glob("*.json"))

    def _moved(self, repository: str, branch: str) -> str:
        """Update the references of pull requests from ``branch``, and return its hash."""
        head = self.head(repository, branch)
        for number in self.numbers(repository):
            pull = self.pull_request(repository, number)
            if pull and pull.branch == branch:
                reference = f"refs/pull/{pull.number}/head"
                _git("update-ref", reference, head, directory=self.git_directory(repository))
        return head

    def approve(self, pull: PullRequest, login: str) -> PullRequest:
        """Add an approving review of ``login``."""
        approved = replace(pull, approved_by=[*pull.approved_by, login])
        self._save(approved)
        return approved

    def close(self, pull: PullRequest) -> PullRequest:
        """Close a pull request without merging it."""
        closed = replace(pull, state="closed")
        self._save(closed)
        return closed

    def retarget(self, pull: PullRequest, base: str) -> PullRequest:
        """Change the base branch of a pull request."""
        changed = replace(pull, base=base)
        self._save(changed)
        return changed

    def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """Pull request ``number`` of ``owner/name``, or None."""
        known = read_json(self._pulls(repository) / f"{number}.json")
        return None if known is None else PullRequest(**known)

    def head(self, repository: str, branch: str) -> str:
        """The commit at the tip of ``branch``."""
        return _git("rev-parse", f"refs/heads/{branch}", directory=self.git_directory(repository))

    def changed_files(self, pull: PullRequest) -> list[dict[str, str]]:
        """The files of a pull request as GitHub lists them: name and status."""
        words = {"A": "added", "M": "modified", "D": "removed"}
        listing = _git(
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

    def content(self, repository: str, path: str, reference: str) -> bytes | None:
        """Return a file's content at a branch or commit; None if the file doesn't exist."""
        shown = subprocess.run(
            ["git", "cat-file", "blob", f"{reference}:{path}"],
            cwd=self.git_directory(repository),
            capture_output=True,
            check=False,
        )
        return shown.stdout if shown.returncode == 0 else None

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
        """All entries of the log ``kind``: ``comments``, ``statuses``, ``reactions``, ``requests`` or ``refused``."""
        log = self._log(kind)
        if not log.is_file():
            return []
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]

    def unexpected(self) -> list[str]:
        """Return the calls that the stand-in refused or doesn't support, as ``METHOD path -> status``."""
        return [
            f"{call['method']} {call['path']} -> {call['status']}"
            for call in self.recorded("requests")
            if not call["expected"]
        ]

    def _save(self, pull: PullRequest) -> None:
        write_json(self._pulls(pull.repository) / f"{pull.number}.json", asdict(pull))

    def _pulls(self, repository: str) -> Path:
        return self._directory / "pulls" / repository

    def _log(self, kind: str) -> Path:
        return self._directory / "records" / f"{kind}.jsonl"


def _git(*arguments: str, directory: Path | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
