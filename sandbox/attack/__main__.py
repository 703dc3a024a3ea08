"""``make attack``: run the attacks on the deployed stack and print the result of each."""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from sandbox.atlantis import lifecycle
from sandbox.attack.row import Result, Row, Verdict, run_all
from sandbox.attack.table import ROWS
from sandbox.attack.target import Target
from sandbox.sandbox import Sandbox
from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError

_INDENT = " " * 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the attacks; returns 0 if every attack was denied and every control was allowed."""
    options = _parse(arguments)
    rows = [row for row in ROWS if not options.row or row.name in options.row]
    try:
        results = _run(rows, Target.of(Sandbox(options.stack)), quiet=options.json)
    except SandboxError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if options.json:
        sys.stdout.write(json.dumps([_as_json(result) for result in results], indent=2) + "\n")
    return 0 if all(result.acceptable for result in results) else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="attack", description="Attack the deployed stack; every attack must be denied."
    )
    parser.add_argument("--stack", default="local", help="the stack to attack (default: local)")
    parser.add_argument(
        "--row",
        action="append",
        choices=[row.name for row in ROWS],
        metavar="NAME",
        help="run only this attack; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON to standard output")
    return parser.parse_args(arguments)


def _run(rows: Sequence[Row], target: Target, *, quiet: bool) -> list[Result]:
    results = []
    started = time.monotonic()
    console.step(f"Running {len(rows)} attacks, four at once; those that wait for a plan take seconds to a minute")
    for result in run_all(rows, target):
        results.append(result)
        if not quiet:
            progress = f"[{len(results)}/{len(rows)}, {console.elapsed(time.monotonic() - started)}]"
            sys.stdout.write(f"{progress} {_as_text(result)}")
            sys.stdout.flush()
    if kept := target.close_pull_requests():
        console.note(f"Atlantis did not accept the event that closes {', '.join(kept)}; their locks stay on its page")
    unmeant = [result.row.name for result in results if result.row.isolation and not target.isolated]
    where = "in workers" if target.isolated else "in the server's container"
    console.step(f"The stack runs Terraform {where}")
    if unmeant:
        console.note(f"only terraformIsolation: tasks denies {', '.join(unmeant)}")
    for reason in lifecycle.not_enforced():
        console.note(reason)
    counts = [f"{sum(result.verdict is verdict for result in results)} {verdict.value}" for verdict in Verdict]
    console.step(f"{len(results)} attacks in {console.elapsed(time.monotonic() - started)}: {', '.join(counts)}")
    return results


def _as_text(result: Result) -> str:
    row = result.row
    lines = [
        f"{result.verdict.value:<16} {row.name}: {row.attack}",
        f"{_INDENT}tried       {row.tried}",
        f"{_INDENT}denied by   {row.refused_by}",
        f"{_INDENT}result      {result.attempt}",
    ]
    if result.control:
        lines.append(f"{_INDENT}control     {result.control}")
    return "\n".join(lines) + "\n"


def _as_json(result: Result) -> dict[str, str]:
    row = result.row
    return {
        "name": row.name,
        "attack": row.attack,
        "tried": row.tried,
        "refusedBy": row.refused_by,
        "verdict": result.verdict.name.lower(),
        "attempt": result.attempt,
        "control": result.control,
    }


if __name__ == "__main__":
    sys.exit(main())
