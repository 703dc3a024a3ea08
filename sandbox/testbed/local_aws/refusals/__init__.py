"""What AWS refuses and ministack accepts: a table of refusals in front of the local AWS.

Without it, a deployment would succeed here and fail in AWS. A row has the operation, the condition on the call and on what
exists, and AWS' error: a YAML file for each group of services, and next to it the conditions that need more than an
expression. IAM decides on a call before. What AWS' API references state as a constraint of a parameter is in
`constraints`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.model import OperationModel

from sandbox.testbed.local_aws.refusals import access, balancing, containers, data, messages, networks
from sandbox.testbed.local_aws.refusals.call import Answer, Call, Objects, typed
from sandbox.testbed.local_aws.refusals.constraints import violated_constraint, violated_tag
from sandbox.testbed.local_aws.refusals.errors import error_answer
from sandbox.testbed.local_aws.refusals.row import SERVICES, Refusal, rows

__all__ = ["REFUSALS", "refused"]

REFUSALS: Final = [row for module in (networks, access, balancing, containers, data, messages) for row in rows(module)]

_BY_OPERATION: Final[dict[str, list[Refusal]]] = {}
for _row in REFUSALS:
    for _operation in _row.operations:
        _BY_OPERATION.setdefault(_operation, []).append(_row)


async def refused(called: OperationModel, parameters: Mapping[str, Any], objects: Objects) -> Answer | None:
    """AWS' answer to a call that AWS refuses; None for one that the local AWS answers."""
    service = called.service_model.service_name
    shape: Any = called.input_shape
    call = Call(f"{service}:{called.name}", typed(shape, parameters) if shape else parameters, objects)
    codes = SERVICES.get(service, {})
    if "tag" in codes and (problem := violated_tag(call)):
        return error_answer(called, codes["tag"], problem)
    if "constraint" in codes and (problem := violated_constraint(call, shape)):
        return error_answer(called, codes["constraint"], problem)
    rows = _BY_OPERATION.get(call.operation, ())
    found = await objects.in_thread(_first, rows, call) if rows else None
    return error_answer(called, *found) if found else None


def _first(rows: Sequence[Refusal], call: Call) -> tuple[str, str] | None:
    """The code and the message of the first row whose condition is true."""
    for row in rows:
        if (message := row.message_for(call)) is not None:
            return row.code, message
    return None
