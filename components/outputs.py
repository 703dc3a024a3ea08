"""The outputs of a component, as its class declares them."""

from typing import Any

import pulumi

from .settings.schema import key_of


def declared_outputs(component: pulumi.ComponentResource) -> dict[str, Any]:
    """The values of the component's annotated attributes by output name (`vpcId` for `vpc_id`), for `register_outputs`.

    Attributes that hold None, a resource, or a component's own type are no outputs.
    """
    values = {key_of(name): getattr(component, name) for name in type(component).__annotations__}
    return {key: value for key, value in values.items() if isinstance(value, pulumi.Output | str | list | tuple)}
