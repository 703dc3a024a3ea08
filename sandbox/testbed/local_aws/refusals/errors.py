"""Error answers in the protocol of a service."""

import json
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import OperationModel

from sandbox.testbed.local_aws.refusals.call import Answer

_CONFLICTS = frozenset({"BucketNotEmpty", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "InvalidBucketState"})
"""Codes of S3, whose model has no status codes."""


def error_answer(called: OperationModel | None, code: str, message: str) -> Answer:
    """The answer of a service to ``called`` with an error. Without a known operation, the one of a JSON service."""
    metadata = called.service_model.metadata if called else {}
    protocol = metadata.get("protocol", "json")
    status, other_code = _documented(called, code)
    if protocol in ("query", "ec2", "rest-xml"):
        error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        forms = {
            "ec2": f"<Response><Errors><Error>{error}</Error></Errors></Response>",
            "s3": f"<Error>{error}</Error>",
        }
        other = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
        name = called.service_model.service_name if called else ""
        return status, {"Content-Type": "text/xml"}, forms.get(name, other).encode()
    body = json.dumps({"__type": code, "message": message}).encode()
    # REST services name the code in a header.
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
    if "awsQueryCompatible" in metadata:
        headers["x-amzn-query-error"] = f"{other_code};Sender"
    return status, headers, body


def _documented(called: OperationModel | None, code: str) -> tuple[int, str]:
    """The status of an error, and its code in the query protocol."""
    if code in _CONFLICTS:
        return 409, code
    shapes: Any = called.error_shapes if called else ()
    for shape in shapes:
        error = shape.metadata.get("error") or {}
        if code in (shape.name, error.get("code")):
            return error.get("httpStatusCode", 400), error.get("code", code)
    return 400, code
