"""Throw-away certificates and secret values for the twins; made on the spot, never kept in the checkout."""

import datetime
import secrets
from urllib.parse import urlsplit

__all__ = ["certificate", "github_app", "host", "webhook"]

LIFETIME = datetime.timedelta(days=365)


def host(url: str) -> str:
    """The host of ``url``."""
    return urlsplit(url).hostname or url


def certificate(name: str) -> tuple[bytes, bytes]:
    """A self-signed certificate for the host ``name``, and its key; both PEM."""
    from cryptography import x509  # noqa: PLC0415 - only where a stack file names a certificate
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(serialization.Encoding.PEM), pem


def github_app() -> dict[str, str]:
    """The values of a GitHub App secret, under the keys that the task definition refers to."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return {"app_id": "123456", "installation_id": "12345678", "private_key": pem.decode()}


def webhook() -> dict[str, str]:
    """The value of a webhook secret, under its key."""
    return {"webhook_secret": secrets.token_hex(32)}
