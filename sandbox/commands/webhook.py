"""`make webhook`: send Atlantis a signed event, as GitHub would, through the deployed load balancer."""

import argparse
import sys
import time

from sandbox import console, terraform_provider
from sandbox.atlantis.agent import GITHUB_DIRECTORY
from sandbox.atlantis.deployed_service import DeployedService
from sandbox.atlantis.operator import read_task_secrets
from sandbox.atlantis.targets import Response, entrance
from sandbox.errors import SandboxError
from sandbox.github import events
from sandbox.github.store import PullRequest, Store
from sandbox.samples import managed_service
from sandbox.sandbox import Sandbox

__all__ = ["add_arguments", "deliver", "run", "sample_repository"]

_SECRET_VARIABLE = "ATLANTIS_GH_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
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
    """Send a sample event and print the response; exit code 0 if Atlantis accepted it."""
    deployment = Sandbox(arguments.stack).service()
    if deployment is None:
        raise SandboxError("The stack isn't deployed. Run `make up` to deploy it")
    store = Store(deployment.state / GITHUB_DIRECTORY)
    pull = None
    body = events.ping()
    if arguments.event == "pull_request":
        pull = _sample_pull_request(deployment, store)
        body = events.pull_request(store, pull)
        console.step(f"Opened pull request {pull.repository}#{pull.number} at the stand-in of GitHub")
    before = len(store.recorded("comments"))
    answer = deliver(deployment, arguments.event, body, signed=not arguments.unsigned)
    sys.stdout.write(
        f"POST /events ({arguments.event}) -> {answer.status}\n{answer.body.decode(errors='replace').strip()}\n"
    )
    accepted = answer.status == 200
    if pull is not None and accepted:
        _show_comment(store, before)
    return 0 if accepted else 1


def deliver(deployment: DeployedService, event: str, body: bytes, *, signed: bool = True) -> Response:
    """Send ``body`` as ``event`` to the deployed load balancer's HTTPS listener, signed with the deployed secret."""
    secret = None
    if signed:
        service = deployment.require_service()
        described = deployment.task_definition(service.definition)
        secret = read_task_secrets(deployment, described, [_SECRET_VARIABLE])[_SECRET_VARIABLE]
    return entrance(deployment).request("POST", "/events", headers=events.headers(event, body, secret), body=body)


def sample_repository(allowlist: str) -> str:
    """Return a repository ``owner/name`` that ``allowlist`` allows: its first entry, with the wildcards replaced."""
    entries = [entry.strip() for entry in allowlist.split(",")]
    admitted = next((entry for entry in entries if entry and not entry.startswith("!")), None)
    parts = (admitted or "").split("/")
    if len(parts) < 2:
        raise SandboxError(f"The allowlist {allowlist!r} admits no repository to try")
    owner, name = parts[1], "/".join(parts[2:]) or "*"
    return f"{owner.replace('*', 'sandbox')}/{name.replace('*', 'sandbox-sample')}"


def _sample_pull_request(deployment: DeployedService, store: Store) -> PullRequest:
    """Open a pull request that adds AWS resources or, if this machine has no AWS provider, a ``terraform_data``."""
    variables = deployment.variables(deployment.require_service().definition)
    repository = sample_repository(variables.get("ATLANTIS_REPO_ALLOWLIST", ""))
    if not store.has_repository(repository):
        store.create_repository(repository, {"README.md": _README})
    name = f"sample-{int(time.time())}"
    if terraform_provider.find():
        title, files = "Add the service fileflow", managed_service.files(deployment, name)
    else:
        console.note(
            f"the sample has no AWS resource: this machine has no Terraform AWS provider {terraform_provider.VERSION}"
        )
        title, files = "Say hello", {"main.tf": _MAIN_TF}
    return store.open_pull_request(repository, name, {f"{name}/{file}": text for file, text in files.items()}, title)


def _show_comment(store: Store, before: int) -> None:
    console.step("Waiting for Atlantis' comment with the plan")
    deadline = time.monotonic() + _COMMENT_SECONDS
    while time.monotonic() < deadline:
        comments = store.recorded("comments")[before:]
        if comments:
            sys.stdout.write(f"\n{comments[-1]['body'].strip()}\n")
            return
        time.sleep(0.3)
    console.note("no comment yet; `make logs` shows Atlantis' log")
