"""Replicas of KMS keys whose material is imported: they have no material until it is imported into them too.

ministack copies the material of the primary key. Terraform waits for the state ``PendingImport`` before it imports.
https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-import.html has the rule.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ministack.services import kms

__all__ = ["install"]

_WITHOUT_MATERIAL = {"KeyState": "PendingImport", "Enabled": False}
_MATERIAL = ("_symmetric_key", "_hmac_key", "_private_key", "_public_key_der")


def install() -> None:
    """Install the change. Must be called in ministack's process."""
    kms._replicate_key = partial(_without_material, kms._replicate_key)


def _without_material(own: Callable[[Mapping[str, Any]], Any], data: Mapping[str, Any]) -> Any:
    status, headers, body = own(data)
    primary = kms._resolve_key(data.get("KeyId", ""))
    if status != 200 or primary is None or primary["Origin"] != "EXTERNAL":
        return status, headers, body
    replica = dict(kms._mrk_members(primary))[data["ReplicaRegion"]]
    replica.update(_WITHOUT_MATERIAL)
    for field in _MATERIAL:
        replica.pop(field, None)
    answer = json.loads(body)
    answer["ReplicaKeyMetadata"].update(_WITHOUT_MATERIAL)
    return status, headers, json.dumps(answer).encode()
