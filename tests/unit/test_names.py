"""Physical names and ARNs, in every partition."""

import dataclasses

import pytest

from components.names import PhysicalNames
from tests.unit.isolated import ISOLATED
from tests.unit.stacks import REDIS, stack

PROD = PhysicalNames(environment="prod", account="123456789012", region="ap-northeast-2", partition="aws")
CHINA = PhysicalNames(
    environment="prod",
    account="123456789012",
    region="cn-northwest-1",
    partition="aws-cn",
    dns_suffix="amazonaws.com.cn",
)


def test_an_adopted_stack_keeps_its_names() -> None:
    adopted = dataclasses.replace(PROD, base_name="tf", log_group_name="/aws/ecs/tf")
    assert (adopted.base, adopted.target_group, adopted.log_group) == ("tf", "tf-atlantis", "/aws/ecs/tf")
    assert adopted.log_group_arn == "arn:aws:logs:ap-northeast-2:123456789012:log-group:/aws/ecs/tf"
    assert adopted.task_role == PROD.task_role


@pytest.mark.parametrize(
    ("arn", "china"),
    [
        (PROD.log_group_arn, CHINA.log_group_arn),
        (PROD.repository_arn, CHINA.repository_arn),
        (PROD.task_role_arn, CHINA.task_role_arn),
        (PROD.execution_role_arn, CHINA.execution_role_arn),
        (PROD.account_root, CHINA.account_root),
        (PROD.aws_policy_arn("x"), CHINA.aws_policy_arn("x")),
        (PROD.bucket_arn("x"), CHINA.bucket_arn("x")),
        (PROD.sessions_of("x")[1], CHINA.sessions_of("x")[1]),
    ],
    ids=lambda arn: arn.split(":", 2)[2],
)
def test_an_arn_differs_between_partitions_in_partition_and_region_only(arn: str, china: str) -> None:
    assert china == arn.replace("arn:aws:", "arn:aws-cn:").replace("ap-northeast-2", "cn-northwest-1")


def test_kms_knows_a_service_by_the_partition_s_own_suffix() -> None:
    assert PROD.via("ecr") == "ecr.ap-northeast-2.amazonaws.com"
    assert CHINA.via("ecr") == "ecr.cn-northwest-1.amazonaws.com.cn"


def test_the_longest_environment_leaves_every_region_s_bucket_within_63_characters() -> None:
    longest = PhysicalNames(environment="e" * 14, account="1" * 12, region="ap-southeast-2", partition="aws")
    assert len(longest.access_log_bucket) == 63


OF_ANOTHER = (
    "aws:iam/rolePolicy:RolePolicy",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:route53/record:Record",
)
"""Types whose names are those within a role, a log group or a zone."""


def test_a_second_environment_names_no_resource_as_the_first_one_does() -> None:
    def named(environment: str, **own: str) -> set[tuple[str, str]]:
        graph = stack(**ISOLATED, **REDIS, environment=environment, backupRetentionDays=35, **own)
        found = (
            (resource.type, resource.inputs.get(name))
            for resource in graph.resources
            for name in ("name", "bucket", "family", "dashboardName", "replicationGroupId")
            if resource.custom and resource.type not in OF_ANOTHER
        )
        return {(type_, name) for type_, name in found if isinstance(name, str)}

    first = named("prod")
    assert len(first) > 40
    assert first & named("dev", repositoryName="atlantis-dev", url="https://dev.example.com") == set()


def test_a_second_environment_and_a_second_region_share_no_name() -> None:
    def names(**changes: object) -> set[str]:
        own = dataclasses.replace(PROD, **changes)  # pyright: ignore[reportArgumentType]
        iam = [own.role_arn(role) for role in _roles(own)]
        return {own.arn("kms", own.key_alias("efs")), own.repository_arn, own.log_group_arn, own.dashboard, *iam}

    assert names() & names(environment="test", repository_name="atlantis-test") == set()
    assert names() & names(region="us-east-1", regional_iam_names=True) == set()
    assert names() & names(region="us-east-1") == {PROD.role_arn(role) for role in _roles(PROD)}


def test_the_longest_regional_role_fits() -> None:
    longest = dataclasses.replace(PROD, environment="e" * 14, region="ap-southeast-2", regional_iam_names=True)
    assert max(map(len, _roles(longest))) <= 64


def _roles(names: PhysicalNames) -> list[str]:
    return [
        names.execution_role,
        names.task_role,
        *map(names.terraform_role, ("plan", "apply")),
        names.drift_role,
        names.flow_log_role,
        names.log_archive_role,
        names.log_delivery_role,
    ]


def test_an_alias_has_no_character_that_kms_refuses() -> None:
    assert dataclasses.replace(PROD, repository_name="a/b.c_d").key_alias("efs") == "alias/efs-a/b-c_d"
