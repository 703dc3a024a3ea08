"""What an example is, and what examples are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.testbed.providers.values import Properties

World = Mapping[str, str]
"""Ids of the objects that examples refer to."""


@dataclass(frozen=True)
class Example:
    """One resource."""

    inputs: Callable[[World], Properties]
    change: Callable[[World], Properties] | None = None
    """What an update in place changes; None where nothing can be changed in place."""
    replace: Callable[[World], Properties] | None = None
    """What can't be changed in place."""
    outputs: tuple[str, ...] = ()
    """Outputs that must be there besides the inputs."""
    delete_leaves: bool = field(default=False)
    """AWS keeps the object when the resource is deleted."""


def policy(action: str, resource: str = "*", principal: object = None) -> str:
    """A policy document of one statement."""
    statement: dict[str, object] = {"Effect": "Allow", "Action": [action], "Resource": resource}
    if principal is not None:
        statement["Principal"] = principal
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def trust(service: str) -> str:
    """A trust policy for a service."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
