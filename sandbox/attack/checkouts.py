"""Attacks through what a commit makes the server read: a git repository, symbolic links, and files for the server's parser."""

import dataclasses
from collections.abc import Callable

from sandbox.attack.names import answered_with_plan, mark_file, ran
from sandbox.attack.pull_requests import HARMLESS, Answered, commented, opened, planned
from sandbox.attack.row import Outcome, Row, row
from sandbox.attack.target import Target

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


_NESTED = f'terraform {{\n  required_version = {"(" * 200_000}">= 1"{")" * 200_000}\n}}\n'
_LITERAL = f"[{', '.join('1' * 100)}]"
# 100^8 iterations: the server's memory grows by some 30 MiB a second.
_LOOPS = "".join(f"[for a{level} in {_LITERAL} : " for level in range(8))
_REPEATED = f'variable "x" {{\n  default = {_LOOPS}1{"]" * 8}\n}}\n'
_READABLE = f"{'# A comment.' * 10}\n" * 400 + 'locals {\n  names = [for name in ["a", "b"] : name]\n}\n'


def _parsed(target: Target, name: str, content: str) -> Outcome:
    """Whether the server parses the file: for the plan, or for an apply in the checkout that the refused plan has left."""
    answered = planned(target, name, {"main.tf": HARMLESS, "versions.tf": content})
    for text in (answered.text, commented(target, answered.pull, "atlantis apply -d . -w default").text):
        if "they could end it" not in text:
            return Outcome(True, dataclasses.replace(answered, text=text).gist)
    return Outcome(False, _refused(answered))


def _read_in_full(target: Target) -> Outcome:
    return answered_with_plan(
        target.once("parser", lambda: planned(target, "parser", {"main.tf": HARMLESS + _READABLE}))
    )


def _link_row(name: str, attempt: Callable[[Target], Outcome]) -> Row:
    return row(name, attempt, lambda target: answered_with_plan(_inside(target)))


ROWS = (
    row(
        "bare-repository",
        _bare_repository,
        lambda target: answered_with_plan(planned(target, "bare-repository-control", {"h/main.tf": HARMLESS})),
    ),
    _link_row("link-written", _written),
    _link_row("link-read", _read),
    _link_row("link-directory", _directory),
    *(
        row(name, lambda target, name=name, content=content: _parsed(target, name, content), _read_in_full)
        for name, content in (("parser-nesting", _NESTED), ("parser-loops", _REPEATED))
    ),
)
