"""An OpenID Connect provider on loopback, over HTTPS: the library ``oidc-provider-mock``, with one registered client."""

import http.client
import json
import os
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.testbed.certificates import Certificates, issue
from sandbox.testbed.containers.targets import Response

QUIET = "ignore:get_jwt_config:DeprecationWarning"
"""A filter for pytest: what the provider's library says of itself with every token."""
REDIRECT_URI = "https://atlantis.example.com/oauth2/idpresponse"
"""As docs/security.md tells an operator to register it."""
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class IdentityProvider:
    """A running provider that knows one client; it checks the client's secret and redirect URI."""

    url: str
    certificates: Certificates
    client_id: str
    client_secret: str
    endpoints: Mapping[str, str]
    """The discovery document."""

    def settings(self, secret_name: str) -> dict[str, Any]:
        """The stack's settings for people to sign in here, with the client secret in ``secret_name``."""
        return {
            "oidcIssuer": self.endpoints["issuer"],
            "oidcAuthorizationEndpoint": self.endpoints["authorization_endpoint"],
            "oidcTokenEndpoint": self.endpoints["token_endpoint"],
            "oidcUserInfoEndpoint": self.endpoints["userinfo_endpoint"],
            "oidcClientId": self.client_id,
            "oidcClientSecretName": secret_name,
            "oidcScope": "openid email",
            "oidcSessionHours": 8,
        }

    def agree(self, location: str, person: str = "engineer@example.com") -> str:
        """Sign a person in at ``location``; the path that the browser is sent back to."""
        address = urlsplit(location)
        context = ssl.create_default_context(cafile=str(self.certificates.bundle))
        connection = http.client.HTTPSConnection(address.netloc, context=context, timeout=120)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{address.path}?{address.query}", urlencode({"sub": person}), kind)
        answer = connection.getresponse()
        back = answer.getheader("Location") or ""
        assert (answer.status, back.partition("?")[0]) == (302, REDIRECT_URI), answer.read()
        connection.close()
        return back.removeprefix("https://atlantis.example.com")


def cookies(answer: Response) -> dict[str, str]:
    """The cookies that an answer of the load balancer sets."""
    return dict(cookie.partition(";")[0].split("=", 1) for cookie in answer.cookies)


def certificates(directory: Path) -> Certificates:
    """Its certificate; the bundle is what the load balancer must trust before the local AWS starts."""
    return issue(directory, (_HOST,))


@contextmanager
def running(shown: Certificates) -> Iterator[IdentityProvider]:
    """Serve on a free port until the context ends."""
    # Importing them takes a second, in each worker that collects the tests.
    import oidc_provider_mock
    import werkzeug.serving

    application = oidc_provider_mock.app(require_client_registration=True)
    server = werkzeug.serving.make_server(
        _HOST, 0, application, threaded=True, ssl_context=(os.fspath(shown.chain), os.fspath(shown.key))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="identity-provider")
    thread.start()
    try:
        url = f"https://{_HOST}:{server.server_port}"
        context = ssl.create_default_context(cafile=os.fspath(shown.bundle))
        endpoints = _json(context, f"{url}/.well-known/openid-configuration")
        registered = _json(
            context,
            endpoints["registration_endpoint"],
            {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "client_secret_post"},
        )
        yield IdentityProvider(url, shown, registered["client_id"], registered["client_secret"], endpoints)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _json(context: ssl.SSLContext, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})  # noqa: S310 - https, on loopback
    with opener.open(request, timeout=120) as answer:
        return json.load(answer)
