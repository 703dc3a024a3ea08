"""Attacks on the web page: without the password, on paths that GitHub's ranges must not reach, and from other sites' pages."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from components.ingress.listener_rules import ALLOWED_PRIORITY, WEBHOOK_PRIORITY
from sandbox.attack.row import Outcome, Row, SkippedError, described, row
from sandbox.attack.target import Target
from sandbox.attack.webhooks import answered, signed
from sandbox.testbed.local_aws.listener_rules import Request, decide, read_listeners

PASSWORD = "ATLANTIS_WEB_PASSWORD"  # noqa: S105 - the name of a variable
_FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
_FROM_ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
"""The header in which a browser states the origin of a request; a page can't set it."""


def signed_in(target: Target) -> dict[str, str]:
    """The header of a user with the password."""
    if PASSWORD not in target.secrets:
        raise SkippedError("this stack has no password for its page, because people sign in at the identity provider")
    return _basic("atlantis", target.secrets[PASSWORD])


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _without_session(target: Target) -> dict[str, str]:
    """No header; with an identity provider, the load balancer then requires a sign-in."""
    if not any(action["Type"] == "authenticate-oidc" for rule in _rules(target) for action in rule["Actions"]):
        raise SkippedError("this stack has no oidcIssuer, because people sign in with a password")
    return {}


_HEADERS: Mapping[str, Callable[[Target], Mapping[str, str]]] = {
    "anyone": lambda _: _FROM_HERE,
    "default-password": lambda _: _FROM_HERE | _basic("atlantis", "atlantis"),
    "user": lambda target: _FROM_HERE | signed_in(target),
    "user-elsewhere": lambda target: _FROM_ELSEWHERE | signed_in(target),
    "anyone-of-sign-in": lambda target: _FROM_HERE | _without_session(target),
}
"""Who sends a request to the deployed load balancer, with the headers."""
_ADDRESSES: Mapping[str, Callable[[Target], str]] = {
    "github-address": lambda target: _source(target, range(WEBHOOK_PRIORITY, ALLOWED_PRIORITY)),
    "allowed-address": lambda target: _source(target, range(ALLOWED_PRIORITY, 300)),
    "stranger-address": lambda _: "203.0.113.1",  # TEST-NET-3, RFC 5737
}
"""Who sends a request for which the deployed rules are evaluated, because the local load balancer accepts every source."""


def _rules(target: Target) -> list[Mapping[str, Any]]:
    listeners = read_listeners(target.client("elbv2"), target.load_balancer.name)
    return [rule for listener in listeners for rule in listener.rules]


def _source(target: Target, priorities: range) -> str:
    """An address in a range that a deployed rule with one of these priorities allows."""
    for rule in _rules(target):
        if rule["Priority"].isdigit() and int(rule["Priority"]) in priorities:
            conditions = {condition["Field"]: condition for condition in rule["Conditions"]}
            if "source-ip" in conditions:
                return conditions["source-ip"]["SourceIpConfig"]["Values"][0].partition("/")[0]
    raise LookupError(f"no deployed rule has a priority in {priorities} and a source address")


def _asked(target: Target, request: str) -> Outcome:
    """The answer to a request of rows.yaml; 2xx, or a rule that forwards, means that it was allowed."""
    if request == "github signs a ping":
        return signed(target)
    who, method, path = request.split()
    if who in _HEADERS:
        return answered(target.load_balancer.request(method, path, headers=_HEADERS[who](target)))
    source = target.once(who, lambda: _ADDRESSES[who](target))
    listener = next(one for one in read_listeners(target.client("elbv2"), target.load_balancer.name) if one.port == 443)
    decision = decide(listener, Request(source, method, path, target.load_balancer.host))
    return Outcome(
        decision.action == "forward",
        f"{method} {path} from {source}: {decision.action} {decision.status or ''}".strip(),
    )


def _row(name: str, attempt: str, control: str) -> Row:
    return row(name, lambda target: _asked(target, attempt), lambda target: _asked(target, control))


ROWS = tuple(_row(name, *requests) for name, requests in described("attempt", "control").items())
