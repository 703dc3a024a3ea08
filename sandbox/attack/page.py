"""Attacks on the web page: without the password, on paths that GitHub's ranges must not reach, and from other sites' pages."""

import base64
import json
from collections.abc import Mapping
from types import MappingProxyType

from components.ingress.listener_rules import ALLOWED_PRIORITY, WEBHOOK_PRIORITY
from sandbox.attack.row import Outcome, Row, SkippedError
from sandbox.attack.target import Target
from sandbox.attack.webhooks import answered
from sandbox.testbed.containers.targets import Response
from sandbox.testbed.github import events
from sandbox.testbed.local_aws.listener_rules import Request, decide, read_listeners

__all__ = ["PASSWORD", "ROWS", "signed_in"]

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


def _session_row(
    name: str, method: str, path: str, *, attack: str, tried: str, cookies: Mapping[str, str] = MappingProxyType({})
) -> Row:
    return Row(
        name=name,
        attack=attack,
        tried=f"{method} {path} {tried}",
        refused_by="the load balancer, which requires a sign-in at the identity provider",
        attempt=lambda target: _behind_sign_in(target, method, path, cookies),
        control=lambda target: answered(target.deliver("ping", events.ping())),
    )


def _forged_session() -> dict[str, str]:
    """A session cookie from an attacker who assumes that it is plain JSON."""
    session = {"claims": {"sub": "attacker@example.com"}, "access_token": "x", "exp": 4102444800}
    return {"AWSELBAuthSessionCookie-0": base64.urlsafe_b64encode(json.dumps(session).encode()).decode().rstrip("=")}


def _page_row(name: str, method: str, path: str, *, attack: str, user: tuple[str, str] | None = None) -> Row:
    how = f"with {user[0]}/{user[1]}" if user else "without a password"
    return Row(
        name=name,
        attack=attack,
        tried=f"{method} {path} {how}",
        refused_by="the sign-in of the page",
        attempt=lambda target: answered(_request(target, method, path, _basic(*user) if user else {}, _FROM_HERE)),
        control=lambda target: answered(_request(target, method, path, signed_in(target), _FROM_HERE)),
        alone=True,
    )


def _forged(name: str, method: str, path: str, *, attack: str) -> Row:
    return Row(
        name=name,
        attack=attack,
        tried=f"{method} {path} from another site's page in the browser of a signed-in user",
        refused_by="the load balancer, which denies cross-site requests that change something",
        attempt=lambda target: answered(_request(target, method, path, signed_in(target), _FROM_ELSEWHERE)),
        control=lambda target: answered(_request(target, method, path, signed_in(target), _FROM_HERE)),
        alone=True,
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


def _other_path(name: str, method: str, path: str, *, attack: str) -> Row:
    return Row(
        name=name,
        attack=attack,
        tried=f"{method} {path} from one of GitHub's addresses, where everyone's workflows run too",
        refused_by="the load balancer's rules, which allow GitHub's ranges only POST /events",
        attempt=lambda target: _routed(target, _from_github(target), method, path),
        control=lambda target: _routed(target, _from_github(target), "POST", "/events"),
    )


ROWS = (
    _page_row("page-without-password", "GET", "/", attack="Read the web page: locks, pull requests, logs"),
    _page_row(
        "default-password",
        "GET",
        "/",
        attack="Sign in with the default password from Atlantis' documentation",
        user=("atlantis", "atlantis"),
    ),
    _page_row("lock-without-password", "POST", "/apply/lock", attack="Disable all applies"),
    _page_row("unlock-without-password", "DELETE", "/apply/unlock", attack="Enable applies that someone has disabled"),
    _session_row(
        "page-without-session",
        "GET",
        "/",
        attack="Read the web page: locks, pull requests, logs",
        tried="without a session",
    ),
    _session_row(
        "lock-without-session", "POST", "/apply/lock", attack="Disable all applies", tried="without a session"
    ),
    _session_row(
        "forged-session",
        "GET",
        "/",
        attack="Read the web page as a signed-in user",
        tried="with a forged session cookie",
        cookies=_forged_session(),
    ),
    _session_row(
        "forged-answer",
        "GET",
        "/oauth2/idpresponse?code=guessed&state=guessed",
        attack="Sign in with a forged response of the identity provider",
        tried="without a redirect to the provider",
    ),
    _forged(
        "forged-lock",
        "POST",
        "/apply/lock",
        attack="Disable all applies from a malicious page that a colleague has open",
    ),
    _forged(
        "forged-unlock",
        "DELETE",
        "/apply/unlock",
        attack="Enable applies from a malicious page that a colleague has open",
    ),
    _other_path("github-page", "GET", "/", attack="Read the web page from GitHub's network"),
    _other_path("github-lock", "POST", "/apply/lock", attack="Disable all applies from GitHub's network"),
    _other_path(
        "github-other-path", "POST", "/events/../apply/lock", attack="Bypass the path condition of the webhook rule"
    ),
    _other_path("github-trailing-slash", "POST", "/events/", attack="Bypass the path condition of the webhook rule"),
    _other_path("github-other-method", "GET", "/events", attack="Bypass the method condition of the webhook rule"),
    Row(
        name="stranger-webhook",
        attack="Send webhooks from the internet",
        tried=f"POST /events from {_STRANGER}",
        refused_by="the load balancer's rules and its security group",
        attempt=lambda target: _routed(target, _STRANGER, "POST", "/events"),
        control=lambda target: _routed(target, _from_github(target), "POST", "/events"),
    ),
    *(
        Row(
            name=name,
            attack="Apply any branch without an approval, with a stolen API secret",
            tried=f"{method} {path} from one of the allowed addresses",
            refused_by="the load balancer's rules, which deny changes through the API unless allowApi is set",
            attempt=lambda target, method=method, path=path: _routed(target, _allowed(target), method, path),
            control=lambda target: _routed(target, _allowed(target), "POST", "/apply/lock"),
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
        Row(
            name=name,
            attack="Use up the server's memory with large bodies, which it reads before it checks the signature",
            tried=f"POST {path} from one of the allowed addresses",
            refused_by="the load balancer's rules, which allow webhooks from GitHub's ranges only, where they have at most 25 MB",
            attempt=lambda target, path=path: _routed(target, _allowed(target), "POST", path),
            control=lambda target: _routed(target, _from_github(target), "POST", "/events"),
        )
        for name, path in (("allowed-webhook", "/events"), ("allowed-webhook-encoded", "/%65vents"))
    ),
    Row(
        name="api-without-secret",
        attack="Plan and apply through the API",
        tried="POST /api/apply, which basic authentication doesn't cover",
        refused_by="the load balancer's rules, and Atlantis, whose API is disabled without an API secret",
        attempt=lambda target: answered(_request(target, "POST", "/api/apply", _FROM_HERE)),
        control=lambda target: answered(target.deliver("ping", events.ping())),
    ),
)
