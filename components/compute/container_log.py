"""The log of a container of the task."""

import pulumi


def awslogs(group: pulumi.Input[str], region: str, container: str) -> dict[str, object]:
    """`logConfiguration` of a container definition: a stream in `group` that begins with the container's name."""
    options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": container}
    return {"logDriver": "awslogs", "options": options}
