"""`make host HOST=gitea`: deploy the stack to a real host of repositories, and go the whole way of a pull request there.

The host is built from its module and runs on loopback. Its webhooks reach the server through the deployed load balancer.
"""

import argparse
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.settings import NAMESPACE, parse
from preflight import policy_configuration
from sandbox.atlantis.operator import read_task_secrets
from sandbox.gitea.server import HOST, Gitea
from sandbox.sandbox import Sandbox
from sandbox.testbed import console
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_json
from sandbox.testbed.local_aws.task_status import StatusFile
from sandbox.testbed.paths import private_directory, state_directory

_OWNER, _REPOSITORY, _BOT = "acme", "/repos/acme/infra", "atlantis-bot"
_SECRET = "ATLANTIS_GITEA_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_SETTINGS = {
    "vcsKind": "gitea",
    "vcsHost": HOST,
    "vcsUser": _BOT,
    "vcsWebhookCidrBlocks": ["127.0.0.0/8"],
    "repoAllowlist": f"{HOST}/{_OWNER}/*",
}
_SECONDS = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``host``."""
    parser.add_argument("--host", choices=("gitea",), required=True, help="the host")


def run(arguments: argparse.Namespace) -> int:
    """Go the whole way; exit code 0 if each step had the expected result. Nothing of it remains."""
    state = state_directory() / f"host-{arguments.host}"
    settings = {f"atlantis:{name}": value for name, value in _SETTINGS.items()}
    pack = private_directory(state) / "policy.json"
    sandbox = Sandbox(arguments.stack, state=state, settings=settings, policy_configuration=pack)
    write_json(pack, _pack_configuration(sandbox))
    gitea = Gitea(state)
    try:
        gitea.start(clean_environment())
        administrator, bot = gitea.user("administrator", admin=True), gitea.user(_BOT)
        gitea.connect(bot)
        author = gitea.user("author")
        gitea.call("POST", "/orgs", administrator, {"username": _OWNER, "visibility": "private"})
        gitea.call(
            "POST", f"/orgs/{_OWNER}/repos", administrator, {"name": "infra", "private": True, "auto_init": True}
        )
        for name in (_BOT, "author"):
            gitea.call("PUT", f"{_REPOSITORY}/collaborators/{name}", administrator, {"permission": "write"})
        sandbox.up()
        service = sandbox.service()
        if service is None:
            raise SandboxError("The stack has no service")
        _Way(gitea, service, administrator, author).go()
    finally:
        sandbox.down(force=True)
    return 0


def _pack_configuration(sandbox: Sandbox) -> dict[str, Any]:
    """What `make policy-config` would write for the sandbox's settings."""
    given = {**sandbox.workspace.source_settings(sandbox.stack), **sandbox.settings}
    prefix = f"{NAMESPACE}:"
    own = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    settings = parse(own, stack=sandbox.stack, region=given["aws:region"])
    return policy_configuration.of_stack(settings, sandbox.stack)


@dataclass(frozen=True)
class _Way:
    """A pull request of ``author``, which ``reviewer`` approves."""

    gitea: Gitea
    service: DeployedService
    reviewer: str
    author: str

    def go(self) -> None:
        described = self.service.task_definition(self.service.require_service().definition)
        secret = read_task_secrets(self.service, described, [_SECRET])[_SECRET]
        events = ["push", "pull_request", "pull_request_comment", "issue_comment", "pull_request_sync"]
        port = StatusFile(self.service.state, self.service.name).read().proxy_port
        hook = {"url": f"http://127.0.0.1:{port}/events", "content_type": "json", "secret": secret}
        made = {"type": "gitea", "active": True, "events": events, "config": hook}
        self.gitea.call("POST", f"{_REPOSITORY}/hooks", self.reviewer, made)
        self._require("an event with a wrong signature", self._forged(), 400)

        content = base64.b64encode(b'resource "terraform_data" "release" {}\n').decode()
        file = {"content": content, "new_branch": "release", "message": "Add a release"}
        commit = self.gitea.call("POST", f"{_REPOSITORY}/contents/main.tf", self.author, file)["commit"]["sha"]
        pull = {"head": "release", "base": "main", "title": "Release"}
        number = self.gitea.call("POST", f"{_REPOSITORY}/pulls", self.author, pull)["number"]
        self._comment(number, "Plan: 1 to add, 0 to change, 0 to destroy.")
        self._status(commit, "atlantis/plan")
        self._say(number, "atlantis apply")
        self._comment(number, "Pull request must be approved")
        self._review(number)
        self._say(number, "atlantis apply")
        self._comment(number, "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.")
        self._status(commit, "atlantis/apply")
        self.gitea.call("POST", f"{_REPOSITORY}/pulls/{number}/merge", self.reviewer, {"Do": "merge"})
        self._comment(number, "Locks and plans deleted")
        self._require(
            "the pull request is merged",
            self.gitea.call("GET", f"{_REPOSITORY}/pulls/{number}", self.reviewer)["merged"],
            True,
        )

    def _forged(self) -> int:
        headers = {
            "Content-Type": "application/json",
            "X-Gitea-Event": "issue_comment",
            "X-Gitea-Event-Type": "pull_request_comment",
            "X-Gitea-Delivery": "1",
            "X-Gitea-Signature": "0" * 64,
        }
        return entrance(self.service).request("POST", "/events", headers=headers, body=b"{}").status

    def _say(self, number: int, text: str) -> None:
        balancer = entrance(self.service)
        idle = lambda: json.loads(balancer.request("GET", "/status").body)["in_progress_operations"] == 0  # noqa: E731
        self._wait("no running command at the server", idle)
        self.gitea.call("POST", f"{_REPOSITORY}/issues/{number}/comments", self.author, {"body": text})

    def _review(self, number: int) -> None:
        review = {"event": "APPROVED", "body": "Looks good"}
        self.gitea.call("POST", f"{_REPOSITORY}/pulls/{number}/reviews", self.reviewer, review)
        console.step("The pull request is approved")

    def _comment(self, number: int, part: str) -> None:
        comments = lambda: self.gitea.call("GET", f"{_REPOSITORY}/issues/{number}/comments", self.author)  # noqa: E731
        self._wait(
            f"a comment with {part!r}",
            lambda: any(part in each["body"] and each["user"]["login"] == _BOT for each in comments()),
        )

    def _status(self, commit: str, context: str) -> None:
        statuses = lambda: self.gitea.call("GET", f"{_REPOSITORY}/commits/{commit}/statuses", self.author)  # noqa: E731
        self._wait(
            f"the status {context}",
            lambda: any(each["context"] == context and each["status"] == "success" for each in statuses()),
        )

    def _wait(self, what: str, found: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not found():
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"After {_SECONDS:g} s, there is not: {what}. The logs are in {self.service.state / 'logs'}"
                )
            time.sleep(0.5)
        console.step(f"There is {what}")

    @staticmethod
    def _require(what: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise SandboxError(f"{what}: {found!r} instead of {expected!r}")
        console.step(f"{what[0].upper()}{what[1:]}: {found}")
