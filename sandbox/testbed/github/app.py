"""The sandbox's GitHub App: its throw-away values, its installation tokens, and the authentication of API calls."""

import base64
import binascii
import datetime
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jwt import ClaimsOption

from sandbox.testbed.files import read_json, write_json

AUTHOR = "sandbox-author"
"""The login of the user who pushes and opens pull requests."""
_TOKEN_SECONDS = 3600
# GitHub rejects a JSON Web Token that is valid for longer than ten minutes.
_LONGEST_ASSERTION = 600
_CLOCK_SKEW = 60


@dataclass(frozen=True)
class Registration:
    """What GitHub stores about an App: its IDs and its public key (PEM)."""

    app_id: str
    installation_id: str
    public_key: str


def make_values() -> dict[str, str]:
    """Generate throw-away values of a GitHub App, in the format that the operator stores in Secrets Manager."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "app_id": str(100_000 + secrets.randbelow(900_000)),
        "installation_id": str(10_000_000 + secrets.randbelow(90_000_000)),
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode(),
    }


def register(path: Path, values: dict[str, str]) -> Registration:
    """Register the App of ``values`` with the GitHub stand-in; ``path`` stores its IDs and its public key.

    Raises ``ValueError`` if ``private_key`` isn't PEM, ``TypeError`` if it isn't an RSA key.
    """
    key = serialization.load_pem_private_key(values["private_key"].encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the key of a GitHub App is an RSA key")
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    registration = Registration(values["app_id"], values["installation_id"], public.decode())
    write_json(path, vars(registration))
    return registration


def load(path: Path) -> Registration | None:
    """Return the App that is registered in ``path``, or None."""
    known = read_json(path)
    return None if known is None else Registration(**known)


class Access:
    """Authenticates callers: the App by its JSON Web Token, its installation by a token that is valid for an hour.

    The author of pull requests has a token of this run, ``author_token``.
    """

    def __init__(self, registration_path: Path) -> None:
        self._registration_path = registration_path
        self.author_token = f"ghp_{secrets.token_hex(18)}"
        self._tokens: dict[str, float] = {}
        self._permissions: dict[str, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def is_app(self, authorization: str) -> bool:
        """Whether the header contains a JSON Web Token of the registered App, signed with its key and not expired."""
        registration = load(self._registration_path)
        scheme, _, token = authorization.partition(" ")
        if registration is None or scheme.lower() != "bearer":
            return False
        try:
            claims = jwt.decode(token, RSAKey.import_key(registration.public_key), algorithms=["RS256"]).claims
            required = ClaimsOption(essential=True)
            jwt.JWTClaimsRegistry(leeway=_CLOCK_SKEW, iss=required, iat=required, exp=required).validate(claims)
        except (JoseError, ValueError):
            return False
        lasts = claims["exp"] - time.time() <= _LONGEST_ASSERTION + _CLOCK_SKEW
        return lasts and str(claims["iss"]) == registration.app_id

    def is_installation(self, installation_id: str) -> bool:
        """Whether the App is installed under this id."""
        registration = load(self._registration_path)
        return registration is not None and registration.installation_id == installation_id

    def hand_out_token(self, permissions: Mapping[str, str]) -> dict[str, Any]:
        """Create an installation token and return it in the format of GitHub's response; empty ``permissions`` are the App's."""
        token = f"ghs_{secrets.token_hex(18)}"
        with self._lock:
            self._tokens[token] = time.time() + _TOKEN_SECONDS
            self._permissions[token] = permissions
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=_TOKEN_SECONDS)
        return {"token": token, "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "permissions": permissions}

    def permits(self, authorization: str, permission: str, level: str) -> bool:
        """Whether the token of the header has a permission on ``level``: ``read``, or ``write``, which includes it."""
        with self._lock:
            permissions = self._permissions.get(authorization.partition(" ")[2], {})
        return not permissions or permissions.get(permission) in {level, "write"}

    def has_token(self, authorization: str) -> bool:
        """Whether the header contains an installation token: as ``token``, ``Bearer`` or git's ``Basic`` scheme."""
        user, value = _token(authorization)
        with self._lock:
            return user in {"", "x-access-token"} and self._tokens.get(value, 0) > time.time()

    def is_author(self, authorization: str) -> bool:
        """Whether the header contains the author's token, in the same schemes."""
        user, value = _token(authorization)
        return user in {"", AUTHOR} and hmac.compare_digest(value.encode(), self.author_token.encode())


def _token(authorization: str) -> tuple[str, str]:
    """The user, which only the ``Basic`` scheme has, and the token; both are empty if there is none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() in {"token", "bearer"}:
        return "", value
    try:
        user, _, value = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, value) if scheme.lower() == "basic" else ("", "")
