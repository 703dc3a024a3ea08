"""The boundary that the stack creates for the roles that Terraform creates."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.names import PhysicalNames
from components.permissions import permissions_boundary
from components.policy_documents import Statement
from tests.unit.recording import ACCOUNT, REGION
from tests.unit.stacks import BARE, OWN_BOUNDARY, PRODUCTION, TAGS, arn, stack
from tests.unit.test_task_role import (
    ASSIGN_NO_ADDRESSES,
    GROUPS,
    KEEP_OWN_GROUPS,
    LEND_NO_GROUPS,
    LEND_NO_SUBNETS,
    OWN_SECRETS,
    actions,
    allowed,
    deny_own_resources,
    of_each_prefix,
)

POLICY, ROLE = "aws:iam/policy:Policy", "aws:iam/role:Role"


def boundary(**changes: Any) -> Any:
    return stack(**OWN_BOUNDARY | changes).one(POLICY, "permissions-boundary")


def test_boundary_allows_what_terraform_manages_without_iam_states_and_files_and_refuses_atlantis_itself() -> None:
    assert boundary().decoded == {
        "name": "atlantis-ecs-task-prod-boundary",
        "description": "Atlantis prod: what a role that Terraform creates can have at most",
        "tags": TAGS,
        "policy": {
            "Version": "2012-10-17",
            "Statement": [
                allowed(
                    "Read",
                    [
                        *actions("ec2", "DescribeSecurityGroup*", "DescribeSubnets", "DescribeVpc*"),
                        *actions("ecr", "GetAuthorizationToken"),
                        *actions("ecs", "DeregisterTaskDefinition", "DescribeTaskDefinition", "List*"),
                        *actions("elasticloadbalancing", "Describe*"),
                        *actions("logs", "DescribeLogGroups"),
                    ],
                    ["*"],
                ),
                allowed(
                    "ManageByName",
                    [
                        *actions("ecs", "*Cluster*", "*TagResource", "CreateService", "DeleteService"),
                        *actions("ecs", "DescribeServices", "RegisterTaskDefinition", "UpdateService"),
                        *actions("ecr", "*Image*", "*Layer*", "*LifecyclePolicy*", "*Repository*", "*Tag*"),
                        *actions("elasticloadbalancing", "*Listener*", "*LoadBalancer*", "*Rule*", "*Tags", "*Target*"),
                        *actions("elasticloadbalancing", "SetS*"),
                        *actions("logs", "*RetentionPolicy", "*Tag*", "CreateLog*", "DeleteLogGroup", "PutLogEvents"),
                        *actions("secretsmanager", "*Secret", "*SecretValue", "*TagResource", "GetResourcePolicy"),
                    ],
                    [
                        *of_each_prefix("ecs", "cluster/{}*", "service/{}*", "task-definition/{}*"),
                        *of_each_prefix("ecr", "repository/{}*"),
                        *of_each_prefix(
                            "elasticloadbalancing",
                            *(f"{kind}/*/{{}}*" for kind in ("loadbalancer", "listener", "listener-rule")),
                            "targetgroup/{}*",
                        ),
                        *of_each_prefix("logs", "log-group:/ecs/{}*", "log-group:{}*"),
                        *of_each_prefix("secretsmanager", "secret:{}*"),
                    ],
                ),
                allowed("ManageSecurityGroups", actions("ec2", "*SecurityGroup*"), GROUPS),
                allowed("TagSecurityGroups", actions("ec2", "CreateTags", "DeleteTags"), GROUPS[:2]),
                KEEP_OWN_GROUPS,
                deny_own_resources(*OWN_SECRETS),
                LEND_NO_GROUPS,
                LEND_NO_SUBNETS,
                ASSIGN_NO_ADDRESSES,
            ],
        },
    }


@pytest.mark.parametrize("changes", [{}, BARE], ids=["an operator's boundary", "no roles to bound"])
def test_boundary_is_created_only_where_terraform_creates_roles_and_none_is_given(changes: dict[str, Any]) -> None:
    assert "permissions-boundary" not in stack(**changes).names(POLICY)


def test_boundary_of_the_stack_is_not_on_its_own_roles_which_do_more() -> None:
    graph = stack(**OWN_BOUNDARY)
    assert ["permissionsBoundary" in role.inputs for role in graph.all(ROLE)] == [False, False, False]
    assert graph.warnings == []


def test_boundary_of_an_existing_network_closes_its_subnets() -> None:
    statements = {statement["Sid"]: statement for statement in boundary(**PRODUCTION).document()}
    assert statements["DenyServicesInSubnets"]["Condition"] == {
        "ForAnyValue:StringEquals": {"ecs:subnet": [*PRODUCTION["publicSubnetIds"], *PRODUCTION["privateSubnetIds"]]}
    }


def test_subnets_that_are_shared_with_applications_are_not_closed() -> None:
    graph = stack(**OWN_BOUNDARY, shareSubnets=True)
    for name in ("permissions-boundary", "permissions-task-security-groups"):
        sids = [statement["Sid"] for statement in graph.one(POLICY, name).document()]
        assert "DenyServicesInSubnets" not in sids
        assert "DenyPublicAddresses" in sids


def test_prefixes_that_outgrow_the_boundary_end_the_run_before_anything_is_touched() -> None:
    prefixes = [f"{number}{'p' * 38}-" for number in range(5)]
    with pytest.raises(
        pulumi.RunError, match=r"managedNamePrefixes .* would have \d,\d{3} characters, and IAM allows 6,144; "
    ):
        stack(**OWN_BOUNDARY, managedNamePrefixes=prefixes)


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


def test_own_boundary_names_the_account() -> None:
    arns = [item for statement in boundary().document() for item in statement["Resource"] if item.startswith("arn:")]
    assert all(f":{ACCOUNT}:" in item for item in arns)
    assert arn("ecs", "service/fileflow-*") in arns
