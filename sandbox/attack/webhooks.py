"""Attacks on the webhook path, which is open to GitHub: forged deliveries."""

from sandbox.attack.row import Outcome, row
from sandbox.attack.target import Target
from sandbox.testbed.containers.targets import Response
from sandbox.testbed.github import events


def answered(response: Response) -> Outcome:
    """An attempt that succeeded if the server returned 2xx."""
    text = response.body.decode(errors="replace").strip().splitlines()
    return Outcome(response.status // 100 == 2, f"{response.status} {text[0] if text else ''}".strip()[:120])


def _unsigned(target: Target) -> Outcome:
    return answered(target.deliver("ping", events.ping(), signed=False))


def signed(target: Target) -> Outcome:
    """A delivery as GitHub sends it."""
    return answered(target.deliver("ping", events.ping()))


def _forged(target: Target) -> Outcome:
    body = events.ping()
    headers = events.headers("ping", body, "a guessed secret")
    return answered(target.load_balancer.request("POST", "/events", headers=headers, body=body))


ROWS = (
    row("unsigned-delivery", _unsigned, signed),
    row("forged-delivery", _forged, signed),
)
