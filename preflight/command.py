"""Check the prerequisites of a deployment: image, secrets, certificate, network, state, alarms. Changes nothing."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, replace

from components.settings import SettingsError
from components.settings.stack_file import StackFileError
from preflight import (
    account,
    alarms,
    boundary,
    certificate,
    collisions,
    existing_listener,
    existing_parts,
    image,
    network,
    policy_configuration,
    quotas,
    secrets,
    state,
    web_acl,
)
from preflight.check import Check, Result, run_checks
from preflight.deployment import deployment_of
from preflight.errors import Status
from preflight.printed import parser

USAGE_ERROR = 2

CHECKS: tuple[Check, ...] = (
    *policy_configuration.CHECKS,
    *account.CHECKS,
    *(
        replace(check, needs=(account.credentials, *check.needs))
        for subject in (
            network,
            certificate,
            existing_listener,
            existing_parts,
            web_acl,
            image,
            secrets,
            state,
            boundary,
            alarms,
            collisions,
            quotas,
        )
        for check in subject.CHECKS
    ),
)
"""Every check, in the order of the table. The one that needs no credentials comes first, then the credentials."""


def main(arguments: list[str] | None = None) -> int:
    """Run all checks against the account of the environment's credentials.

    Returns:
        0 if no check failed, 1 if a check failed, 2 if the stack's file can't be used.
    """
    options = parser("preflight", __doc__)
    options.add_argument("--json", action="store_true", help="print the results as JSON")
    given = options.parse_args(arguments)
    try:
        deployment = deployment_of(given)
    except (StackFileError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_ERROR
    results = run_checks(CHECKS, deployment)
    ended = _print_json(results) if given.json else _print_table(results)
    return 1 if any(result.status is Status.FAILED for result in ended) else 0


def _print_json(results: Iterable[Result]) -> list[Result]:
    ended = list(results)
    sys.stdout.write(json.dumps([asdict(result) for result in ended], indent=2) + "\n")
    return ended


def _print_table(results: Iterable[Result]) -> list[Result]:
    """Print each result as soon as it is available, and the counts at the end."""
    marks = {Status.OK: "ok", Status.WARNING: "warning", Status.FAILED: "FAILED", Status.NOT_CHECKED: "not checked"}
    first = max(len(f"{check.subject}: {check.title}") for check in CHECKS) + 2
    indent = " " * (first + 13)
    width = max(shutil.get_terminal_size((120, 24)).columns, len(indent) + 30)
    ended = []
    for result in results:
        ended.append(result)
        head = f"{f'{result.subject}: {result.title}':<{first}}{_paint(result.status, f'{marks[result.status]:<13}')}"
        # Users copy names and commands from here: no line is broken at a hyphen, and a remedy is a single line.
        lines = textwrap.wrap(result.message, width - len(indent), break_long_words=False, break_on_hyphens=False)
        remedy = [f"-> {result.remedy}"] if result.remedy else []
        sys.stdout.write(head + f"\n{indent}".join([*(lines or [""]), *remedy]) + "\n")
        sys.stdout.flush()
    counts = [(status, sum(result.status is status for result in ended)) for status in Status]
    sys.stdout.write("\n" + ", ".join(f"{count} {status}" for status, count in counts if count) + "\n")
    return ended


def _paint(status: Status, text: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    color = {Status.OK: 32, Status.WARNING: 33, Status.FAILED: 31, Status.NOT_CHECKED: 90}[status]
    return f"\033[{color}m{text}\033[0m"
