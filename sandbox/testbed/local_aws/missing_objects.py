"""S3's answer about an object that doesn't exist: only a caller that may list its key learns that it doesn't.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html has the rule. The condition key `s3:prefix` has the object's key.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_evaluator, router
from ministack.services import s3


def install() -> None:
    """Install the answer. Must be called in ministack's process, after the evaluator."""
    s3.handle_request = _deny_to_others(s3.handle_request)


def _deny_to_others(own: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], *rest: Any, **named: Any
    ) -> Any:
        answer = await own(method, path, headers, body, query, *rest, **named)
        bucket, _, key = path.lstrip("/").partition("/")
        if answer[0] == 404 and method in ("GET", "HEAD") and key and bucket in s3._buckets:
            caller, region = (
                router.extract_access_key_id(headers, query),
                router.extract_signed_region(headers, query),
            )
            asked = "s3:ListBucket", "s3", region or "", f"arn:aws:s3:::{bucket}", {"s3:prefix": key}
            if iam_evaluator.enforce(caller or "", *asked):
                return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}")
        return answer

    return handle
