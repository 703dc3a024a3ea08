"""Random values for substitutes of existing secrets. They are generated on use and never stored in the checkout."""

import json
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit


def host(url: str) -> str:
    """The host of ``url``."""
    return urlsplit(url).hostname or url


def github_app() -> dict[str, str]:
    """The values of a GitHub App secret, with the keys that the task definition refers to."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only if a stack file names a secret
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return {"app_id": "123456", "installation_id": "12345678", "private_key": pem.decode()}


def of_key(key: str) -> dict[str, str]:
    """The value of a secret with one key."""
    return {key: secrets.token_hex(32)}


def named(references: Iterable[str]) -> dict[str, dict[str, str]]:
    """Values for secrets that settings refer to as ``NAME=secret:key``: by secret and key."""
    values: dict[str, dict[str, str]] = {}
    for reference in references:
        name, _, place = reference.partition("=")
        secret, _, key = place.rpartition(":")
        if not key.startswith("/"):
            values.setdefault(secret, {})[key] = _value(name)
    return values


def _value(name: str) -> str:
    value = secrets.token_hex(32)
    # The server parses the headers of its webhooks when it starts.
    return json.dumps({"Authorization": f"Bearer {value}"}) if name == "webhook-http-headers" else value


def parameters(references: Iterable[str]) -> dict[str, str]:
    """Values for parameters that settings refer to as ``NAME=ssm:/name``: by name."""
    found = (reference.partition("=") for reference in references)
    places = ((name, place.rpartition(":")[2]) for name, _, place in found)
    return {place: _value(name) for name, place in places if place.startswith("/")}
