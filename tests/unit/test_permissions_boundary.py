"""The boundary that the stack creates for the roles that Terraform creates. Its statements are in `decided.yaml`."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.names import PhysicalNames
from components.permissions import permissions_boundary
from components.policy_documents import Statement
from tests.unit.recording import ACCOUNT, REGION
from tests.unit.stacks import BARE, OWN_BOUNDARY, stack

POLICY = "aws:iam/policy:Policy"


def boundary(**changes: Any) -> Any:
    return stack(**OWN_BOUNDARY | changes).one(POLICY, "permissions-boundary")


@pytest.mark.parametrize("changes", [{}, BARE], ids=["an operator's boundary", "no roles to bound"])
def test_boundary_is_created_only_where_terraform_creates_roles_and_none_is_given(changes: dict[str, Any]) -> None:
    assert "permissions-boundary" not in stack(**changes).names(POLICY)


def test_subnets_that_are_shared_with_applications_are_not_closed() -> None:
    graph = stack(**OWN_BOUNDARY, shareSubnets=True)
    for name in ("permissions-boundary", "permissions-task-security-groups"):
        sids = [statement["Sid"] for statement in graph.one(POLICY, name).document()]
        assert "DenyServicesInSubnets" not in sids
        assert "DenyPublicAddresses" in sids


def test_a_boundary_of_exactly_the_limit_fits_and_one_character_more_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    names = PhysicalNames(environment="prod", account=ACCOUNT, region=REGION, partition="aws")

    def with_length(length: int) -> Callable[..., list[Statement]]:
        empty = len(json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": ""}]}, separators=(",", ":")))
        return lambda *_: [{"Sid": "x" * (length - empty)}]

    monkeypatch.setattr(permissions_boundary, "statements", with_length(6_144))
    permissions_boundary.require_fit(names, ["fileflow-"], [], 2)
    monkeypatch.setattr(permissions_boundary, "statements", with_length(6_145))
    with pytest.raises(pulumi.RunError, match="would have 6,145 characters, and IAM allows 6,144"):
        permissions_boundary.require_fit(names, ["fileflow-"], [], 2)


def test_three_prefixes_of_ten_characters_fit_as_aws_counts_them() -> None:
    prefixes = [f"{number}{'p' * 8}-" for number in range(3)]
    document = boundary(managedNamePrefixes=prefixes).inputs["policy"]
    assert 5_000 < len(document.replace(" ", "")) <= 6_144
