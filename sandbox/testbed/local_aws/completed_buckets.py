"""Completes ministack's answers about S3 buckets: what it drops, can't be asked for, or ignores.

It drops MFA delete and parts of a lifecycle configuration, lists the objects when it is asked who pays for requests, and ignores
the configurations of `BY_ID`. Clients read all of them to detect changes. They are stored as they were sent, and have no effect.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from ministack.core.responses import AccountScopedDict
from ministack.services import s3

BY_ID = frozenset({"analytics", "intelligent-tiering", "inventory", "metrics"})
"""Configurations of which a bucket can have several, by their parameter in the query string."""
_MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"

_kept = AccountScopedDict()
"""By bucket, what was sent: a text by the name of the configuration, and by its ID if it has one."""

_Answer = tuple[int, dict[str, str], bytes | str]


def install() -> None:
    """Install the answers. Must be called in ministack's process, before its state is loaded."""
    persisted: dict[str, Any] = s3._PERSISTED_BUCKET_DICTS
    persisted["sandbox_kept"] = _kept
    s3.handle_request = _completed(s3.handle_request)


def _completed(own: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any], **more: Any
    ) -> _Answer:
        bucket, _, key = path.strip("/").partition("/")
        if key or bucket not in s3._buckets:
            return await own(method, path, headers, body, query, **more)
        kept: dict[str, str] = _kept.get(bucket) or {}
        if kind := next((kind for kind in BY_ID if kind in query), ""):
            return _configuration(bucket, f"{kind} {_one(query, 'id')}", method, body)
        if method == "GET" and "requestPayment" in query:
            query = {**query, "request-payment": ""}
        status, shown, content = await own(method, path, headers, body, query, **more)
        if status >= 300:
            return status, shown, content
        if method == "GET" and "lifecycle" in query and "lifecycle" in kept:
            return _shown(kept["lifecycle"].encode(), **{_MINIMUM_SIZE: kept[_MINIMUM_SIZE]})
        if method == "GET" and "versioning" in query and "mfa-delete" in kept:
            return _shown(_with_mfa_delete(content, kept["mfa-delete"]))
        _keep(bucket, method, headers, body, query)
        return status, shown, content

    return handle


def _keep(bucket: str, method: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> None:
    """Keep what ministack drops of a successful request."""
    if bucket not in s3._buckets:
        _kept.pop(bucket, None)
        return
    kept: dict[str, str] = dict(_kept.get(bucket) or {})
    if method == "PUT" and "versioning" in query:
        given = s3._find_xml_tag(s3.fromstring(body), "MfaDelete")
        kept |= {"mfa-delete": given.text or ""} if given is not None else {}
    elif method == "PUT" and "lifecycle" in query:
        # S3 gives an ID to a rule without one, as ministack does.
        if all(s3._find_xml_tag(rule, "ID") is not None for rule in s3.fromstring(body)):
            size = headers.get(_MINIMUM_SIZE, "all_storage_classes_128K")
            kept |= {"lifecycle": body.decode(), _MINIMUM_SIZE: size}
    elif method == "DELETE" and "lifecycle" in query:
        kept.pop("lifecycle", None)
    _kept[bucket] = kept


def _configuration(bucket: str, name: str, method: str, body: bytes) -> _Answer:
    kept: dict[str, str] = dict(_kept.get(bucket) or {})
    if method == "PUT":
        _kept[bucket] = {**kept, name: body.decode()}
        return 200, {}, b""
    if name not in kept:
        return s3._error("NoSuchConfiguration", "The specified configuration does not exist.", 404, f"/{bucket}")
    if method == "DELETE":
        _kept[bucket] = {key: text for key, text in kept.items() if key != name}
        return 204, {}, b""
    return _shown(kept[name].encode())


def _shown(body: bytes, **headers: str) -> _Answer:
    return 200, {"Content-Type": "application/xml", **headers}, body


def _with_mfa_delete(content: bytes | str, value: str) -> bytes:
    """S3 returns MFA delete once it has been configured."""
    root = s3.fromstring(content)
    ET.SubElement(root, f"{{{s3.S3_NS}}}MfaDelete").text = value
    return ET.tostring(root)


def _one(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value)
