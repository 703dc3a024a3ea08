"""Answers calls that the local AWS doesn't support in a way that can't be mistaken for AWS' own refusal.

ministack answers a call to a service that it lacks with a status and no error code, and doesn't ask IAM. An operation that one
of its services lacks gets the error of an operation that AWS doesn't have. Here, IAM decides first. The answer to an allowed
call then names the service or the operation, and the call is logged in `unsupported-calls.jsonl`.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.model import OperationModel
from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region

from sandbox.testbed.files import write_private
from sandbox.testbed.iam_evaluation import service_models, wire
from sandbox.testbed.iam_evaluation.authorizations import action_of
from sandbox.testbed.local_aws import completed_buckets
from sandbox.testbed.local_aws.facts import FACTS
from sandbox.testbed.local_aws.refusals import refused
from sandbox.testbed.local_aws.refusals.call import Answer, Handler, Objects
from sandbox.testbed.local_aws.refusals.errors import error_answer

CODE = "UnsupportedByLocalAws"
"""The error code for a service that the local AWS lacks.

For an operation, ministack's code stays: it is the one of partitions without the operation, which clients tolerate if they can.
"""
LOG = "unsupported-calls.jsonl"
"""File in the local AWS' directory. It is cleared at each start."""

_UNKNOWN_OPERATION = re.compile(
    rb"\b(InvalidAction|UnknownOperation|UnknownOperationException|NotImplemented|NotImplementedException|UnknownError)\b"
)
_LACKING_OF_S3 = frozenset(FACTS["lacking_of_s3"])
_log = Path(LOG)


def install() -> None:
    """Install the answers. Must be called in ministack's process."""
    write_private(_log, "")
    iam_actions.extract_iam_action = name_every_action(iam_actions.extract_iam_action)
    app.SERVICE_HANDLERS = _Handlers(app.SERVICE_HANDLERS)


def name_every_action(own: Callable[..., str | None]) -> Callable[..., str | None]:
    """The IAM action of calls to services for which ministack knows none, and therefore asks nobody."""

    def name(  # noqa: PLR0917 - ministack's own signature
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> str | None:
        ignored = _LACKING_OF_S3 | completed_buckets.BY_ID
        if service in iam_actions.SERVICE_TO_IAM_NAMESPACE and not _is_of_bucket(service, path, query, ignored):
            return own(service, method, path, headers, body, query)
        called = service_models.operation_of_request(service, method, path, headers, query)
        return _action(service, called) if called else None

    return name


def _is_of_bucket(service: str, path: str, query: Mapping[str, Any], names: frozenset[str]) -> bool:
    """Whether the call is for one of a bucket's configurations in ``names``."""
    return service == "s3" and not path.strip("/").partition("/")[2] and not names.isdisjoint(query)


def _is_lacking_of_s3(service: str, path: str, query: Mapping[str, Any]) -> bool:
    lists = _is_of_bucket(service, path, query, completed_buckets.BY_ID) and "id" not in query
    return lists or _is_of_bucket(service, path, query, _LACKING_OF_S3)


def _action(service: str, called: OperationModel) -> str:
    return action_of(service_models.signed_as(service), str(called.name))


class _Handlers(dict[str, Handler]):
    """ministack's handlers by service, behind the table of refusals, with an answer for every other service."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        super().__init__(handlers)
        self._objects = Objects(super().get, lambda: (get_account_id(), get_region()))

    def get(self, service: str, default: Any = None) -> Any:
        own = super().get(service)
        if own:
            return _answer_for_operations(service, own, self._objects)
        return _answer_for_service(service) if service else default


def _answer_for_service(service: str) -> Handler:
    async def answer(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        called = service_models.operation_of_request(service, method, path, headers, _form(headers, body, query))
        return _unsupported(service, called, f"the local AWS has no {service}")

    return answer


def _answer_for_operations(service: str, own: Handler, objects: Objects) -> Handler:
    async def answer(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        form = _form(headers, body, query)
        called = service_models.operation_of_request(service, method, path, headers, form)
        if _is_lacking_of_s3(service, path, query):
            return _unsupported(service, called, f"{service} of the local AWS has no {called.name if called else path}")
        if called:
            parameters = wire.parameters_of(
                wire.HttpRequest(service, form, body, method, path, headers), str(called.name)
            )
            if refusal := await refused(called, parameters, objects):
                return refusal
        status, answered, content = await own(method, path, headers, body, query)
        unknown = _UNKNOWN_OPERATION.search(content[:1000]) if status >= 400 and isinstance(content, bytes) else None
        # An operation that botocore doesn't have either is the client's error, as on AWS.
        if unknown and called:
            reason = f"{service} of the local AWS has no {called.name}"
            return _unsupported(service, called, reason, unknown[1].decode())
        return status, answered, content

    return answer


def _form(headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the query string and of a form, which a handler doesn't get merged."""
    return dict(app._routing_params("POST", "/", dict(headers), body, dict(query)))


def _unsupported(service: str, called: OperationModel | None, reason: str, code: str = CODE) -> Answer:
    action = _action(service, called) if called else service
    with _log.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"service": service, "action": action}) + "\n")
    message = f"{reason}; AWS would allow this call ({action})"
    return error_answer(called, code, message)
