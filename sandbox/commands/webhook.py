"""`make webhook`: send Atlantis a signed event, as GitHub would, through the deployed load balancer."""

import argparse
import sys
import time

from sandbox.pull_requests import PullRequests, deliver, has_failed
from sandbox.samples import managed_service
from sandbox.sandbox import Sandbox
from sandbox.testbed import console, terraform_provider
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest

_MAIN_TF = 'resource "terraform_data" "greeting" {\n  input = "Hello from the sandbox"\n}\n'
_README = "A sample repository of the sandbox: `make webhook` opens a pull request here.\n"
_COMMENT_SECONDS = 180.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``webhook``."""
    parser.add_argument("--event", choices=("pull_request", "ping"), default="pull_request", help="what to send")
    parser.add_argument(
        "--unsigned", action="store_true", help="omit the signature, to see that Atlantis rejects the event"
    )


def run(arguments: argparse.Namespace) -> int:
    """Send a sample event and print the response; exit code 0 if Atlantis accepted and planned it."""
    requests = PullRequests.of(Sandbox(arguments.stack))
    pull = None
    body = events.ping()
    if arguments.event == "pull_request":
        pull = _sample_pull_request(requests)
        body = events.pull_request(requests.store, pull)
        console.step(f"Opened pull request {pull.repository}#{pull.number} at the stand-in of GitHub")
    answer = deliver(requests.deployment, arguments.event, body, signed=not arguments.unsigned)
    sys.stdout.write(
        f"POST /events ({arguments.event}) -> {answer.status}\n{answer.body.decode(errors='replace').strip()}\n"
    )
    accepted = answer.status == 200
    if pull is not None and accepted:
        return 0 if _show_comment(requests, pull) else 1
    return 0 if accepted else 1


def _sample_pull_request(requests: PullRequests) -> PullRequest:
    """Open a pull request that adds AWS resources or, if this machine has no AWS provider, a ``terraform_data``."""
    repository = requests.repository()
    if not requests.store.has_repository(repository):
        requests.store.create_repository(repository, {"README.md": _README})
    name = f"sample-{int(time.time())}"
    if terraform_provider.find():
        title, files = "Add the service fileflow", managed_service.files(requests.deployment, repository, name)
    else:
        console.note(
            f"the sample has no AWS resource: this machine has no Terraform AWS provider {terraform_provider.VERSION}"
        )
        title, files = "Say hello", {"main.tf": _MAIN_TF}
    return requests.open(repository, name, {f"{name}/{file}": text for file, text in files.items()}, title)


def _show_comment(requests: PullRequests, pull: PullRequest) -> bool:
    """Print Atlantis' comments; whether they have a plan."""
    console.step("Waiting for Atlantis' comment with the plan")
    try:
        comments = requests.answer(pull, 0, _COMMENT_SECONDS)
    except SandboxError as error:
        console.note(str(error))
        return False
    sys.stdout.write("\n" + "\n".join(comments).strip() + "\n")
    if has_failed(comments):
        return False
    console.note(f"make pr NUMBER={pull.number} APPROVE=1 COMMENT='atlantis apply'   applies it")
    return True
