"""GitHub's REST API, and tokens of the GitHub App with few permissions: to download private modules, to write issues."""

import base64
import binascii
import hashlib
import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from isolation.web import Answer, fetch

_TIMEOUT = 30
_RENEW_BEFORE = 1200
# PKCS #1 v1.5: the DER prefix of a SHA-256 digest.
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA = bytes.fromhex("06092a864886f70d010101")


class GithubError(Exception):
    """GitHub gives no token; the message says why."""


@dataclass(frozen=True)
class PrivateKey:
    """An RSA key, to sign with RS256. A container without a compiler has no library for it; three numbers are enough."""

    modulus: int = field(repr=False)
    exponent: int = field(repr=False)

    @classmethod
    def parse(cls, pem: str) -> "PrivateKey":
        """Read a PEM file: GitHub's own form (PKCS #1), or PKCS #8. Raises `GithubError` for anything else."""
        lines = pem.strip().splitlines()
        try:
            if not (lines and lines[0].startswith("-----BEGIN") and "PRIVATE KEY" in lines[0]):
                raise GithubError("the private key of the GitHub App isn't a PEM file")
            der = base64.b64decode("".join(lines[1:-1]), validate=True)
            members = _sequence(der)
            if _RSA in members[1]:
                members = _sequence(members[2])
            return cls(int.from_bytes(members[1]), int.from_bytes(members[3]))
        except (binascii.Error, IndexError, ValueError) as problem:
            raise GithubError("the private key of the GitHub App isn't an RSA key") from problem

    def sign(self, content: bytes) -> bytes:
        """The RS256 signature of `content`."""
        length = (self.modulus.bit_length() + 7) // 8
        digest = _SHA256_PREFIX + hashlib.sha256(content).digest()
        padded = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
        return pow(int.from_bytes(padded), self.exponent, self.modulus).to_bytes(length)


class App:
    """The App's installation.

    Args:
        host: `github.com`, or a GitHub Enterprise Server.
        app_id: the App's ID.
        installation_id: the installation's ID.
        key: the App's key.
        permissions: what the tokens may do, of what the App may.
        repositories: limits the tokens; empty: all repositories of the installation.
    """

    def __init__(
        self,
        *,
        host: str,
        app_id: str,
        installation_id: str,
        key: PrivateKey,
        permissions: Mapping[str, str] = MappingProxyType({"contents": "read"}),
        repositories: Sequence[str] = (),
    ) -> None:
        self.host = host
        self._app_id, self._installation_id, self._key = app_id, installation_id, key
        self._permissions, self._repositories = dict(permissions), list(repositories)
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    @property
    def api(self) -> str:
        """The address of GitHub's REST API."""
        return "https://api.github.com" if self.host == "github.com" else f"https://{self.host}/api/v3"

    def token(self) -> str:
        """A token, for up to an hour; the current one while it has a third of its time left."""
        with self._lock:
            if time.time() > self._until - _RENEW_BEFORE:
                self._token, self._until = self._new(), time.time() + 3600
            return self._token

    def _new(self) -> str:
        body: dict[str, object] = {"permissions": self._permissions}
        if self._repositories:
            body["repositories"] = self._repositories
        url = f"{self.api}/app/installations/{self._installation_id}/access_tokens"
        try:
            answer = _answer("POST", url, self._assertion(), body)
            if answer.status >= 300:
                raise GithubError(f"GitHub gives no token ({answer.status}): {answer.excerpt()}")
            return str(answer.document()["token"])
        except (OSError, ValueError, KeyError) as problem:
            raise GithubError(f"GitHub gives no token: {problem}") from problem

    def _assertion(self) -> str:
        now = int(time.time())
        parts = ({"alg": "RS256", "typ": "JWT"}, {"iat": now - 60, "exp": now + 540, "iss": self._app_id})
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return (signed + b"." + _encoded(self._key.sign(signed))).decode()


class Rest:
    """GitHub's REST API.

    Args:
        api: its address.
        token: returns a token of the App.
        permission: what the token needs, for messages, such as `issues: write`.
    """

    def __init__(self, api: str, token: Callable[[], str], permission: str) -> None:
        self._api, self._token, self._permission = api, token, permission

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a call; `path` begins with a slash and can have a query.

        Raises:
            GithubError: GitHub refuses or doesn't answer; the message says why.
        """
        called = f"{method} {path.partition('?')[0]}"
        try:
            answer = _answer(method, f"{self._api}{path}", self._token(), body)
            if answer.status >= 300:
                raise GithubError(
                    f"{called}: GitHub answered {answer.status}{self._advice(answer)}: {answer.excerpt()}"
                )
            return json.loads(answer.content)
        except (OSError, ValueError) as problem:
            raise GithubError(f"{called}: {problem}") from problem

    def _advice(self, answer: Answer) -> str:
        if answer.status in (403, 429) and (
            answer.headers.get("retry-after")
            or answer.headers.get("x-ratelimit-remaining") == "0"
            or b"rate limit" in answer.content.lower()
        ):
            return " (its rate limit; the next run tries again)"
        return f"; grant the App `{self._permission}`" if answer.status in (403, 404) else ""


def _answer(method: str, url: str, token: str, body: Mapping[str, Any] | None) -> Answer:
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": "atlantis-isolation",
    }
    data = None if body is None else json.dumps(body).encode()
    return fetch(urllib.request.Request(url, data=data, headers=headers, method=method), _TIMEOUT)  # noqa: S310 https


def folded(summary: str, text: str) -> str:
    """A text that a reader opens, in a fence longer than any in it, so that the text can't end it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"<details><summary>{summary}</summary>\n\n{fence}\n{text}\n{fence}\n\n</details>\n"


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _sequence(der: bytes) -> list[bytes]:
    """The contents of the members of a DER sequence."""
    tag, content, _ = _member(der)
    if tag != 0x30:
        raise ValueError("not a sequence")
    members = []
    while content:
        _, member, content = _member(content)
        # An octet string that holds a sequence stays as it is; `_sequence` reads it.
        members.append(member)
    return members


def _member(der: bytes) -> tuple[int, bytes, bytes]:
    tag, length, start = der[0], der[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + size]), 2 + size
    if len(der) < start + length:
        raise ValueError("too short")
    return tag, der[start : start + length], der[start + length :]
