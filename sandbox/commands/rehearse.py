"""`make rehearse REPO=path`: run a repository's Terraform through the deployed Atlantis, and derive its least-privilege roles."""

import argparse
import sys
from pathlib import Path

from sandbox.pull_requests import PullRequests
from sandbox.repository_rehearsal import providers, report
from sandbox.repository_rehearsal.rehearsed_repository import Wanted, rehearse
from sandbox.sandbox import Sandbox
from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``rehearse``."""
    parser.add_argument("--repo", required=True, help="a git repository, or a folder with Terraform")
    parser.add_argument("--dir", default="", help="only the project in this folder of the repository")
    parser.add_argument("--base", default="", help="rehearse only the difference of HEAD to this branch")
    parser.add_argument(
        "--apply", action="store_true", help="apply, plan again, destroy, and check the least-privilege roles"
    )
    parser.add_argument("--download", action="store_true", help="download providers that this machine lacks")
    parser.add_argument("--output", type=Path, help="folder of the report (default: rehearsals/ in the state folder)")


def run(arguments: argparse.Namespace) -> int:
    """Rehearse and print the result; exit code 1 if it doesn't plan and apply, or the deployed role doesn't suffice."""
    source = Path(arguments.repo).resolve()
    if not arguments.repo or not source.is_dir():
        raise SandboxError(f"REPO={arguments.repo} is not a folder; name a git repository or a folder with Terraform")
    requests = PullRequests.of(Sandbox(arguments.stack))
    wanted = Wanted(
        source,
        arguments.dir.strip("/").removeprefix("./"),
        arguments.base,
        arguments.apply,
        download=arguments.download,
    )
    rehearsed = rehearse(requests, wanted)
    for step in rehearsed.steps:
        if step.verb == "plan" or step.failed or (step.verb == "plan again" and not step.changes_nothing):
            sys.stdout.write(f"\n{step.text.strip()}\n")
    directory = arguments.output or requests.deployment.state / "rehearsals" / source.name
    file = report.write(rehearsed, source, directory)
    lacking = report.lacking(rehearsed.steps)
    unsupported = sorted({action for step in rehearsed.steps for action in step.unsupported})
    for problem in rehearsed.problems():
        console.step(problem)
    for provider in {name for step in rehearsed.steps if step.failed for name in providers.missing(step.text)}:
        console.note(
            f"this machine lacks the provider {provider}: add DOWNLOAD=1 to download it, put it into a mirror or plugin cache of "
            f"your Terraform and run `make up`, or commit it to terraform.d/plugins/<host>/<namespace>/<type>/<version>/<platform>"
        )
    for action in unsupported:
        console.note(f"AWS would allow {action}; the local AWS doesn't support it")
    for call in lacking:
        console.note(f"{call.role} lacks {call.action} on {call.resource}")
    console.step(f"The report and the least-privilege roles: {file}")
    return 1 if lacking or rehearsed.problems() else 0
