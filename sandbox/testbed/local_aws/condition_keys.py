"""Condition keys that ministack lacks or that differ on AWS: of ECS' calls to STS, the policy simulator, the connection."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import iam

from sandbox.testbed.iam_evaluation import wire


def add_condition_keys() -> None:
    """Provide the condition keys that trust policies and the policy simulator have on AWS."""
    iam_evaluator.evaluate_trust_policy = partial(_with_source_of_ecs, iam_evaluator.evaluate_trust_policy)
    simulate = iam._IAM_HANDLERS["SimulateCustomPolicy"]
    iam._IAM_HANDLERS["SimulateCustomPolicy"] = lambda p: _with_context_entries(simulate, p)


def present_connections_as_tls() -> None:
    """Give ``aws:SecureTransport`` the value that it has on AWS, for which the same clients use HTTPS.

    The local AWS is reached by plain HTTP on loopback. A bucket policy that denies insecure transport would deny every call.
    """
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def _with_source_of_ecs(
    evaluate: Callable[..., bool], document: Any, caller: str, context: iam_evaluator.EvalContext | None = None
) -> bool:
    """Add ``aws:SourceAccount`` and ``aws:SourceArn`` to calls of the root user.

    ministack calls its own services with the root user's credentials, and so does the sandbox' ECS agent. The root user
    therefore represents the service in a trust policy.
    """
    if context is not None and caller.endswith(":root"):
        partition, account = caller.split(":")[1], context.principal_account
        task = context.service_context.get("sts:rolesessionname")
        keys = {
            "aws:sourceaccount": account,
            "aws:sourcearn": f"arn:{partition}:ecs:{context.region}:{account}:task/{task}",
        }
        context = dataclasses.replace(context, principal_keys={**context.principal_keys, **keys})
    return evaluate(document, caller, context)


def _with_context_entries(simulate: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    """Evaluate a simulation with its ``ContextEntries``, which ministack ignores."""
    entries = wire.form_parameters("iam", parameters).get("ContextEntries", [])
    keys = {entry["ContextKeyName"].lower(): _value(entry) for entry in entries}
    evaluate = iam_evaluator.evaluate

    def with_keys(context: iam_evaluator.EvalContext, *arguments: Any) -> Any:
        caller = keys.get("aws:principalarn", context.principal_arn)
        return evaluate(dataclasses.replace(context, principal_arn=caller, service_context=keys), *arguments)

    iam_evaluator.evaluate = with_keys
    try:
        return simulate(parameters)
    finally:
        iam_evaluator.evaluate = evaluate


def _value(entry: Mapping[str, Any]) -> Any:
    values = entry["ContextKeyValues"]
    return values if entry.get("ContextKeyType", "").endswith("List") else values[0]
