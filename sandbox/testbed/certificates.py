"""A sandbox's certificate authority, and the certificate that it issues to the stand-ins."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.testbed.files import write_private

HOSTS = ("github.com", "api.github.com")
LOOPBACK = "localhost"
"""The host name of stand-ins that a client connects to without the proxy."""
_LIFETIME = datetime.timedelta(days=30)
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True)
class Certificates:
    """PEM files: a server's certificate ``chain`` and private ``key``, and the CA ``bundle`` that a client trusts."""

    chain: Path
    key: Path
    bundle: Path


def issue(
    directory: Path, hosts: Sequence[str] = (*HOSTS, LOOPBACK), authority_name: str = "Atlantis sandbox authority"
) -> Certificates:
    """Create a certificate authority, issue one certificate for ``hosts``, and discard the authority's key.

    Clients find an authority by its name, so two that one client trusts need different names.

    The files are written into ``directory``. The bundle also contains the system's authorities, so that a client that
    uses it still trusts public servers.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name(authority_name)
    authority = (
        _builder(issuer, issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(authority_key, hashes.SHA256())
    )
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = (
        _builder(_name(hosts[0]), issuer, server_key.public_key())
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    files = Certificates(directory / "server.pem", directory / "server.key", directory / "trusted.pem")
    authority_pem = _pem(authority)
    write_private(files.chain, _pem(server) + authority_pem)
    write_private(
        files.key,
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )
    write_private(files.bundle, authority_pem + _system_authorities())
    return files


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _system_authorities() -> str:
    for candidate in map(Path, _SYSTEM_BUNDLES):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8", errors="replace")
    return ""
