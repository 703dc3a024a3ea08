"""Changes of the KMS key of an existing log group in CloudWatch Logs. ministack supports a key only at creation."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs

__all__ = ["accept_keys_of_log_groups"]

ACTIONS = ("AssociateKmsKey", "DisassociateKmsKey")


def accept_keys_of_log_groups() -> None:
    """Handle ``AssociateKmsKey`` and ``DisassociateKmsKey``. ministack handles all other requests."""
    rest = cloudwatch_logs.handle_request

    async def handle(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        if headers.get("x-amz-target", "").rpartition(".")[2] not in ACTIONS:
            return await rest(method, path, headers, body, query)
        asked = json.loads(body)
        group = cloudwatch_logs._log_groups.get(asked.get("logGroupName"))
        if group is None:
            return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
        # DisassociateKmsKey has no key.
        group["kmsKeyId"] = asked.get("kmsKeyId")
        return json_response({})

    cloudwatch_logs.handle_request = handle
