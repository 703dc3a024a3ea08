"""Attacks of a plan on what comes after it or runs at the same time: by processes, files and links that it leaves.

A stack denies them with `terraformIsolation: tasks`.
"""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.attack.plans import shown_in
from sandbox.attack.provider import run_in_plan
from sandbox.attack.pull_requests import HARMLESS, Answered, applied, approved, backend, commented
from sandbox.attack.row import Outcome, files, row_of_one_run, script
from sandbox.attack.target import Target


def _left_behind(target: Target) -> tuple[str, bool]:
    """What the provider has printed, and whether its process outlives the plan; `sleep` has a unique number as its mark."""
    seconds = 90_000 + secrets.randbelow(9_000_000)
    said, _ = run_in_plan(target, "isolation-left", script("isolation-left-process", seconds=seconds))
    command = f"sleep\0{seconds}\0".encode()
    return said, any(_read(path) == command for path in Path("/proc").glob("[0-9]*/cmdline"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _replaced(target: Target) -> tuple[str, Answered]:
    """What the provider of one project has printed, and Atlantis' answer to the apply of the project that was planned after it."""
    more = {"second/main.tf": HARMLESS + backend(target)}
    said, plan = run_in_plan(
        target, "isolation-plan-file", script("isolation-plan-file"), directory="first/", more=more
    )
    target.github.approve(plan.pull, "reviewer")
    return said + plan.text, commented(target, plan.pull, "atlantis apply -d second")


def _during_an_apply(target: Target) -> tuple[str, str]:
    """What a plan reads from all environments while an apply runs, and whose mark that has."""
    mark = f"mark-{secrets.token_hex(8)}"
    pull = approved(target, "isolation-apply", files("isolation-apply-environment", mark=mark)["main.tf"])
    with ThreadPoolExecutor(1) as pool:
        apply = pool.submit(commented, target, pull, "atlantis apply")
        time.sleep(1)
        said, _ = run_in_plan(target, "isolation-during", script("isolation-apply-environment", mark=mark))
        applied = apply.result().text
    if "the mark is" not in applied:
        raise RuntimeError(f"the apply didn't run at the same time: {applied[:300]}")
    return said, "the apply's mark" if mark in said else "only its own"


def _found_addresses(said: str) -> Outcome:
    lines = [line for line in said.splitlines() if "(local-exec): found " in line]
    return Outcome(bool(lines), lines[0].partition("): ")[2] if lines else "no address in any environment")


def _left_files(target: Target) -> list[Path]:
    """The server's checkouts of a pull request, on the volume of its container."""
    said, plan = run_in_plan(target, "isolation-checkout", script("isolation-checkout"))
    below = f"**/repos/{plan.pull.repository}/{plan.pull.number}/default"
    checkouts = list((target.deployment.state / "efs").glob(below))
    if "left three files" not in said or not checkouts:
        raise RuntimeError(f"the provider left nothing, or there is no checkout: {said[:300]}")
    return checkouts


def _is_left(checkouts: list[Path]) -> Outcome:
    found = [
        name
        for checkout in checkouts
        for name in ("attack", ".git/attack", "main.tf")
        if (checkout / name).exists() and "attack\n" in (checkout / name).read_text(encoding="utf-8")
    ]
    return Outcome(bool(found), f"the server's checkout has {', '.join(found) or 'none of them'}")


def _lock_file_came_back(checkouts: list[Path]) -> Outcome:
    found = any((checkout / ".terraform.lock.hcl").exists() for checkout in checkouts)
    return Outcome(found, f"the lock file of init is in the server's checkout: {found}")


def _linked_plan(target: Target) -> tuple[str, bool]:
    """What the plans of two projects have printed, and whether the second one's plan was written where the first one's link leads."""
    name = f"attack-{secrets.token_hex(8)}"
    said, plan = run_in_plan(
        target,
        "isolation-plan-link",
        script("isolation-plan-link", there=f'"${{PWD%%/repos/*}}/{name}"'),
        directory="first/",
        more={"second/main.tf": HARMLESS},
    )
    written = [*(target.deployment.state / "efs").glob(f"**/{name}")]
    for path in written:
        path.unlink()
    return said + plan.text, bool(written)


ROWS = (
    row_of_one_run(
        "isolation-left-process",
        _left_behind,
        lambda left: Outcome(left[1], f"outlives the plan: {left[1]}"),
        lambda left: shown_in(left[0], "lives"),
    ),
    row_of_one_run(
        "isolation-plan-file",
        _replaced,
        lambda run: Outcome("Apply complete" not in run[1].text, f"the apply said: {run[1].gist}"),
        lambda run: shown_in(run[0], "Plan: 1 to add"),
    ),
    row_of_one_run(
        "isolation-apply-environment",
        _during_an_apply,
        lambda run: Outcome(run[1] == "the apply's mark", run[1]),
        lambda run: shown_in(run[0], "PATH="),
    ),
    row_of_one_run(
        "isolation-apply-addresses",
        lambda target: applied(target, "isolation-apply-addresses", files("isolation-apply-addresses")["main.tf"]).text,
        _found_addresses,
        lambda said: shown_in(said, "searched as "),
    ),
    row_of_one_run("isolation-checkout", _left_files, _is_left, _lock_file_came_back),
    row_of_one_run(
        "isolation-plan-link",
        _linked_plan,
        lambda run: Outcome(run[1], f"written through the link: {run[1]}"),
        lambda run: shown_in(run[0], "Plan: 1 to add"),
    ),
)
