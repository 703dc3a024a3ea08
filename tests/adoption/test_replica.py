"""The identifiers that a copy replaces in other resources: those that AWS assigns, and no names."""

from typing import Any

import pytest

from adoption.state import read_state
from sandbox.adoption_rehearsal.replica import _identities
from tests.adoption.states import add, small_state, write

ARN = "arn:aws:ecs:eu-west-1:210987654321:task-definition/atlantis-server:3"


@pytest.mark.parametrize(
    ("type_", "attributes", "expected"),
    [
        # Replacing a name would change every other name that contains it.
        (
            "aws_iam_role",
            {"id": "atlantis-tasks", "name": "atlantis-tasks", "arn": "arn:aws:iam::1:role/atlantis-tasks"},
            1,
        ),
        ("aws_ecs_task_definition", {"id": "atlantis-server", "family": "atlantis-server", "arn": ARN}, 1),
        ("aws_ecs_cluster_capacity_providers", {"id": "atlantis-cluster", "cluster_name": "atlantis-cluster"}, 0),
        ("aws_ecr_lifecycle_policy", {"id": "atlantis", "repository": "atlantis"}, 0),
        ("aws_kms_key", {"id": "0a1b2c3d-4e5f", "key_id": "0a1b2c3d-4e5f", "arn": "arn:aws:kms:eu-west-1:1:key/x"}, 2),
        ("aws_security_group_rule", {"id": "sgrule-1234", "security_group_rule_id": "sgr-0aa0bb0cc0dd0ee51"}, 2),
    ],
)
def test_only_identifiers_that_aws_assigns_are_replaced(
    type_: str, attributes: dict[str, Any], expected: int, tmp_path: Any
) -> None:
    state = small_state()
    add(state, f"{type_}.another", attributes)
    resource = next(item for item in read_state(write(tmp_path, state)).resources if item.address == f"{type_}.another")
    names = {attributes.get(name) for name in ("name", "family", "cluster_name", "repository")}
    found = _identities(resource)
    assert not found & names
    assert len(found) == expected
