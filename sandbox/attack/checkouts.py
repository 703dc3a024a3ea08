"""Attacks through what a pull request commits beside Terraform: a git repository of its own, and symbolic links."""

from collections.abc import Callable

from sandbox.attack.names import answered_with_plan, mark_file, ran
from sandbox.attack.pull_requests import HARMLESS, Answered, commented, opened, planned
from sandbox.attack.row import Outcome, Row
from sandbox.attack.target import Target

__all__ = ["ROWS"]

_BARE = """[core]
	repositoryformatversion = 0
	bare = false
	worktree = .
	fsmonitor = "touch {mark}; false"
"""


def _refused(answered: Answered) -> str:
    """The line of the comment that names the link."""
    return next((line.strip() for line in answered.text.splitlines() if line.startswith("  ")), answered.gist)[:160]


def _bare_repository(target: Target) -> Outcome:
    with mark_file() as mark:
        files = {
            "h/HEAD": "ref: refs/heads/main\n",
            "h/config": _BARE.format(mark=mark),
            "h/objects/keep": "",
            "h/refs/keep": "",
            "h/main.tf": HARMLESS,
        }
        return ran(mark, planned(target, "bare-repository", files))


def _written(target: Target) -> Outcome:
    with mark_file() as mark:
        answered = planned(target, "link-written", {"main.tf": HARMLESS}, links={"default.tfplan": str(mark)})
        return Outcome(mark.exists(), "the plan was written through the link" if mark.exists() else _refused(answered))


def _read(target: Target) -> Outcome:
    # The parser's error quotes the beginning of a document that isn't a mapping.
    answered = planned(target, "link-read", {"main.tf": HARMLESS}, links={"atlantis.yaml": "/proc/version"})
    return Outcome("Linux v" in answered.text, _refused(answered))


def _directory(target: Target) -> Outcome:
    """A project of the pull request is the checkout of another one."""
    other = planned(target, "link-victim", {"main.tf": HARMLESS.replace("harmless", "of_another")}).pull
    checkout = f"../../../{other.repository.rpartition('/')[2]}/{other.number}/default"
    pull = opened(target, "link-directory", {"notes.md": "No Terraform."}, links={"elsewhere": checkout})
    answered = commented(target, pull, "atlantis plan -d elsewhere")
    return Outcome("of_another" in answered.text, _refused(answered))


def _inside(target: Target) -> Answered:
    return target.once(
        "link-inside",
        lambda: planned(
            target,
            "link-inside",
            {"shared/main.tf": HARMLESS, "prod/outputs.tf": 'output "stage" {\n  value = "prod"\n}\n'},
            links={"prod/main.tf": "../shared/main.tf"},
        ),
    )


_CHECK = "the check of committed links, a pre-workflow hook that a pull request can't change"


def _link_row(name: str, attempt: Callable[[Target], Outcome], *, attack: str, tried: str) -> Row:
    return Row(
        name=name,
        attack=attack,
        tried=tried,
        refused_by=_CHECK,
        attempt=attempt,
        control=lambda target: answered_with_plan(_inside(target)),
    )


ROWS = (
    Row(
        name="bare-repository",
        attack="Run a command in the server before any plan",
        tried="a committed directory with the files of a bare git repository, whose core.fsmonitor is a command",
        refused_by="git's configuration in the container: safe.bareRepository and core.fsmonitor",
        attempt=_bare_repository,
        control=lambda target: answered_with_plan(planned(target, "bare-repository-control", {"h/main.tf": HARMLESS})),
    ),
    _link_row(
        "link-written",
        _written,
        attack="Overwrite a file outside of the checkout",
        tried="a committed link with the name of the plan file",
    ),
    _link_row(
        "link-read",
        _read,
        attack="Print a file that the server can read in a comment",
        tried="atlantis.yaml as a committed link, whose beginning Atlantis quotes in its error",
    ),
    _link_row(
        "link-directory",
        _directory,
        attack="Plan in the checkout of another pull request, and write there",
        tried="a committed link to its directory, and the comment atlantis plan -d <link>",
    ),
)
