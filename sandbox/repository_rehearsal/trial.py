"""One run of a repository through the deployed Atlantis: plan, apply, plan again, with what IAM decided in each step."""

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.pull_requests import PullRequests
from sandbox.repository_rehearsal import local_differences, terraform_output
from sandbox.repository_rehearsal.applied_project import AppliedProject
from sandbox.repository_rehearsal.decisions import Call, DecisionLog
from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.store import PullRequest

_PROJECT = re.compile(r"(?:project: `(?P<name>[^`]+)` )?dir: `(?P<directory>[^`]+)` workspace: `(?P<workspace>[^`]+)`")
_FAILURES = (
    "**Plan Error**",
    "**Plan Failed**",
    "**Apply Error**",
    "**Apply Failed**",
    "**Error**",
    "**Update Error**",
    "**Destroy Error**",
)
_COUNTS = re.compile(
    r"^(?:No changes\..*|Apply complete! .*|Destroy complete! .*|Plan: .*|Changes to Outputs:)$", re.MULTILINE
)


@dataclass(frozen=True, order=True)
class Project:
    """A project that Atlantis found: a directory and a workspace, or a project of atlantis.yaml."""

    directory: str
    workspace: str = "default"
    name: str = ""

    @property
    def arguments(self) -> str:
        """The arguments of Atlantis' commands for this project only."""
        return f"-p {self.name}" if self.name else f"-d {self.directory} -w {self.workspace}"


@dataclass(frozen=True)
class Step:
    """A command on one project, with Atlantis' answer.

    Attributes:
        verb: ``plan``, ``apply``, ``plan again``, ``update`` or ``destroy``.
        calls: IAM's decisions on the calls of the command.
        unsupported: actions that IAM allowed and the local AWS doesn't support.
    """

    project: Project
    verb: str
    seconds: float
    comments: Sequence[str]
    calls: Sequence[Call]
    unsupported: Sequence[str]

    @property
    def text(self) -> str:
        """The comments as one text."""
        return terraform_output.without_prefixes("\n\n".join(self.comments))

    @property
    def failed(self) -> bool:
        """Whether Atlantis reports an error."""
        return any(marker in self.text for marker in _FAILURES)

    @property
    def result(self) -> str:
        """Terraform's own summary, such as ``Plan: 3 to add, 0 to change, 0 to destroy.``"""
        found = _COUNTS.findall(self.text)
        if self.failed or not found:
            return "failed" if self.failed else "no summary"
        return found[-1]

    @property
    def stopped_by(self) -> str:
        """Why a failed step failed, in a few words: calls that the local AWS lacks, or the errors that were printed."""
        errors = terraform_output.errors(self.text) or [terraform_output.last_line(self.text)]
        # A provider tolerates some calls that aren't supported.
        if fatal := [action for action in self.unsupported if f"AWS would allow this call ({action})" in self.text]:
            return f"the local AWS doesn't support {', '.join(fatal)}"
        return "; ".join(errors[:3]) + (f"; {len(errors) - 3} more errors" if len(errors) > 3 else "")

    @property
    def changes_nothing(self) -> bool:
        """Whether a plan found no difference, apart from those of `local_differences`."""
        return not self.failed and ("No changes." in self.text or self.changes == [])

    @property
    def changes(self) -> list[str] | None:
        """The addresses of the resources that a plan changes, without `local_differences`; None if it changes none."""
        return local_differences.remaining(self.text) if terraform_output.planned(self.text) else None


class Trial:
    """An open pull request with the repository's configuration."""

    def __init__(self, requests: PullRequests, pull: PullRequest, log: DecisionLog, seconds: float) -> None:
        self._requests, self._log, self._seconds = requests, log, seconds
        self.pull = pull
        self.projects: list[Project] = []

    @classmethod
    def open(
        cls, requests: PullRequests, repository: str, commits: Path, title: str, *, log: DecisionLog, seconds: float
    ) -> "Trial":
        """Push the branches ``base`` and ``change`` of the git repository ``commits``, and open a pull request."""
        requests.store.push(repository, commits, "base", "main")
        requests.store.push(repository, commits, "change", "change")
        return cls(requests, requests.store.open_pull_request_of_branch(repository, "change", title), log, seconds)

    def plan_all(self) -> list[Step]:
        """Let Atlantis find and plan all projects, as it does for a new pull request.

        The steps of several projects are planned once more, one at a time, because only then are the calls of a project
        known to be its own.
        """
        self._log.calls()
        begun = time.monotonic()
        comments = self._requests.planned(self.pull, seconds=self._seconds)
        self.projects = sorted(
            {
                Project(found["directory"], found["workspace"], found["name"] or "")
                for comment in comments
                for found in _PROJECT.finditer(comment.partition("\n```")[0])
            }
        )
        if not self.projects:
            raise SandboxError(f"Atlantis found no project in this pull request; its comment is:\n{comments[-1]}")
        if len(self.projects) == 1:
            return [self._step(self.projects[0], "plan", begun, comments)]
        return [self.command(project, "plan") for project in self.projects]

    def command(self, project: Project, verb: str) -> Step:
        """Comment a command for one project. ``verb`` is one of those of `Step` up to ``plan again``."""
        self._log.calls()
        begun = time.monotonic()
        text = f"atlantis {'apply' if verb == 'apply' else 'plan'} {project.arguments}"
        comments = self._requests.comment(self.pull, text, seconds=self._seconds)
        return self._step(project, verb, begun, comments)

    def change(self, project: Project, applied: AppliedProject, verb: str) -> Step:
        """``update`` or ``destroy`` what was applied."""
        self._log.calls()
        begun = time.monotonic()
        done, output = applied.update() if verb == "update" else applied.destroy()
        return self._step(project, verb, begun, [output if done else f"**{verb.title()} Error**\n{output}"])

    def approve(self) -> None:
        """Approve the pull request, which Atlantis requires before an apply."""
        self.pull = self._requests.store.approve(self.pull, "sandbox-reviewer")

    def end(self, *, merge: bool) -> None:
        """Merge or close the pull request, and remove the repository."""
        self.pull = self._requests.merge(self.pull) if merge else self._requests.close(self.pull)
        self._requests.store.remove(self.pull.repository)

    def _step(self, project: Project, verb: str, begun: float, comments: Sequence[str]) -> Step:
        seconds = time.monotonic() - begun
        step = Step(project, verb, seconds, comments, self._log.calls(), self._log.unsupported())
        console.step(f"{verb} of {project.directory}: {step.result} ({seconds:.0f} s, {len(step.calls)} decisions)")
        return step


def commits_of(
    directory: Path, base: Callable[[Path], None] | None, change: Callable[[Path], None], only: str = ""
) -> Path:
    """A git repository with the branches ``base`` and ``change``.

    ``base`` and ``change`` write a tree. Without ``base``, that branch has everything outside of the folder ``only``, so that
    the pull request adds this folder, or everything.
    """
    directory.mkdir(parents=True)
    _git(directory, "init", "--quiet", "--initial-branch=base")
    if base:
        base(directory)
    elif only:
        change(directory)
        _git(directory, "add", "--all", "--force")
        _git(directory, "rm", "-r", "--quiet", "--cached", "--", only)
    else:
        (directory / ".rehearsed-repository").write_text("Written by make rehearse.\n", encoding="utf-8")
    if not only:
        _git(directory, "add", "--all", "--force")
    _git(directory, "commit", "--quiet", "--allow-empty", "-m", "Base")
    _git(directory, "checkout", "--quiet", "-b", "change")
    if base:
        _git(directory, "rm", "-r", "--quiet", "--", ".")
    if base or not only:
        change(directory)
    _git(directory, "add", "--all", "--force")
    _git(directory, "commit", "--quiet", "--allow-empty", "-m", "The rehearsed configuration")
    return directory


def _git(directory: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Sandbox", "-c", "user.email=sandbox@example.invalid")
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
