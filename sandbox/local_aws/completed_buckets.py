"""Completes ministack's answers about S3 buckets: MFA delete, which it drops, and who pays for requests, which it can't be asked."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from ministack.core.responses import AccountScopedDict
from ministack.services import s3

__all__ = ["install"]

_mfa_delete = AccountScopedDict()


def install() -> None:
    """Install the changes. Must be called in ministack's process, before its state is loaded."""
    persisted: dict[str, Any] = s3._PERSISTED_BUCKET_DICTS
    persisted["bucket_mfa_delete"] = _mfa_delete
    s3._put_bucket_versioning = _keep_mfa_delete(s3._put_bucket_versioning)
    s3._get_bucket_versioning = _show_mfa_delete(s3._get_bucket_versioning)
    s3._delete_bucket = _forget(s3._delete_bucket)
    s3.handle_request = _ask_for_payer(s3.handle_request)


def _keep_mfa_delete(own: Callable[[str, bytes], Any]) -> Callable[[str, bytes], Any]:
    def keep(bucket: str, body: bytes) -> Any:
        answer = own(bucket, body)
        if answer[0] == 200 and (given := s3._find_xml_tag(ET.fromstring(body), "MfaDelete")) is not None:  # noqa: S314 - ministack parsed it
            _mfa_delete[bucket] = given.text
        return answer

    return keep


def _show_mfa_delete(own: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return MFA delete once it has been configured, as S3 does."""

    def show(bucket: str) -> Any:
        status, headers, body = own(bucket)
        if status == 200 and (kept := _mfa_delete.get(bucket)):
            root = ET.fromstring(body)  # noqa: S314 - ministack wrote it
            ET.SubElement(root, f"{{{s3.S3_NS}}}MfaDelete").text = kept
            body = ET.tostring(root)
        return status, headers, body

    return show


def _forget(own: Callable[[str], Any]) -> Callable[[str], Any]:
    def forget(bucket: str) -> Any:
        answer = own(bucket)
        if answer[0] < 300:
            _mfa_delete.pop(bucket, None)
        return answer

    return forget


def _ask_for_payer(own: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Rename the parameter with which clients ask who pays: ministack expects another one, and would list the objects."""

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Mapping[str, Any], **more: Any) -> Any:
        if method == "GET" and "requestPayment" in query:
            query = {"request-payment": query["requestPayment"]}
        return await own(method, path, headers, body, query, **more)

    return handle
