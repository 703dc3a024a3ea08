"""Attacks on the web page: without the password, on paths that GitHub's ranges must not reach, and from other sites' pages."""

import base64
import json
from collections.abc import Mapping
from types import MappingProxyType

from components.ingress.listener_rules import ALLOWED_PRIORITY, WEBHOOK_PRIORITY
from sandbox.attack.row import Outcome, Row, SkippedError, row
from sandbox.attack.target import Target
from sandbox.attack.webhooks import answered
from sandbox.testbed.containers.targets import Response
from sandbox.testbed.github import events
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


def _request(target: Target, method: str, path: str, *headers: Mapping[str, str]) -> Response:
    merged = {name: value for part in headers for name, value in part.items()}
    return target.load_balancer.request(method, path, headers=merged)


def _behind_sign_in(target: Target, method: str, path: str, cookies: Mapping[str, str]) -> Outcome:
    """The load balancer's response with an identity provider; 2xx means that no sign-in was required."""
    rules = [
        rule
        for listener in read_listeners(target.client("elbv2"), target.load_balancer.name)
        for rule in listener.rules
        if any(action["Type"] == "authenticate-oidc" for action in rule["Actions"])
    ]
    if not rules:
        raise SkippedError("this stack has no oidcIssuer, because people sign in with a password")
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    return answered(_request(target, method, path, sent, _FROM_HERE))


def _session_row(name: str, method: str, path: str, *, cookies: Mapping[str, str] = MappingProxyType({})) -> Row:
    return row(
        name,
        lambda target: _behind_sign_in(target, method, path, cookies),
        lambda target: answered(target.deliver("ping", events.ping())),
    )


def _forged_session() -> dict[str, str]:
    """A session cookie from an attacker who assumes that it is plain JSON."""
    session = {"claims": {"sub": "attacker@example.com"}, "access_token": "x", "exp": 4102444800}
    return {"AWSELBAuthSessionCookie-0": base64.urlsafe_b64encode(json.dumps(session).encode()).decode().rstrip("=")}


def _page_row(name: str, method: str, path: str, *, user: tuple[str, str] | None = None) -> Row:
    return row(
        name,
        lambda target: answered(_request(target, method, path, _basic(*user) if user else {}, _FROM_HERE)),
        lambda target: answered(_request(target, method, path, signed_in(target), _FROM_HERE)),
    )


def _forged(name: str, method: str, path: str) -> Row:
    return row(
        name,
        lambda target: answered(_request(target, method, path, signed_in(target), _FROM_ELSEWHERE)),
        lambda target: answered(_request(target, method, path, signed_in(target), _FROM_HERE)),
    )


def _source(target: Target, priorities: range) -> str:
    """An address in a range that a deployed rule with one of these priorities allows."""
    for listener in read_listeners(target.client("elbv2"), target.load_balancer.name):
        for rule in listener.rules:
            if rule["Priority"].isdigit() and int(rule["Priority"]) in priorities:
                conditions = {condition["Field"]: condition for condition in rule["Conditions"]}
                if "source-ip" in conditions:
                    return conditions["source-ip"]["SourceIpConfig"]["Values"][0].partition("/")[0]
    raise LookupError(f"no deployed rule has a priority in {priorities} and a source address")


_STRANGER = "203.0.113.1"  # TEST-NET-3, RFC 5737


def _routed(target: Target, source: str, method: str, path: str) -> Outcome:
    """Evaluate the deployed rules for a request from ``source``: the local load balancer accepts every source."""
    listener = next(one for one in read_listeners(target.client("elbv2"), target.load_balancer.name) if one.port == 443)
    decision = decide(listener, Request(source, method, path, target.load_balancer.host))
    return Outcome(
        decision.action == "forward",
        f"{method} {path} from {source}: {decision.action} {decision.status or ''}".strip(),
    )


def _from_github(target: Target) -> str:
    return target.once("github-address", lambda: _source(target, range(WEBHOOK_PRIORITY, ALLOWED_PRIORITY)))


def _allowed(target: Target) -> str:
    return target.once("allowed-address", lambda: _source(target, range(ALLOWED_PRIORITY, 300)))


def _other_path(name: str, method: str, path: str) -> Row:
    return row(
        name,
        lambda target: _routed(target, _from_github(target), method, path),
        lambda target: _routed(target, _from_github(target), "POST", "/events"),
    )


ROWS = (
    _page_row("page-without-password", "GET", "/"),
    _page_row("default-password", "GET", "/", user=("atlantis", "atlantis")),
    _page_row("lock-without-password", "POST", "/apply/lock"),
    _page_row("unlock-without-password", "DELETE", "/apply/unlock"),
    _session_row("page-without-session", "GET", "/"),
    _session_row("lock-without-session", "POST", "/apply/lock"),
    _session_row("forged-session", "GET", "/", cookies=_forged_session()),
    _session_row("forged-answer", "GET", "/oauth2/idpresponse?code=guessed&state=guessed"),
    _forged("forged-lock", "POST", "/apply/lock"),
    _forged("forged-unlock", "DELETE", "/apply/unlock"),
    _other_path("github-page", "GET", "/"),
    _other_path("github-lock", "POST", "/apply/lock"),
    _other_path("github-other-path", "POST", "/events/../apply/lock"),
    _other_path("github-trailing-slash", "POST", "/events/"),
    _other_path("github-other-method", "GET", "/events"),
    row(
        "stranger-webhook",
        lambda target: _routed(target, _STRANGER, "POST", "/events"),
        lambda target: _routed(target, _from_github(target), "POST", "/events"),
    ),
    *(
        row(
            name,
            lambda target, method=method, path=path: _routed(target, _allowed(target), method, path),
            lambda target: _routed(target, _allowed(target), "POST", "/apply/lock"),
        )
        for name, method, path in (
            ("api-apply", "POST", "/api/apply"),
            ("api-plan", "POST", "/api/plan"),
            ("api-drift", "POST", "/api/drift/remediate"),
            ("api-locks", "DELETE", "/api/locks"),
            ("api-encoded", "POST", "/%61pi/apply"),
            ("api-encoded-slash", "POST", "/api%2Fapply"),
        )
    ),
    *(
        row(
            name,
            lambda target, path=path: _routed(target, _allowed(target), "POST", path),
            lambda target: _routed(target, _from_github(target), "POST", "/events"),
        )
        for name, path in (("allowed-webhook", "/events"), ("allowed-webhook-encoded", "/%65vents"))
    ),
    row(
        "api-without-secret",
        lambda target: answered(_request(target, "POST", "/api/apply", _FROM_HERE)),
        lambda target: answered(target.deliver("ping", events.ping())),
    ),
)
