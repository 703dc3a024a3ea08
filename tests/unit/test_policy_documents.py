"""Rules on every policy document of several stacks, and AWS' limits on them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.recording import Graph, Registered
from tests.unit.stacks import ALL, stack

ABOUT_ITSELF = ("aws:kms/key:Key", "aws:secretsmanager/secretPolicy:SecretPolicy")
"""Policies whose resource can only be what they stand on."""
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
WITHOUT_NARROWER_RESOURCE = {"Describe", "DeregisterTaskDefinitions", "Read", "ListWorkers"}
"""Statements of actions for which AWS supports no resource; ListTasks of a service is limited by the key ecs:cluster."""
LIMITS = {
    "aws:iam/policy:Policy": 6_144,
    "aws:iam/rolePolicy:RolePolicy": 10_240,
    "aws:kms/key:Key": 32_768,
    "aws:secretsmanager/secretPolicy:SecretPolicy": 20_480,
    "aws:s3/bucketPolicy:BucketPolicy": 20_480,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": 20_000,
    "aws:ecr/repositoryPolicy:RepositoryPolicy": 10_240,
    "aws:iam/role:Role": 2_048,
    ENDPOINT: 20_480,
}
"""Characters; IAM doesn't count white space in its own."""
WITHOUT_LIMIT = {"aws:backup/vaultPolicy:VaultPolicy"}
"""Policies for which AWS documents no limit."""
MANAGED_POLICIES_PER_ROLE = 10


def limits_only(resource: Registered) -> bool:
    """Whether a document grants nothing but limits what others grant: wildcards in it widen no principal's permissions."""
    return resource.name == "permissions-boundary" or resource.type == ENDPOINT


@pytest.fixture(params=ALL, scope="module")
def graph(request: pytest.FixtureRequest) -> Graph:
    return stack(**ALL[request.param])


def documents(graph: Graph) -> Iterator[tuple[Registered, dict[str, Any]]]:
    for resource in graph.resources:
        for value in resource.decoded.values():
            if isinstance(value, dict) and "Statement" in value:
                yield resource, value


def statements(graph: Graph, effect: str) -> list[tuple[Registered, dict[str, Any]]]:
    return [
        (resource, statement)
        for resource, document in documents(graph)
        for statement in document["Statement"]
        if statement["Effect"] == effect
    ]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_every_kind_of_policy_is_looked_at(graph: Graph) -> None:
    seen = {resource.type for resource, _ in documents(graph)}
    assert seen - WITHOUT_LIMIT | {"aws:secretsmanager/secretPolicy:SecretPolicy", ENDPOINT} == set(LIMITS)


def test_every_document_has_the_current_version_and_sids_of_letters_and_digits_once_each(graph: Graph) -> None:
    for resource, document in documents(graph):
        assert document["Version"] == "2012-10-17", resource.name
        sids = [statement["Sid"] for statement in document["Statement"] if "Sid" in statement]
        assert len(set(sids)) == len(sids), resource.name
        assert [sid for sid in sids if not re.fullmatch(r"[A-Za-z0-9]+", sid)] == [], resource.name


def test_nothing_is_allowed_by_an_action_with_a_wildcard(graph: Graph) -> None:
    wild = [
        (resource.name, action)
        for resource, statement in statements(graph, "Allow")
        for action in listed(statement["Action"])
        if not re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+", action) and not limits_only(resource)
    ]
    assert wild == []


def test_nothing_is_allowed_on_everything_but_what_aws_lets_nobody_narrow(graph: Graph) -> None:
    everywhere = {
        statement["Sid"]
        for resource, statement in statements(graph, "Allow")
        if "*" in listed(statement.get("Resource", [])) and resource.type not in (*ABOUT_ITSELF, ENDPOINT)
    }
    assert everywhere <= WITHOUT_NARROWER_RESOURCE


def test_only_a_refusal_is_about_everybody(graph: Graph) -> None:
    everybody = [
        resource.name
        for resource, statement in statements(graph, "Allow")
        if "*" in json.dumps(statement.get("Principal", "")) and not limits_only(resource)
    ]
    assert everybody == []


def test_nothing_is_said_by_exclusion(graph: Graph) -> None:
    for resource, document in documents(graph):
        for statement in document["Statement"]:
            assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), resource.name


def test_no_action_is_named_twice_in_a_statement(graph: Graph) -> None:
    twice = [
        (resource.name, action)
        for effect in ("Allow", "Deny")
        for resource, statement in statements(graph, effect)
        for action, times in Counter(listed(statement["Action"])).items()
        if times > 1
    ]
    assert twice == []


def test_services_are_let_in_for_this_account_only(graph: Graph) -> None:
    for resource, statement in statements(graph, "Allow"):
        # AWS Backup documents no condition key for the role that it assumes; only this account's principals can pass it.
        if "Service" in statement.get("Principal", {}) and resource.name != "storage-backup-role":
            assert "123456789012" in json.dumps(statement["Condition"]), resource.name


def length(document: dict[str, Any]) -> int:
    """Characters of a document in the partition whose ARNs are the longest."""
    return len(json.dumps(document, separators=(",", ":")).replace("arn:aws:", "arn:aws-us-gov:"))


def test_every_document_is_within_aws_limit(graph: Graph) -> None:
    too_long = {
        resource.name: length(document)
        for resource, document in documents(graph)
        if resource.type not in WITHOUT_LIMIT and length(document) > LIMITS[resource.type]
    }
    assert too_long == {}


def test_every_role_is_within_the_quota_of_managed_policies(graph: Graph) -> None:
    attached = Counter(
        attachment.inputs["role"] for attachment in graph.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    )
    assert max(attached.values()) <= MANAGED_POLICIES_PER_ROLE
