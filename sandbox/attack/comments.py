"""Attacks by comments of a stranger: arguments of Terraform that change what the next, approved apply does."""

import secrets
from collections.abc import Sequence

from sandbox.attack.names import mark_file
from sandbox.attack.pull_requests import HARMLESS, commented, opened
from sandbox.attack.row import Outcome, described, row
from sandbox.attack.target import Target

_VARIABLE = 'variable "size" {\n  default = "small"\n}\n\nresource "terraform_data" "size" {\n  input = var.size\n}\n'
_HARMLESS_ARGUMENT = "-parallelism=5"


def _attempt(target: Target, name: str, arguments: Sequence[str]) -> Outcome:
    """The stranger tries each spelling; the first one that is planned is a success."""
    pull = opened(target, name, {"main.tf": _VARIABLE})
    answered = None
    for argument in arguments:
        answered = commented(target, pull, f"atlantis plan -- {argument}", author="stranger")
        if "Ran Plan for" in answered.text and "rror" not in answered.text:
            return Outcome(True, f"planned with {argument}")
    return Outcome(False, answered.gist if answered else "nothing was tried")


def _control(target: Target) -> Outcome:
    """Another argument is accepted, and the comment that an approver reads repeats it."""

    def plan() -> Outcome:
        pull = opened(target, "harmless-argument", {"main.tf": HARMLESS})
        answered = commented(target, pull, f"atlantis plan -- {_HARMLESS_ARGUMENT}", author="stranger")
        shown = f"-- {_HARMLESS_ARGUMENT}" in answered.text
        return Outcome(
            answered.planned and shown, "planned, and the comment shows the argument" if shown else answered.gist
        )

    return target.once("harmless-argument", plan)


def _written(target: Target) -> Outcome:
    """The plan of one pull request is written where the plan file of another could be."""
    with mark_file() as mark:
        path = mark.with_name(f"{secrets.token_hex(4)}.tfplan")
        outcome = _attempt(target, "argument-out", (f"-out={path}", f"--out={path}", f"'-out' '{path}'"))
        return Outcome(path.exists(), f"the plan was written to {path}" if path.exists() else outcome.seen)


ROWS = (
    *(
        row(name, lambda target, name=name, arguments=arguments: _attempt(target, name, arguments), _control)
        for name, (arguments,) in described("arguments").items()
    ),
    row("argument-out", _written, _control),
)
