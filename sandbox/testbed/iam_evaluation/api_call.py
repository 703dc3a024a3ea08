"""An API call, and the account and region in which it is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.testbed.iam_evaluation.evaluator import Document, Keys


@dataclass(frozen=True)
class ApiCall:
    """An API call in botocore's form: ``ApiCall("ecs", "CreateCluster", {"clusterName": "a"})``.

    Attributes:
        service: the IAM service prefix, such as ``elasticloadbalancing``.
        operation: the name of the API operation.
        parameters: the input, in the shape of botocore's service model.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExistingResources:
    """The existing resources that a call's condition keys depend on. By default, none exist.

    Attributes:
        account: the account ID.
        region: the region of the call.
        tags: returns the tags of a resource, by its ARN.
        boundary_of: returns the permissions boundary of a role or user, by its ARN.
        full_arn: returns a resource's ARN for an ARN with an alternative identifier (a secret's name, a key's alias, a
            role's name without its path).
        properties: returns the condition keys of the service that describe a resource, by its ARN.
        trusted_services: returns the services in the trust policy of a role, by its ARN; empty if it doesn't exist.
        roles_in: returns the ARNs of the roles in an instance profile, by its name.
        resource_policy: returns the resource-based policy of a resource, by its ARN.
    """

    account: str
    region: str
    partition: str = "aws"
    tags: Callable[[str], Mapping[str, str]] = lambda _: {}
    boundary_of: Callable[[str], str | None] = lambda _: None
    full_arn: Callable[[str], str] = lambda arn: arn
    properties: Callable[[str], Keys] = lambda _: {}
    trusted_services: Callable[[str], Sequence[str]] = lambda _: ()
    roles_in: Callable[[str], Sequence[str]] = lambda _: ()
    resource_policy: Callable[[str], Document | None] = lambda _: None
