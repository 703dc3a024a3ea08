"""One call of AWS' API, and the account that it is made in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.iam_evaluation.evaluator import Document

__all__ = ["ApiCall", "World"]


@dataclass(frozen=True)
class ApiCall:
    """A call as botocore has it: ``ApiCall("ecs", "CreateCluster", {"clusterName": "a"})``.

    Attributes:
        service: the IAM prefix, such as ``elasticloadbalancing``.
        operation: the API's name of the operation.
        parameters: the input, in the shape of botocore's model.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """What exists in the account, as far as a call's condition keys depend on it; without functions: nothing.

    Attributes:
        account: the account's id.
        region: where the call is made.
        tags: the tags of a resource, by its ARN.
        boundary_of: the permissions boundary of a role or user, by its ARN.
        full_arn: the ARN of what a call names otherwise (a secret by name, a key by alias), by the ARN with that name.
        resource_policy: the policy of a resource, by its ARN.
    """

    account: str
    region: str
    partition: str = "aws"
    tags: Callable[[str], Mapping[str, str]] = lambda _: {}
    boundary_of: Callable[[str], str | None] = lambda _: None
    full_arn: Callable[[str], str] = lambda arn: arn
    resource_policy: Callable[[str], Document | None] = lambda _: None
