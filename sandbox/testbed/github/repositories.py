"""The bare git repositories of the stand-in for GitHub."""

import shutil
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from sandbox.testbed.errors import SandboxError

_IDENTITY = ("-c", "user.name=Sandbox", "-c", "user.email=sandbox@example.invalid")


class Repositories:
    """The repositories ``owner/name`` below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def repositories(self) -> Path:
        """The root of the bare repositories, ``<owner>/<name>.git`` each."""
        return self.directory / "repositories"

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
        git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(bare))
        self.commit(repository, default_branch, files, "First commit")

    def default_branch(self, repository: str) -> str:
        """The branch that ``owner/name`` was created with."""
        return git("symbolic-ref", "--short", "HEAD", directory=self.git_directory(repository))

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

        If the files are the same already, there is no commit.

        ``executables`` are the names of those files that are committed as executable, ``links`` are symbolic links with
        their targets.
        """
        bare = self.git_directory(repository)
        work = self.directory / "work" / repository.replace("/", "_")
        shutil.rmtree(work, ignore_errors=True)
        git("clone", "--quiet", str(bare), str(work))
        known = git("branch", "--remotes", "--format=%(refname:short)", directory=work).splitlines()
        start = [name for name in (f"origin/{branch}", f"origin/{self.default_branch(repository)}") if name in known]
        git("checkout", "--quiet", "-B", branch, *start[:1], directory=work)
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
        git("add", "--all", directory=work)
        if git("status", "--porcelain", directory=work):
            git(*_IDENTITY, "commit", "--quiet", "-m", message, directory=work)
        git("push", "--quiet", "origin", branch, directory=work)
        shutil.rmtree(work)
        return self.head(repository, branch)

    def push(self, repository: str, source: Path, revision: str, branch: str) -> str:
        """Push ``revision`` of the git repository ``source`` to ``branch`` and return its hash.

        The repository ``owner/name`` is created if it doesn't exist; ``branch`` is then its default branch.
        """
        bare = self.git_directory(repository)
        if not self.has_repository(repository):
            bare.parent.mkdir(parents=True, exist_ok=True)
            git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(bare))
        # Forced, because an amended commit is pushed as well. Hooks of the source are for its own remotes.
        git(
            "push",
            "--quiet",
            "--force",
            "--no-verify",
            str(bare),
            f"{revision}^{{commit}}:refs/heads/{branch}",
            directory=source,
        )
        return self.head(repository, branch)

    def merge_branches(self, repository: str, base: str, branch: str, message: str) -> str:
        """Merge ``branch`` into ``base`` with a merge commit and return its hash; they must merge without conflict."""
        bare = self.git_directory(repository)
        before, head = self.head(repository, base), self.head(repository, branch)
        tree = git("merge-tree", "--write-tree", before, head, directory=bare)
        merged = git(*_IDENTITY, "commit-tree", tree, "-p", before, "-p", head, "-m", message, directory=bare)
        git("update-ref", f"refs/heads/{base}", merged, before, directory=bare)
        return merged

    def branches(self, repository: str) -> dict[str, str]:
        """The commit at the tip of each branch, by the branch's name."""
        listing = git(
            "for-each-ref",
            "--format=%(refname:lstrip=2) %(objectname)",
            "refs/heads",
            directory=self.git_directory(repository),
        )
        return dict(line.split(" ") for line in listing.splitlines())

    def head(self, repository: str, branch: str) -> str:
        """The commit at the tip of ``branch``."""
        return git("rev-parse", f"refs/heads/{branch}", directory=self.git_directory(repository))

    def content(self, repository: str, path: str, reference: str) -> bytes | None:
        """Return a file's content at a branch or commit; None if the file doesn't exist."""
        shown = subprocess.run(
            ["git", "cat-file", "blob", f"{reference}:{path}"],
            cwd=self.git_directory(repository),
            capture_output=True,
            check=False,
        )
        return shown.stdout if shown.returncode == 0 else None

    @staticmethod
    def main_branch(source: Path) -> str:
        """``main`` or ``master`` of the git repository ``source``; raises ``SandboxError`` if it has neither."""
        for name in ("main", "master"):
            if git("branch", "--list", name, directory=source):
                return name
        raise SandboxError(f"{source} has no branch main or master; set BASE to the branch to merge into")


def git(*arguments: str, directory: Path | None = None) -> str:
    """Run git in ``directory`` and return its output; raises ``SandboxError`` if it fails."""
    done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
