"""The API calls of the stand-in, one JSON object a line, where ``ATLANTIS_SANDBOX_CALLS`` names a file.

The deployment roles are checked against it: who runs the program needs exactly these calls. The parameters are written as
they are, secrets among them, so the file is private.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

__all__ = ["VARIABLE", "log_calls"]

VARIABLE = "ATLANTIS_SANDBOX_CALLS"
_PREFIXES = {"monitoring": "cloudwatch"}
"""IAM's prefix of a service that signs by another name."""


def log_calls(client: Any) -> None:
    """Log each call that ``client`` makes from now on."""
    if os.environ.get(VARIABLE):
        client.meta.events.register("provide-client-params", _log)


def _log(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    service = model.service_model.signing_name
    call = {"service": _PREFIXES.get(service, service), "operation": model.name, "parameters": params}
    line = json.dumps(call, default=str) + "\n"
    log = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(log, line.encode())  # in one piece: several processes append
    finally:
        os.close(log)
