"""The table: every resource type and function that the stand-in knows. Another one is another class in one of these modules."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.providers.aws import (
    acm,
    cloudwatch,
    ec2_endpoints,
    ec2_flow_logs,
    ec2_lookups,
    ec2_network,
    ec2_routes,
    ec2_security,
    ecr,
    ecs,
    ecs_service,
    efs,
    elasticache,
    elb,
    elb_rules,
    elb_targets,
    firehose,
    iam,
    kms,
    logs,
    lookups,
    route53,
    s3,
    secretsmanager,
    wafv2,
)
from sandbox.providers.aws.base import AwsResource
from sandbox.providers.resource import Function

_RESOURCE_MODULES = (
    *(acm, cloudwatch, ec2_endpoints, ec2_flow_logs, ec2_network, ec2_routes, ec2_security, ecr, ecs, ecs_service, efs),
    *(elasticache, elb, elb_rules, elb_targets, firehose, iam, kms, logs, route53, s3, secretsmanager, wafv2),
)


def _entries(kind: type[Any], modules: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Names and classes of the kind that have a name in the SDK."""
    classes: list[Any] = [entry for module in modules for _, entry in inspect.getmembers(module, inspect.isclass)]
    return ((entry.sdk_name, entry) for entry in classes if issubclass(entry, kind) and hasattr(entry, "sdk_name"))


RESOURCES: Mapping[str, type[AwsResource]] = dict(_entries(AwsResource, _RESOURCE_MODULES))
FUNCTIONS: Mapping[str, type[Function[Any]]] = dict(_entries(Function, (lookups, ec2_lookups)))
