"""Nested unknown values, and the policies of groups."""

from types import SimpleNamespace
from typing import Any

import pytest

from evaluation.resources import Resource
from evaluation.values import UNKNOWN as VALUE_UNKNOWN
from tests.policy.rows import ACCOUNT, allow, document, one
from tests.policy.servicer import Pack, Planned


def _found(*resources: Planned, **configuration: Any) -> set[tuple[str, str, str]]:
    return {(each.policy, each.check, each.name) for each in Pack(configuration).review(*resources)}


@pytest.mark.parametrize(
    ("dependencies", "expected"), [({"block": []}, VALUE_UNKNOWN), ({"block.inner": []}, None), ({}, None)]
)
def test_nested_unknown_value_is_the_authors_if_its_top_level_property_is_recorded(
    dependencies: dict[str, list[Any]], expected: Any
) -> None:
    source: Any = SimpleNamespace(
        resource_type="aws:x/y:X", props={}, urn="a", name="a", property_dependencies=dependencies
    )
    resource = Resource(source, "x/y")
    resource.properties = {"block": {"inner": VALUE_UNKNOWN}}
    assert resource.stated("block.inner") is expected


@pytest.mark.parametrize(("members", "expected"), [(["alice"], True), (["bob"], False)])
def test_member_of_a_group_has_the_policies_of_the_group(members: list[str], expected: bool) -> None:
    statement = allow(Action="iam:PutUserPolicy", Resource=f"arn:aws:iam::{ACCOUNT}:user/alice")
    found = _found(
        *(one("iam/user", name, name=name) for name in ("alice", "bob")),
        one("iam/group", "developers", name="developers"),
        one("iam/groupPolicy", "policy", group="developers", policy=document(statement)),
        one("iam/groupMembership", "membership", users=members, group="developers"),
    )
    assert (("role-escalation", "self-escalation", "policy") in found) is expected
