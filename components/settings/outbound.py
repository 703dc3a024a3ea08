"""The settings of the task's way to other networks: a company's certificate authorities and its proxy."""

import ipaddress
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pulumi import Input

from . import values
from .schema import Group, group, setting

CERTIFICATE_VARIABLES: tuple[str, ...] = ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "SSL_CERT_FILE")
"""What the AWS SDKs, curl, git, and Go and OpenSSL read the path of trusted certificates from."""
PROXY_VARIABLES: tuple[str, ...] = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)
_FILE = re.compile(r"(?!/)(?!.*\.\.)[\w./-]{1,200}\.(pem|crt|cer)", re.ASCII)
_MOST_CERTIFICATES = 20
_SUFFIX = re.compile(rf"\.?{values.HOST_LABEL}(?:\.{values.HOST_LABEL})*", re.IGNORECASE | re.ASCII)


def _certificates(value: object) -> str:
    """Certificates in PEM form, or those of a file in the program's directory. The result has nothing else in it."""
    if not isinstance(value, str):
        raise values.UnacceptableError("must be certificates in PEM form, or the path of a .pem, .crt or .cer file")
    source = ""
    if _FILE.fullmatch(value):
        source = f"{value}: "
        try:
            value = Path(value).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it isn't text, but DER: convert it to PEM"
            raise values.UnacceptableError(f"can't be read: {reason}") from None
    blocks = list(_BLOCK.finditer(value))
    kinds = set(re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----", value))
    if any("PRIVATE KEY" in kind for kind in kinds):
        # Not shown: the value is the key.
        raise values.HiddenValueError(
            f"{source}must not have a private key, which would be in plaintext in the task definition; name the certificates only, and "
            "replace the key, because it was in this configuration"
        )
    if other := sorted(kinds - {"CERTIFICATE"}):
        raise values.HiddenValueError(f"{source}must have certificates only, not {', '.join(other)}")
    if len(blocks) < value.count("-----BEGIN "):
        raise values.HiddenValueError(f"{source}must have the end of each certificate (-----END CERTIFICATE-----)")
    if not blocks:
        raise values.HiddenValueError(
            f"{source}must be certificates in PEM form (-----BEGIN CERTIFICATE-----), or the path of a .pem, .crt or .cer file, relative "
            "to the program"
        )
    unique = dict.fromkeys(block[0].replace("\r\n", "\n") for block in blocks)
    if len(unique) > _MOST_CERTIFICATES:
        raise values.HiddenValueError(
            f"{source}must have at most {_MOST_CERTIFICATES} certificates, not {len(unique)}; the public ones are trusted anyway"
        )
    for number, block in enumerate(unique, start=1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block)
        except ssl.SSLError:
            raise values.HiddenValueError(f"{source}certificate {number} can't be parsed") from None
    return "".join(f"{block}\n" for block in unique)


def _proxy(value: object) -> str:
    """`http://host:port`. No message shows the value, because a URL can have a password."""
    accepted = "must be http://<host>:<port>, such as http://proxy.example.com:3128, without a path"
    if not isinstance(value, str):
        raise values.HiddenValueError(accepted)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise values.HiddenValueError(accepted) from None
    if "@" in parts.netloc or "@" in value:
        raise values.HiddenValueError(
            "must not have a user or a password, because the task definition and the state have it in plaintext, and every plan can read "
            "it. Let the proxy accept the task by its address or its security group, or name a proxy of your own on localhost that gets "
            "the password from a secret (extraContainers)"
        )
    host = parts.hostname or ""
    if parts.scheme != "http" or not port or not _is_host(host) or parts.path not in ("", "/") or parts.query:
        raise values.HiddenValueError(accepted)
    return f"http://{parts.netloc.lower()}"


def _is_host(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return bool(_SUFFIX.fullmatch(text)) and not text.startswith(".")


def _without_proxy(value: object) -> str:
    """A host, a domain, an address or a range in the notation that curl, git and Go understand."""
    if isinstance(value, str):
        if _SUFFIX.fullmatch(value):
            return value.lower()
        try:
            return str(ipaddress.ip_network(value))
        except ValueError:
            pass
    raise values.UnacceptableError(
        "must be a host, a domain with its subdomains such as .example.com, an address or a range; * isn't accepted"
    )


@group
class OutboundArgs(Group):
    """The task's way to other networks."""

    ca_certificates: Input[str] | None = setting(_certificates, default=None)
    """Certificates of your own authorities that the server, git and Terraform trust too: PEM, or the path of a PEM file relative
    to the program"""
    http_proxy: str | None = setting(_proxy, default=None)
    """URL of a proxy for HTTP, http://<host>:<port>, without a user or a password. Empty: none"""
    https_proxy: str | None = setting(_proxy, default=None)
    """URL of a proxy for HTTPS, http://<host>:<port>, without a user or a password. Empty: none"""
    no_proxy: Sequence[str] = setting(values.list_of(_without_proxy), default=())
    """Hosts, domains, addresses and ranges to reach without the proxy, in addition to the task's own and the stack's VPC
    endpoints"""

    @property
    def proxies(self) -> dict[str, str]:
        """The URLs of the proxies by setting."""
        given = {"httpProxy": self.http_proxy, "httpsProxy": self.https_proxy}
        return {key: url for key, url in given.items() if url}
