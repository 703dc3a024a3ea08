"""Attacks on the live log of a job from another site's page, in the browser of a signed-in user.

A browser attaches the password or the session cookie to a WebSocket of any page, and tells the server the page in `Origin`.
"""

from urllib.parse import urlsplit

from sandbox.attack.page import PASSWORD, signed_in
from sandbox.attack.pull_requests import HARMLESS, planned
from sandbox.attack.row import Outcome, row
from sandbox.attack.target import Target
from sandbox.testbed.containers import websocket
from sandbox.testbed.local_aws.listener_rules import Request


def _log(target: Target) -> str:
    """The path of the live log of a plan."""

    def path() -> str:
        pull = planned(target, "live-log", {"main.tf": HARMLESS}).pull
        links = [
            urlsplit(entry["target_url"] or "").path
            for entry in target.github.recorded("statuses")
            if entry["repository"] == pull.repository
        ]
        return next(link for link in links if link.startswith("/jobs/"))

    return target.once("live-log", path)


def _opened(target: Target, origin: str) -> Outcome:
    """Open the log's WebSocket from a page of ``origin``."""
    headers = {
        "Origin": origin,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **(signed_in(target) if PASSWORD in target.secrets else {}),
    }
    balancer = target.load_balancer
    request = Request("127.0.0.1", "GET", f"{_log(target)}/ws", balancer.host, headers=headers)
    with (
        websocket.connect(target.client("elbv2"), balancer, request) as connection,
        connection.makefile("rb") as answer,
    ):
        status = int(answer.readline().split()[1])
    return Outcome(status == 101, f"{status} for a page of {origin}")


ROWS = (
    row(
        "live-log-elsewhere",
        lambda target: _opened(target, "https://attacker.example"),
        lambda target: _opened(target, f"https://{target.load_balancer.host}"),
    ),
)
