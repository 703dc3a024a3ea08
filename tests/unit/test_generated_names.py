"""What a plan shows as known after apply becomes a wildcard in the least-privilege roles: the next creation has other values."""

from typing import Any

import pytest

from sandbox.repository_rehearsal import generated_names
from sandbox.repository_rehearsal.decisions import Call
from tests.tables import table

PLAN = table(__file__, "plan")


def resource(address: str, provider: str = "aws", **values: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "provider_name": f"registry/hashicorp/{provider}", "values": values}


STATE = table(__file__, "state")


def widened(resource: str, **keys: str) -> Call:
    made = Call("sqs:CreateQueue", resource, keys, "Allowed", (), "")
    return generated_names.without([made], generated_names.values(PLAN, STATE))[0]


def test_the_values_are_those_that_the_plan_did_not_know():
    assert generated_names.values(PLAN, STATE) == ["abcdefghij", "wise-cat", "Z0ABC12", ":1", "2"]
    assert generated_names.values(PLAN, {}) == generated_names.values("No changes.", STATE) == []


@pytest.mark.parametrize(
    ("seen", "expected"),
    table(__file__, "resources"),
)
def test_they_are_wildcards_in_the_name_of_a_resource_only(seen: str, expected: str):
    assert widened(seen).resource == expected


def test_the_values_of_condition_keys_are_widened_too():
    found = widened("*", **{"iam:PolicyARN": "arn:aws:iam::123456789012:policy/wise-cat", "aws:RequestedRegion": "a"})
    assert found.keys == {"iam:PolicyARN": "arn:aws:iam::123456789012:policy/*", "aws:RequestedRegion": "a"}
