"""Sign-in at the local load balancer: adds two protections that ministack's ``authenticate-oidc`` lacks.

ministack redirects to the identity provider, exchanges the code and requests the user's claims. Its session cookie is
plain JSON, so anyone can forge one; a load balancer encrypts it (Elastic Load Balancing, "Authenticate users using an
Application Load Balancer"). Its ``state`` isn't bound to a browser, so an attacker could sign in a victim with the
attacker's account; a load balancer compares it with the cookie ``AWSALBAuthNonce``
(https://repost.aws/knowledge-center/elb-configure-authentication-alb).
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from ministack.services import alb

NONCE_COOKIE = "AWSALBAuthNonce"
_LOGIN_SECONDS = 900
"""The time that ministack and AWS' load balancer wait for the identity provider's response."""

# Generated per process: a restart of the local AWS invalidates all sessions.
_cipher = Fernet(Fernet.generate_key())
_nonce_key = secrets.token_bytes(32)


def install() -> None:
    """Install both protections. Must be called in ministack's process."""
    alb._oidc_read_session = _read_session
    alb._oidc_session_cookies = _encrypted(alb._oidc_session_cookies)
    alb._authenticate_oidc = _bound_to_the_browser(alb._authenticate_oidc)


def _encrypted(own: Callable[..., list[str]]) -> Callable[..., list[str]]:
    def render(cookie_name: str, session: Mapping[str, Any], max_age: int, secure: bool) -> list[str]:
        # ministack splits the value into cookies that are small enough for browsers.
        token = _cipher.encrypt(json.dumps(session).encode()).decode()
        return own(cookie_name, token, max_age, secure)

    return render


def _read_session(jar: Mapping[str, str], cookie_name: str) -> dict[str, Any] | None:
    """The session in the cookies. None if there is none, or if this load balancer didn't create exactly these bytes."""
    shards, index = [], 0
    while (shard := jar.get(f"{cookie_name}-{index}")) is not None:
        shards.append(shard)
        index += 1
    blob = "".join(shards)
    try:
        token = json.loads(base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4)))
        # Several base64 strings decode to the same bytes.
        if not isinstance(token, str) or _spelled(token) != blob:
            return None
        return json.loads(_cipher.decrypt(token.encode()))
    except (binascii.Error, ValueError, InvalidToken):
        return None


def _spelled(token: str) -> str:
    """``token`` in the encoding of ministack's cookies."""
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")


def _bound_to_the_browser(own: Callable[..., Any]) -> Callable[..., Any]:
    async def authenticate(
        action: Mapping[str, Any], method: str, path: str, headers: dict[str, str], *positional: Any, **named: Any
    ) -> Any:
        if path == alb.OIDC_CALLBACK_PATH:
            query = positional[1]
            state = alb._oidc_first(query.get("state")) or ""
            nonce = alb._oidc_parse_cookies(headers).get(NONCE_COOKIE, "")
            if not hmac.compare_digest(nonce.encode(), _nonce(state).encode()):
                return (
                    401,
                    {"Content-Type": "text/plain"},
                    b"The answer of the identity provider is for another browser",
                )
        answer = await own(action, method, path, headers, *positional, **named)
        if answer is None:
            return None
        status, sent, body = answer
        sign_in = urlsplit(sent.get("Location", ""))
        if path != alb.OIDC_CALLBACK_PATH and (state := parse_qs(sign_in.query).get("state")):
            cookie = f"{NONCE_COOKIE}={_nonce(state[0])}; Path=/; HttpOnly; Secure; Max-Age={_LOGIN_SECONDS}"
            sent = {**sent, "Set-Cookie": [*sent.get("Set-Cookie", []), cookie]}
        return status, sent, body

    return authenticate


def _nonce(state: str) -> str:
    return hmac.new(_nonce_key, state.encode(), hashlib.sha256).hexdigest()
