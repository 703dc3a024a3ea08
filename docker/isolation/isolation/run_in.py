"""`run-in-plan` and `run-in-apply`: run a step of a custom workflow on a worker, and take back the files it names."""

import argparse
import os
from typing import Any

from isolation import paths
from isolation.checkout import locate, write_beneath
from isolation.commands import CommandError
from isolation.records import Records
from isolation.remote import accept_plan, planned, run_on_executor

_DESCRIPTION = """Runs COMMAND on a worker of the kind {role}, in a copy of the checkout, with the credentials of its role.
Nothing that it writes comes back but the files named with --return and --plan-file."""


def run(name: str, arguments: list[str]) -> int:
    """Run the command of these arguments; returns its exit code."""
    role = name.removeprefix("run-in-")
    return _run(role, _parser(name, role).parse_args(arguments))


def _parser(name: str, role: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name, description=_DESCRIPTION.format(role=role), allow_abbrev=False)
    if role == paths.PLAN:
        parser.add_argument(
            "--return", dest="returned", metavar="FILE", action="append", default=[],
            help="a regular file of the checkout that comes back, if the command has made it",
        )  # fmt: skip
        parser.add_argument(
            "--generated-configuration", action="store_true",
            help="the tool generates Terraform files, so don't compare the plan's configuration with the checkout",
        )  # fmt: skip
    parser.add_argument(
        "--plan-file", metavar="FILE",
        help="the plan file that the command makes" if role == paths.PLAN else "the plan file that the command applies",
    )  # fmt: skip
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the program and its arguments")
    return parser


def _run(role: str, arguments: argparse.Namespace) -> int:
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise CommandError("name the command to run, after --")
    checkout = locate(paths.data_directory() / "repos")
    records = Records(paths.data_directory(), checkout)
    request: dict[str, Any] = {"kind": "run", "program": command[0], "arguments": command[1:], "init": None}
    plan = checkout.relative(arguments.plan_file) if arguments.plan_file else None
    if role == paths.APPLY:
        if plan is None:
            raise CommandError("run-in-apply needs --plan-file: only what was planned and approved is applied")
        outcome, _ = run_on_executor(role, checkout, {**request, **planned(checkout, records, plan), "collect": []})
        return outcome.code
    returned = {checkout.relative(path) for path in arguments.returned}
    if plan:
        records.set_plan(plan, None)
    outcome, packed = run_on_executor(
        role, checkout, {**request, "collect": sorted(returned | ({plan} if plan else set()))}
    )
    for path in sorted(returned & outcome.files.keys()):
        write_beneath(checkout.root, path, outcome.files[path], mode=0o644)
    if plan and outcome.code == 0 and plan in outcome.files:
        compared = None if arguments.generated_configuration else packed
        tofu = os.environ.get("ATLANTIS_TERRAFORM_DISTRIBUTION") == "tofu"
        accept_plan(checkout, records, plan, outcome.files[plan], packed=compared, opentofu=tofu)
    return outcome.code
