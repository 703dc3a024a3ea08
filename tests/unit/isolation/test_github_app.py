"""Tokens of the GitHub App for the agent: the signature with its key, and what a token may do."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from isolation import github
from isolation.web import Answer

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(form: serialization.PrivateFormat) -> str:
    return KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("form", [serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8])
def test_a_signature_with_the_apps_key_is_valid(form: serialization.PrivateFormat) -> None:
    signature = github.PrivateKey.parse(pem(form)).sign(b"content")
    KEY.public_key().verify(signature, b"content", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(github.GithubError):
        github.PrivateKey.parse(text)


def test_a_token_for_modules_can_only_read_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def fetch(request: Any, timeout: float) -> Answer:
        assert timeout
        sent.append(request)
        return Answer(201, b'{"token": "ghs_1"}', {})

    monkeypatch.setattr(github, "fetch", fetch)
    key = github.PrivateKey.parse(pem(serialization.PrivateFormat.PKCS8))
    app = github.App(host="github.com", app_id="1", installation_id="2", key=key, repositories=["modules"])
    assert (app.token(), app.token()) == ("ghs_1", "ghs_1")
    (request,) = sent
    assert request.full_url == "https://api.github.com/app/installations/2/access_tokens"
    assert json.loads(request.data) == {"permissions": {"contents": "read"}, "repositories": ["modules"]}
    header, claims, signature = request.get_header("Authorization").removeprefix("Bearer ").split(".")
    KEY.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["iss"] == "1"
    assert "key" not in repr(key)
