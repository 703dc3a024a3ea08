"""evaluation-report: reasons of undecided checks, and resources that no policy looks at."""

from typing import Any

import pytest

from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned

PROVIDER = {"region": "eu-west-1"}


def _report(*resources: Planned) -> list[str]:
    found: list[Finding] = Pack().review(*resources)
    return [each.message.partition("\n")[2] for each in found if each.policy == "evaluation-report"]


def _foreign(token: str, name: str, **more: Any) -> Planned:
    return Planned(token, name, {}, **more)


def test_undecided_checks_stand_with_their_reasons() -> None:
    (report,) = _report(
        Planned(
            "aws:efs/fileSystem:FileSystem", "files", {"encrypted": UNKNOWN, "tags": {"Environment": "a", "Owner": "b"}}
        ),
        Planned(
            "aws:ecs/service:Service",
            "service",
            {"taskDefinition": "elsewhere:1", "tags": {"Environment": "a", "Owner": "b"}},
        ),
    )
    lines = report.splitlines()
    assert "encryption: files.encrypted (at-rest): is unknown until the update" in lines
    assert (
        "single-task: service.taskDefinition (task-definition): names a task definition outside of this stack" in lines
    )


def test_resources_of_other_packages_are_counted_by_type() -> None:
    (report,) = _report(
        _foreign("kubernetes:core/v1:Pod", "a"),
        _foreign("kubernetes:core/v1:Pod", "b"),
        _foreign("kubernetes:apps/v1:Deployment", "c"),
    )
    assert report == (
        "Not evaluated: 3 resources of the package kubernetes, for which this pack has no rules:"
        " core/v1:Pod (2), apps/v1:Deployment (1)"
    )


@pytest.mark.parametrize(
    ("kinds", "end"), [(12, " (1)"), (13, " (1), and 1 more types"), (26, " (1), and 14 more types")]
)
def test_types_that_are_not_listed_are_counted(kinds: int, end: str) -> None:
    (report,) = _report(*(_foreign(f"kubernetes:core/v1:Kind{number:02}", f"{number}") for number in range(kinds)))
    assert report.endswith(f"core/v1:Kind11{end}")


def test_package_that_nobody_knows_is_named_where_a_provider_manages_it() -> None:
    (report,) = _report(_foreign("acme:index:Thing", "a", provider=PROVIDER))
    assert "1 resources of the package acme" in report


def test_components_and_local_packages_are_not_named() -> None:
    assert not _report(
        *(_foreign(token, token) for token in ("atlantis:index:Network", "awsx:ec2:Vpc", "eks:index:Cluster")),
        _foreign("random:index/randomPassword:RandomPassword", "password", provider=PROVIDER),
        _foreign("pulumi:pulumi:Stack", "stack"),
    )


def test_types_of_aws_native_that_the_central_policies_read_are_not_named() -> None:
    role, parameter = _foreign("aws-native:iam:Role", "a"), _foreign("aws-native:ssm:Parameter", "b")
    (report,) = _report(role, parameter, Planned("aws-native:sqs:Queue", "c", {}))
    assert "2 resources of the package aws-native" in report
    assert "iam:Role (1), ssm:Parameter (1)" in report


def test_rules_that_are_not_central_leave_aws_native_alone() -> None:
    found = Pack().review(Planned("aws-native:s3:Bucket", "a", {}), Planned("aws-native:sqs:Queue", "b", {}))
    assert {each.policy for each in found} == {"encryption-stack"}  # the bucket has no policy that requires TLS


def test_documents_that_contain_resources_are_named() -> None:
    (report,) = _report(
        _foreign("aws:cloudformation/stack:Stack", "a"), _foreign("aws:cloudcontrol/resource:Resource", "b")
    )
    assert "2 resources of the package aws (documents that contain resources)" in report
    assert "cloudcontrol/resource:Resource (1), cloudformation/stack:Stack (1)" in report
