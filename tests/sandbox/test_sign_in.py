"""Sign-in at the local load balancer, request by request, at a real identity provider; the action is the program's own."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.attack.secret_forms import shows
from sandbox.testbed import local_aws
from sandbox.testbed.containers import websocket
from sandbox.testbed.containers.targets import LoadBalancer, Response
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.local_aws.listener_rules import Request
from sandbox.testbed.loopback_server import LoopbackServer
from tests.sandbox import identity_provider
from tests.sandbox.identity_provider import QUIET, SESSION_HOURS, IdentityProvider

SESSION = "AWSELBAuthSessionCookie-0"
PERSON = "engineer@example.com"

pytestmark = pytest.mark.filterwarnings(QUIET)


@dataclass
class Site:
    """A load balancer with the deployed rules' shape: sign-in for everything but POST /events, and what reached the target."""

    balancer: LoadBalancer
    provider: IdentityProvider
    aws: LocalAws
    received: list[dict[str, str]] = field(default_factory=list)

    def get(
        self, path: str, *, cookies: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        return self.balancer.request("GET", path, headers={**sent, **(headers or {})})

    def begin(self) -> tuple[str, dict[str, str]]:
        """Where an unknown browser is sent to, and the cookies that it gets."""
        answer = self.get("/locks?page=2")
        assert answer.status == 302
        return answer.headers["location"], identity_provider.cookies(answer)

    def sign_in(self) -> tuple[Response, dict[str, str]]:
        location, cookies = self.begin()
        answer = self.get(self.provider.agree(location, PERSON), cookies=cookies)
        return answer, identity_provider.cookies(answer)


def _target(received: list[dict[str, str]]) -> LoopbackServer:
    class Target(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"the page")

        do_POST = do_GET  # noqa: N815 - http.server's own name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    return LoopbackServer(Target)


def _deploy(aws: LocalAws, provider: IdentityProvider, port: int, secret: str) -> LoadBalancer:
    client = aws.client("elbv2")
    certificate = aws.client("acm").request_certificate(DomainName="atlantis.example.com")["CertificateArn"]
    subnets = [item["SubnetId"] for item in aws.client("ec2").describe_subnets()["Subnets"]]
    balancer = client.create_load_balancer(Name="atlantis", Subnets=subnets)["LoadBalancers"][0]
    group = client.create_target_group(
        Name="atlantis", Protocol="HTTP", Port=port, VpcId=balancer["VpcId"], TargetType="ip"
    )
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    client.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": port}])
    refuse = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"}}
    listener = client.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        DefaultActions=[refuse],
        Certificates=[{"CertificateArn": certificate}],
    )["Listeners"][0]["ListenerArn"]
    settings = provider.settings("unused")
    authenticate = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": settings["oidcIssuer"],
            "AuthorizationEndpoint": settings["oidcAuthorizationEndpoint"],
            "TokenEndpoint": settings["oidcTokenEndpoint"],
            "UserInfoEndpoint": settings["oidcUserInfoEndpoint"],
            "ClientId": settings["oidcClientId"],
            "ClientSecret": secret,
            "Scope": settings["oidcScope"],
            "SessionTimeout": SESSION_HOURS * 3600,
            "OnUnauthenticatedRequest": "authenticate",
        },
    }
    forward = {"Type": "forward", "TargetGroupArn": arn}
    events = [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/events"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
    ]
    people = [{"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}}]
    client.create_rule(ListenerArn=listener, Priority=100, Conditions=events, Actions=[forward])
    actions = [authenticate, {**forward, "Order": 2}]
    client.create_rule(ListenerArn=listener, Priority=200, Conditions=people, Actions=actions)
    return LoadBalancer(aws.endpoint, "atlantis", "atlantis.example.com")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    shown = identity_provider.certificates(tmp_path_factory.mktemp("provider"))
    state = tmp_path_factory.mktemp("aws")
    received: list[dict[str, str]] = []
    target = _target(received)
    threading.Thread(target=target.serve_forever, args=(0.1,), daemon=True).start()
    with identity_provider.running(shown) as provider:
        aws = local_aws.start(state, {**clean_environment(), "SSL_CERT_FILE": str(shown.bundle)})
        try:
            balancer = _deploy(aws, provider, target.server_port, provider.client_secret)
            yield Site(balancer, provider, aws, received)
        finally:
            local_aws.stop(state)
            target.shutdown()
            target.server_close()


def test_who_has_signed_in_gets_the_page_and_the_target_the_identity(site: Site) -> None:
    answer, cookies = site.sign_in()
    assert (answer.status, answer.headers["location"]) == (302, "https://atlantis.example.com:443/locks?page=2")
    (session,) = [cookie for cookie in answer.cookies if cookie.startswith(SESSION)]
    assert {"HttpOnly", "Secure", "Path=/", f"Max-Age={SESSION_HOURS * 3600}"} <= set(session.split("; "))
    assert site.get("/", cookies=cookies).body == b"the page"
    assert site.received[-1]["x-amzn-oidc-identity"] == PERSON
    assert site.received[-1]["x-forwarded-proto"] == "https"


def test_nothing_of_the_session_can_be_read_in_the_cookie(site: Site) -> None:
    _, cookies = site.sign_in()
    site.get("/", cookies=cookies)
    token = site.received[-1]["x-amzn-oidc-accesstoken"]
    assert [value for value in (PERSON, token) if shows(cookies[SESSION], value)] == []


def test_a_cookie_with_any_character_changed_is_refused(site: Site) -> None:
    _, cookies = site.sign_in()
    value = cookies[SESSION]
    before = len(site.received)
    for place in range(0, len(value), 7):
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert site.get("/", cookies={SESSION: changed}).status == 302, place
    # The last character has bits that its bytes don't.
    for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if character != value[-1]:
            assert site.get("/", cookies={SESSION: value[:-1] + character}).status == 302, character
    assert site.get("/", cookies={SESSION: value[:-1]}).status == 302
    assert len(site.received) == before
    assert site.get("/", cookies={SESSION: value}).status == 200


def test_an_identity_in_the_request_itself_is_no_session(site: Site) -> None:
    assert site.get("/", headers={"x-amzn-oidc-identity": PERSON}).status == 302
    _, cookies = site.sign_in()
    site.get("/", cookies=cookies, headers={"x-amzn-oidc-identity": "root@example.com"})
    assert site.received[-1]["x-amzn-oidc-identity"] == PERSON


def test_a_forged_state_is_refused_and_the_true_one_holds_once(site: Site) -> None:
    location, cookies = site.begin()
    back = site.provider.agree(location)
    state = parse_qs(urlsplit(back).query)["state"][0]
    forged = state[:-1] + ("0" if state[-1] != "0" else "1")
    assert site.get(back.replace(state, forged), cookies=cookies).status == 401
    assert site.get(back, cookies=cookies).status == 302
    assert site.get(back, cookies=cookies).status == 401


def test_the_providers_answer_is_refused_in_another_browser(site: Site) -> None:
    location, cookies = site.begin()
    back = site.provider.agree(location)
    _, others = site.begin()
    assert site.get(back).status == 401
    assert site.get(back, cookies=others).status == 401
    assert site.get(back, cookies=cookies).status == 302


def test_a_made_up_code_is_refused_by_the_provider(site: Site) -> None:
    location, cookies = site.begin()
    state = parse_qs(urlsplit(location).query)["state"][0]
    answer = site.get(f"/oauth2/idpresponse?code=made-up&state={state}", cookies=cookies)
    assert (answer.status, answer.cookies) == (561, ())


def test_a_websocket_needs_a_session(site: Site) -> None:
    def asked(cookies: dict[str, str]) -> Request:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        return Request("127.0.0.1", path="/jobs/1/ws", host=site.balancer.host, headers=headers)

    client = site.aws.client("elbv2")
    with pytest.raises(websocket.NotForwardedError, match="answers 401"):
        websocket.connect(client, site.balancer, asked({SESSION: "made-up"}))
    _, cookies = site.sign_in()
    websocket.connect(client, site.balancer, asked(cookies)).close()


def test_the_provider_refuses_another_client_secret(site: Site) -> None:
    client = site.aws.client("elbv2")
    balancer = client.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = client.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    rule = next(rule for rule in client.describe_rules(ListenerArn=listener)["Rules"] if rule["Priority"] == "200")
    authenticate, forward = rule["Actions"]
    wrong = {**authenticate["AuthenticateOidcConfig"], "ClientSecret": "wrong"}
    client.modify_rule(RuleArn=rule["RuleArn"], Actions=[{**authenticate, "AuthenticateOidcConfig": wrong}, forward])
    answer, cookies = site.sign_in()
    assert (answer.status, cookies) == (561, {})
