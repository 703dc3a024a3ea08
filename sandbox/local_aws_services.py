"""The local AWS' services as callers of STS: ECS names its account and the task when it assumes a task's role.

ministack makes the calls of its own services with the root user's credentials, and the sandbox' ECS agent does the same. So a call of
the root user stands for the service that a trust policy names, and here it gets the two condition keys that ECS sends.
"""

import dataclasses
from typing import Any

from ministack.core import iam_evaluator

__all__ = ["send_source_of_ecs"]


def send_source_of_ecs() -> None:
    """Give calls of the root user ``aws:SourceAccount`` and ``aws:SourceArn`` where a trust policy is evaluated."""
    evaluate = iam_evaluator.evaluate_trust_policy

    def with_source(document: Any, caller: str, context: iam_evaluator.EvalContext | None = None) -> bool:
        if context is not None and caller.endswith(":root"):
            partition, account = caller.split(":")[1], context.principal_account
            task = context.service_context.get("sts:rolesessionname")
            keys = {
                "aws:sourceaccount": account,
                "aws:sourcearn": f"arn:{partition}:ecs:{context.region}:{account}:task/{task}",
            }
            context = dataclasses.replace(context, principal_keys={**context.principal_keys, **keys})
        return evaluate(document, caller, context)

    iam_evaluator.evaluate_trust_policy = with_source
