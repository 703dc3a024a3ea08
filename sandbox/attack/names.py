"""Attacks through names in pull requests and comments: as shell commands, and as paths outside of the repository."""

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PosixPath

from sandbox.attack.pull_requests import HARMLESS, Answered, commented, opened, planned
from sandbox.attack.row import Outcome, Row, described, row
from sandbox.attack.target import Target


class _Mark(PosixPath):
    """A path on this machine, which each container of the task has in its own files."""

    def exists(self, **_options: bool) -> bool:
        """Whether the file exists here or for any process of this machine."""
        return any(os.path.lexists(f"{root}{self}") for root in ("", *glob.glob("/proc/[0-9]*/root")))  # noqa: PTH207


@contextlib.contextmanager
def mark_file() -> Iterator[Path]:
    """A file that doesn't exist, in a directory that every user may write to."""
    mark = _Mark(f"/tmp/attack-{secrets.token_hex(8)}")  # noqa: S108 - the name is new, and attacks must be able to write it
    try:
        yield mark
    finally:
        if mark.is_dir():
            shutil.rmtree(mark)
        else:
            mark.unlink(missing_ok=True)


def ran(mark: Path, answered: Answered) -> Outcome:
    """An attempt that succeeded if a command created the mark."""
    return Outcome(mark.exists(), "the command ran" if mark.exists() else f"no command ran; {answered.gist}")


def answered_with_plan(answered: Answered) -> Outcome:
    """A control that is allowed if Atlantis planned."""
    return Outcome(answered.planned, "planned" if answered.planned else answered.gist)


def _by_comment(name: str, comment: str, harmless: str) -> Row:
    """An attack by a comment that must not be planned or, with ``{run}`` for a shell command that creates the mark, not run."""

    def attempt(target: Target) -> Outcome:
        pull = opened(target, name, {"main.tf": HARMLESS})
        with mark_file() as mark:
            answered = commented(target, pull, comment.format(run=f"touch {mark}"))
            return ran(mark, answered) if "{run}" in comment else answered_with_plan(answered)

    def control(target: Target) -> Outcome:
        return answered_with_plan(commented(target, opened(target, f"{name}-control", {"main.tf": HARMLESS}), harmless))

    return row(name, attempt, control)


def _branch(target: Target) -> Outcome:
    with mark_file() as mark:
        return ran(mark, planned(target, "branch-name", {"main.tf": HARMLESS}, branch=f"$(touch${{IFS}}{mark})"))


def _directory_name(target: Target) -> Outcome:
    with mark_file() as mark:
        return ran(mark, planned(target, "directory-name", {f"$(touch${{IFS}}{mark})/main.tf": HARMLESS}))


def _harmless(name: str, path: str = "main.tf") -> Callable[[Target], Outcome]:
    return lambda target: answered_with_plan(planned(target, f"{name}-control", {path: HARMLESS}, branch="feature/new"))


ROWS = (
    *(_by_comment(name, *comments) for name, comments in described("comment", "harmless").items()),
    row("branch-name", _branch, _harmless("branch-name")),
    row("directory-name", _directory_name, _harmless("directory-name", "stage one/main.tf")),
)
