"""Outputs: those of a component, as its class declares them, and strings that contain one."""

from collections.abc import Callable
from typing import Any

import pulumi

from .settings.schema import key_of


def with_part(text: Callable[[str], str], part: pulumi.Input[str]) -> pulumi.Input[str]:
    """`text` with `part` in it: a string if `part` is one, so that a preview knows it, otherwise an output."""
    return text(part) if isinstance(part, str) else pulumi.Output.from_input(part).apply(text)


def output(value: pulumi.Input[str] | None) -> pulumi.Output[str]:
    """`value` as an output; an empty string for None, so that an output of the stack always has the same type."""
    return pulumi.Output.from_input("" if value is None else value)


def declared_outputs(component: pulumi.ComponentResource) -> dict[str, Any]:
    """The values of the component's annotated attributes by output name (`vpcId` for `vpc_id`), for `register_outputs`.

    Attributes that hold None, a resource, or a component's own type are no outputs.
    """
    values = {key_of(name): getattr(component, name) for name in type(component).__annotations__}
    return {key: value for key, value in values.items() if isinstance(value, pulumi.Output | str | list | tuple)}
