"""Adopt a stack that Terraform deployed: print a preview; with --write, write the settings and adoption.yaml."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi

from adoption import deployed, files, report
from adoption.anatomy import AnatomyError
from adoption.plan import Plan, make_plan
from adoption.state import StateError
from components.adoption import FILE
from components.configuration.secret_names import redacted
from components.settings.stack_file import StackFileError
from preflight.aws import Aws
from preflight.printed import parser

PROJECT = Path(__file__).resolve().parents[1]
PROBLEMS, USAGE_ERROR = 1, 2


def main(arguments: list[str] | None = None, *, rehearse: Callable[[Plan], int] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the command line, by default that of the process.
        rehearse: adopts a copy first and returns an exit code; nothing is written unless it is 0.

    Returns:
        0 if the stack can be adopted (and the rehearsal, if any, succeeded), 1 if a problem needs a fix first,
        2 if the state or the settings can't be used.
    """
    options = _options(arguments)
    stack_file = options.config_file or PROJECT / f"Pulumi.{options.stack}.yaml"
    try:
        given, region = files.read_settings(stack_file)
        plan = make_plan(options.state, options.stack, given, region, options.accept_lost.split(), aws=Aws(region))
    except (StateError, AnatomyError, StackFileError, pulumi.RunError) as error:
        sys.stderr.write(redacted(f"error: {error}\n"))
        return USAGE_ERROR
    plan.problems += deployed.problems(plan, PROJECT)
    sys.stdout.write(redacted(report.describe(plan)))
    sys.stdout.flush()
    if plan.problems:
        return PROBLEMS
    if rehearse and rehearse(plan) != 0:
        return PROBLEMS
    return _write(plan, stack_file, options.adoption_file) if options.write else _say_how_to_go_on(options)


def _write(plan: Plan, stack_file: Path, adoption_file: Path) -> int:
    try:
        files.write_settings(stack_file, plan.proposals)
    except StackFileError as error:
        sys.stderr.write(redacted(f"error: {error}\n"))
        return USAGE_ERROR
    files.write_adoption(adoption_file, plan.stack, files.section(plan.adopted))
    script = adoption_file.with_name(f"terraform-state-rm.{plan.stack}.sh")
    files.write_state_rm(script, plan.to_forget)
    written = [stack_file.name, adoption_file.name, script.name]
    if plan.to_remove:
        removed = adoption_file.with_name(f"terraform-removed.{plan.stack}.tf")
        removed.write_text(files.removed_blocks(plan.to_remove), encoding="utf-8")
        written.append(removed.name)
    sys.stdout.write(
        f"\nWrote {', '.join(written)}. Next: "
        f"`make policy-config STACK={plan.stack}`, "
        f"then `pulumi preview --diff --stack {plan.stack}`, in which nothing may be replaced or deleted (docs/adoption.md)\n"
    )
    return 0


def _say_how_to_go_on(options: argparse.Namespace) -> int:
    again = f"make adopt STATE={options.state} STACK={options.stack}"
    sys.stdout.write(
        f"\n{again} REHEARSE=1   adopts a copy in the sandbox\n{again} WRITE=1      writes settings and adoption.yaml\n"
    )
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    options = parser("adoption", __doc__)
    options.add_argument(
        "--state",
        type=_state_file,
        required=True,
        help="the file of a Terraform state: `terraform state pull > terraform.tfstate`",
    )
    options.add_argument(
        "--write", action="store_true", help="write the settings into the stack file, and adoption.yaml"
    )
    options.add_argument(
        "--accept-lost",
        default="",
        help="parts of the running task definition that may be lost, separated by spaces, as the problem names them",
    )
    options.add_argument(
        "--adoption-file", type=Path, default=FILE, help="the adoption file (default: adoption.yaml in the same folder)"
    )
    return options.parse_args(arguments)


def _state_file(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("pass a file: make adopt STATE=terraform.tfstate STACK=prod")
    return Path(text)
