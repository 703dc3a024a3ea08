"""Application Auto Scaling for the local AWS, which lacks it: targets, policies and scheduled actions, stored but inert.

Nothing scales, because nothing in the local AWS has a load. The functions follow ministack's contract for a service module:
`handle_request`, `reset`, `get_state`, `load_persisted_state`.
"""

import copy
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)

_NAME = "application-autoscaling"
_MODULE = "application_autoscaling"

_targets = AccountRegionScopedDict()
_policies = AccountRegionScopedDict()
_actions = AccountRegionScopedDict()
_tags = AccountRegionScopedDict()
_STORES = {"targets": _targets, "policies": _policies, "actions": _actions, "tags": _tags}

Parameters = Mapping[str, Any]


class _RefusedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Add the service to ministack. Must be called in ministack's process, before its state is loaded."""
    app._loaded_modules[_MODULE] = sys.modules[__name__]
    app._state_map[_MODULE] = _MODULE
    handlers: dict[str, Any] = app.SERVICE_HANDLERS
    handlers[_NAME] = handle_request
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_NAME] = _NAME
    router.SERVICE_PATTERNS[_NAME] = {"target_prefixes": ["AnyScaleFrontendService"]}


def reset() -> None:
    """Forget everything."""
    for store in _STORES.values():
        store.clear()


def get_state() -> dict[str, Any]:
    """What ministack saves."""
    return {name: copy.deepcopy(store) for name, store in _STORES.items()}


def load_persisted_state(data: Mapping[str, Any]) -> None:
    """Restore what `get_state` returned."""
    for name, store in _STORES.items():
        store.update(data.get(name, {}))


async def handle_request(
    _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Any
) -> tuple[int, dict[str, str], bytes]:
    """Answer a request of the service's JSON protocol."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation not in _OPERATIONS:
        return error_response_json("UnknownOperationException", f"Unknown operation {operation}", 400)
    try:
        return json_response(_OPERATIONS[operation](json.loads(body or b"{}")))
    except _RefusedError as refusal:
        return error_response_json(refusal.code, str(refusal), 400)


def _register(asked: Parameters) -> dict[str, Any]:
    key = _key(asked)
    known = _targets.get(key)
    if known is None and not {"MinCapacity", "MaxCapacity"} <= asked.keys():
        raise _RefusedError("ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target")
    given = {name: value for name, value in asked.items() if name != "Tags"}
    target = {**(known or _new_target(asked)), **given}
    if target["MinCapacity"] > target["MaxCapacity"]:
        raise _RefusedError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
    _targets[key] = target
    arn = target["ScalableTargetARN"]
    if known is None:
        _tags[arn] = dict(asked.get("Tags") or {})
    return {"ScalableTargetARN": arn}


def _new_target(asked: Parameters) -> dict[str, Any]:
    namespace = asked["ServiceNamespace"]
    # The service-linked role that AWS uses if the call names none.
    suffix = {"ecs": "ECSService", "dynamodb": "DynamoDBTable", "lambda": "LambdaConcurrency"}.get(namespace, namespace)
    role = f"aws-service-role/{namespace}.{_NAME}.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_{suffix}"
    return {
        "ScalableTargetARN": _arn(f"scalable-target/{uuid.uuid4().hex}"),
        "RoleARN": f"arn:aws:iam::{get_account_id()}:role/{role}",
        "CreationTime": _NOW,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }


_NOW = 1767225600.0
"""The creation time of everything: 2026-01-01. Nothing here depends on the time."""


def _deregister(asked: Parameters) -> dict[str, Any]:
    key = _known_target(asked)
    _tags.pop(_targets.pop(key)["ScalableTargetARN"], None)
    for store in (_policies, _actions):
        for name in [name for name in store if name.startswith(f"{key}|")]:
            del store[name]
    return {}


def _putting(
    store: AccountRegionScopedDict, name: str, kind: str, *shown: str, **more: Any
) -> Callable[[Parameters], dict[str, Any]]:
    """Create or update an entry, and answer with its members ``shown``. ``more`` are further members of a new one."""

    def put(asked: Parameters) -> dict[str, Any]:
        key = f"{_known_target(asked)}|{asked[name]}"
        known = store.get(key)
        if known is None:
            place = (
                f"resource/{asked['ServiceNamespace']}/{asked['ResourceId']}:{name[0].lower()}{name[1:]}/{asked[name]}"
            )
            arn = _arn(f"{kind}:{uuid.uuid4()}:{place}", service="autoscaling")
            known = {f"{name.removesuffix('Name')}ARN": arn, "CreationTime": _NOW, **more}
        entry = store[key] = {**known, **asked}
        return {member: entry[member] for member in shown}

    return put


def _removing(store: AccountRegionScopedDict, name: str) -> Callable[[Parameters], dict[str, Any]]:
    def remove(asked: Parameters) -> dict[str, Any]:
        if store.pop(f"{_key(asked)}|{asked[name]}", None) is None:
            raise _RefusedError("ObjectNotFoundException", f"No {name} {asked[name]} found for {asked['ResourceId']}")
        return {}

    return remove


def _listing(
    store: AccountRegionScopedDict, answer: str, **filters: str
) -> Callable[[Parameters], dict[str, list[dict[str, Any]]]]:
    """Entries that have every value of the request. ``filters``: the request's lists by the member that they select."""

    def matching(asked: Parameters) -> Iterator[dict[str, Any]]:
        for entry in store.values():
            equal = all(
                entry.get(name) == asked[name]
                for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
                if name in asked
            )
            if equal and all(entry[member] in asked[many] for member, many in filters.items() if many in asked):
                yield entry

    return lambda asked: {answer: list(matching(asked))}


def _tag(asked: Parameters) -> dict[str, Any]:
    _tags[asked["ResourceARN"]] = {**_tags_of(asked), **asked["Tags"]}
    return {}


def _untag(asked: Parameters) -> dict[str, Any]:
    _tags[asked["ResourceARN"]] = {
        name: value for name, value in _tags_of(asked).items() if name not in asked["TagKeys"]
    }
    return {}


def _tags_of(asked: Parameters) -> dict[str, str]:
    found = _tags.get(asked["ResourceARN"])
    if found is None:
        raise _RefusedError("ResourceNotFoundException", f"The scalable target {asked['ResourceARN']} doesn't exist")
    return found


def _key(asked: Parameters) -> str:
    parts = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    if missing := [name for name in parts if not asked.get(name)]:
        raise _RefusedError("ValidationException", f"{', '.join(missing)} must be set")
    return "|".join(asked[name] for name in parts)


def _known_target(asked: Parameters) -> str:
    key = _key(asked)
    if key not in _targets:
        raise _RefusedError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {asked['ServiceNamespace']}, "
            f"resource ID: {asked['ResourceId']}, scalable dimension: {asked['ScalableDimension']}",
        )
    return key


def _arn(resource: str, service: str = _NAME) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


_OPERATIONS: Mapping[str, Callable[[Parameters], dict[str, Any]]] = {
    "RegisterScalableTarget": _register,
    "DeregisterScalableTarget": _deregister,
    "DescribeScalableTargets": _listing(_targets, "ScalableTargets", ResourceId="ResourceIds"),
    "DescribeScalingActivities": lambda _: {"ScalingActivities": []},
    "PutScalingPolicy": _putting(_policies, "PolicyName", "scalingPolicy", "PolicyARN", "Alarms", Alarms=[]),
    "DeleteScalingPolicy": _removing(_policies, "PolicyName"),
    "DescribeScalingPolicies": _listing(_policies, "ScalingPolicies", PolicyName="PolicyNames"),
    "PutScheduledAction": _putting(_actions, "ScheduledActionName", "scheduledAction"),
    "DeleteScheduledAction": _removing(_actions, "ScheduledActionName"),
    "DescribeScheduledActions": _listing(_actions, "ScheduledActions", ScheduledActionName="ScheduledActionNames"),
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": lambda asked: {"Tags": _tags_of(asked)},
}
