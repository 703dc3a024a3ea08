"""Attacks of a plan on what comes after it or runs at the same time: by processes, files and links that it leaves.

A stack denies them with `terraformIsolation: tasks`.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.attack.backend import backend
from sandbox.attack.plans import shown_in
from sandbox.attack.provider import run_in_plan
from sandbox.attack.pull_requests import HARMLESS, Answered, commented, planned
from sandbox.attack.row import Outcome, row
from sandbox.attack.target import Target
from sandbox.testbed.github.store import PullRequest

__all__ = ["ROWS"]

_LEFT = """
setsid sh -c 'exec sleep {seconds}' >/dev/null 2>&1 </dev/null &
kill -0 $! && echo "process $! lives"
"""


def _left_behind(target: Target) -> tuple[str, bool]:
    """What the provider has printed, and whether its process outlives the plan; `sleep` has a unique number as its mark."""

    def run() -> tuple[str, bool]:
        seconds = 90_000 + secrets.randbelow(9_000_000)
        said, _ = run_in_plan(target, "isolation-left", _LEFT.format(seconds=seconds))
        command = f"sleep\0{seconds}\0".encode()
        lives = any(_read(path) == command for path in Path("/proc").glob("[0-9]*/cmdline"))
        return said, lives

    return target.once("isolation-left", run)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


_REPLACE = """
(
  setsid sh -c 'while :; do for file in ../second/*.tfplan; do [ -e "$file" ] && echo replaced >"$file"; done; sleep 0.01; done' \\
    >/dev/null 2>&1 </dev/null &
  kill -0 $! && echo "process $! lives"
)
"""


def _replaced(target: Target) -> tuple[str, Answered]:
    """What the provider of one project has printed, and Atlantis' answer to the apply of the project that was planned after it."""

    def run() -> tuple[str, Answered]:
        more = {"second/main.tf": HARMLESS + backend(target)}
        said, plan = run_in_plan(target, "isolation-plan-file", _REPLACE, directory="first/", more=more)
        target.github.approve(plan.pull, "reviewer")
        return said + plan.text, commented(target, plan.pull, "atlantis apply -d second")

    return target.once("isolation-plan-file", run)


_POLL = """
end=$(($(date +%s) + 20))
while [ "$(date +%s)" -lt "$end" ]; do
  cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'
done | grep -e {mark} -e ^PATH= | sort -u
"""
_SLOW = """
resource "terraform_data" "slow" {{
  provisioner "local-exec" {{
    command     = "sleep 15; echo \\"the mark is $MARK\\""
    environment = {{ MARK = "{mark}" }}
  }}
}}
"""


def _beside_an_apply(target: Target) -> tuple[str, str]:
    """What a plan reads from all environments while an apply runs, and what the apply has printed."""

    def run() -> tuple[str, str]:
        mark = f"mark-{secrets.token_hex(8)}"
        plan = planned(target, "isolation-apply", {"main.tf": _SLOW.format(mark=mark) + backend(target)})
        target.github.approve(plan.pull, "reviewer")
        applied: list[str] = []
        thread = threading.Thread(
            target=lambda: applied.append(commented(target, plan.pull, "atlantis apply").text), daemon=True
        )
        thread.start()
        time.sleep(1)
        said, _ = run_in_plan(target, "isolation-beside", _POLL.format(mark=mark))
        thread.join(60)
        found = "the apply's mark" if mark in said else "only its own"
        return f"{found}\n{said}", "\n".join(applied)

    return target.once("isolation-apply", run)


def _read_of_apply(target: Target) -> Outcome:
    said, applied = _beside_an_apply(target)
    if "the mark is" not in applied:
        raise RuntimeError(f"the apply didn't run at the same time: {applied[:300]}")
    return Outcome(said.startswith("the apply's mark"), said.splitlines()[0])


_ADDRESSES = """
resource "terraform_data" "addresses" {
  provisioner "local-exec" {
    command = <<-SHELL
      cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -E '^(AWS_CONTAINER|ECS)_' | sed 's/=.*//; s/^/found /' | sort -u
      echo "searched as $(id -u)"
    SHELL
  }
}
"""


def _addresses_in_apply(target: Target) -> str:
    """What an approved apply says of the addresses that it finds."""

    def apply() -> str:
        plan = planned(target, "isolation-apply-addresses", {"main.tf": _ADDRESSES + backend(target)})
        target.github.approve(plan.pull, "reviewer")
        return commented(target, plan.pull, "atlantis apply").text

    return target.once("isolation-apply-addresses", apply)


def _found_addresses(target: Target) -> Outcome:
    said = _addresses_in_apply(target)
    lines = [line for line in said.splitlines() if "(local-exec): found " in line]
    return Outcome(bool(lines), lines[0].partition("): ")[2] if lines else "no address in any environment")


_LEAVE = """
mkdir -p .git && echo attack >.git/attack && echo attack >attack && echo "# attack" >>main.tf && echo "left three files"
"""


def _checkouts(target: Target, pull: PullRequest) -> Iterator[Path]:
    """The server's checkouts of a pull request, on the volume of its container."""
    yield from (target.deployment.state / "efs").glob(f"**/repos/{pull.repository}/{pull.number}/default")


def _left_files(target: Target) -> tuple[str, list[Path]]:
    def run() -> tuple[str, list[Path]]:
        said, plan = run_in_plan(target, "isolation-checkout", _LEAVE)
        return said, list(_checkouts(target, plan.pull))

    return target.once("isolation-checkout", run)


def _is_left(target: Target) -> Outcome:
    said, checkouts = _left_files(target)
    if "left three files" not in said or not checkouts:
        raise RuntimeError(f"the provider left nothing, or there is no checkout: {said[:300]}")
    found = [
        name
        for checkout in checkouts
        for name in ("attack", ".git/attack", "main.tf")
        if (checkout / name).exists() and "attack\n" in (checkout / name).read_text(encoding="utf-8")
    ]
    return Outcome(bool(found), f"the server's checkout has {', '.join(found) or 'none of them'}")


def _lock_file_came_back(target: Target) -> Outcome:
    _, checkouts = _left_files(target)
    found = any((checkout / ".terraform.lock.hcl").exists() for checkout in checkouts)
    return Outcome(found, f"the lock file of init is in the server's checkout: {found}")


_LINK = """
for name in default.tfplan second-default.tfplan; do ln -sf {there} ../second/$name; done
ls -l ../second
"""


def _linked_plan(target: Target) -> tuple[str, bool]:
    """What the plans of two projects have printed, and whether the second one's plan was written where the first one's link leads."""

    def run() -> tuple[str, bool]:
        name = f"attack-{secrets.token_hex(8)}"
        said, plan = run_in_plan(
            target,
            "isolation-plan-link",
            _LINK.format(there=f'"${{PWD%%/repos/*}}/{name}"'),
            directory="first/",
            more={"second/main.tf": HARMLESS},
        )
        written = [*(target.deployment.state / "efs").glob(f"**/{name}")]
        for path in written:
            path.unlink()
        return said + plan.text, bool(written)

    return target.once("isolation-plan-link", run)


ROWS = (
    row(
        "isolation-left-process",
        lambda target: Outcome(_left_behind(target)[1], f"outlives the plan: {_left_behind(target)[1]}"),
        lambda target: shown_in(_left_behind(target)[0], "lives"),
    ),
    row(
        "isolation-plan-file",
        lambda target: Outcome(
            "Apply complete" not in _replaced(target)[1].text, f"the apply said: {_replaced(target)[1].gist}"
        ),
        lambda target: shown_in(_replaced(target)[0], "Plan: 1 to add"),
    ),
    row("isolation-apply-environment", _read_of_apply, lambda target: shown_in(_beside_an_apply(target)[0], "PATH=")),
    row(
        "isolation-apply-addresses",
        _found_addresses,
        lambda target: shown_in(_addresses_in_apply(target), "searched as "),
    ),
    row("isolation-checkout", _is_left, _lock_file_came_back),
    row(
        "isolation-plan-link",
        lambda target: Outcome(_linked_plan(target)[1], f"written through the link: {_linked_plan(target)[1]}"),
        lambda target: shown_in(_linked_plan(target)[0], "Plan: 1 to add"),
    ),
)
