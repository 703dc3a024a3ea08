"""Log of the stand-in's API calls, one JSON object per line. ``ATLANTIS_SANDBOX_CALLS`` names the file.

The deployment roles are checked against it: a principal that runs the program needs permissions for exactly these
calls. The parameters are logged unredacted and include secrets, so only the owner can read the file.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

__all__ = ["VARIABLE", "log_calls"]

VARIABLE = "ATLANTIS_SANDBOX_CALLS"
_PREFIXES = {"monitoring": "cloudwatch"}
"""IAM service prefixes of services whose signing name differs."""


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
        os.write(log, line.encode())  # One write: several processes append to the file.
    finally:
        os.close(log)
