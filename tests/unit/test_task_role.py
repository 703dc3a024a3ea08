"""What Terraform may do inside the task, statement by statement."""

from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, DEPLOYER, arn_of
from tests.unit.stacks import BOUNDARY, PRODUCTION, arn, stack

PREFIXES = ("fileflow-", "atlantis-")
ROLES = [f"arn:aws:iam::{ACCOUNT}:role/{prefix}*" for prefix in PREFIXES]


def statements(subject: str, **changes: Any) -> list[dict[str, Any]]:
    policy = stack(**changes).one("aws:iam/policy:Policy", f"permissions-task-{subject}").decoded["policy"]
    assert policy["Version"] == "2012-10-17"
    return policy["Statement"]


def actions(service: str, *names: str) -> list[str]:
    return [f"{service}:{name}" for name in names]


def allowed(sid: str, of: list[str], on: list[str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": of, "Resource": on}
    return statement | ({"Condition": condition} if condition else {})


def of_each_prefix(service: str, *patterns: str) -> list[str]:
    return [arn(service, pattern.format(prefix)) for prefix in PREFIXES for pattern in patterns]


def test_the_data_directory_is_mounted_through_the_access_point_and_not_as_root() -> None:
    assert statements("file-system") == [
        allowed(
            "MountThroughAccessPoint",
            actions("elasticfilesystem", "ClientMount", "ClientWrite"),
            [arn_of("storage-efs")],
            {"StringEquals": {"elasticfilesystem:AccessPointArn": arn_of("storage-access-point")}},
        )
    ]


LIST_STATE = actions("s3", "GetBucketVersioning", "ListBucket")
WRITE_STATE = actions("s3", "DeleteObject", "GetObject", "PutObject")
LOCK_STATE = actions("dynamodb", "DeleteItem", "DescribeTable", "GetItem", "PutItem")


def test_state_is_read_and_written_in_the_named_buckets_and_locked_in_the_named_tables() -> None:
    buckets = ["arn:aws:s3:::prod-terraform-state", "arn:aws:s3:::shared-terraform-state"]
    assert statements("state", **PRODUCTION) == [
        allowed("ListState", LIST_STATE, buckets),
        allowed("ReadAndWriteState", WRITE_STATE, [f"{bucket}/*" for bucket in buckets]),
        allowed(
            "UseStateKeys",
            actions("kms", "Decrypt", "GenerateDataKey"),
            PRODUCTION["terraformStateKeyArns"],
            {"StringEquals": {"kms:ViaService": "s3.ap-northeast-2.amazonaws.com"}},
        ),
        allowed("LockState", LOCK_STATE, [arn("dynamodb", "table/prod-terraform-locks")]),
    ]


@pytest.mark.parametrize(
    ("changes", "sids"),
    [
        ({"terraformStateBuckets": ["states"]}, ["ListState", "ReadAndWriteState"]),
        ({"terraformLockTables": ["locks"]}, ["LockState"]),
    ],
    ids=["buckets only", "tables only"],
)
def test_a_list_that_is_empty_drops_its_statements(changes: dict[str, Any], sids: list[str]) -> None:
    assert [statement["Sid"] for statement in statements("state", **changes)] == sids


def test_what_cannot_be_narrowed_only_lists_and_describes() -> None:
    (describe,) = statements("read")
    assert describe == allowed(
        "Describe",
        [
            *actions("ec2", "DescribeAvailabilityZones", "DescribeInternetGateways", "DescribeNatGateways"),
            *actions("ec2", "DescribeNetworkInterfaces", "DescribePrefixLists", "DescribeRouteTables"),
            *actions("ec2", "DescribeSecurityGroupRules", "DescribeSecurityGroups", "DescribeSubnets"),
            *actions("ec2", "DescribeTags", "DescribeVpcAttribute", "DescribeVpcEndpoints", "DescribeVpcs"),
            *actions("ecr", "GetAuthorizationToken"),
            *actions("ecs", "DescribeTaskDefinition", "ListClusters", "ListServices", "ListTaskDefinitions"),
            *actions("elasticloadbalancing", "DescribeListenerAttributes", "DescribeListeners"),
            *actions("elasticloadbalancing", "DescribeLoadBalancerAttributes", "DescribeLoadBalancers"),
            *actions("elasticloadbalancing", "DescribeRules", "DescribeTags", "DescribeTargetGroupAttributes"),
            *actions("elasticloadbalancing", "DescribeTargetGroups", "DescribeTargetHealth"),
            *actions("iam", "ListPolicies", "ListRoles"),
            *actions("logs", "DescribeLogGroups"),
            *actions("secretsmanager", "ListSecrets"),
            *actions("sts", "GetCallerIdentity"),
        ],
        ["*"],
    )


SERVICES = [
    *actions("ecs", "CreateCluster", "CreateService", "DeleteCluster", "DeleteService", "DescribeClusters"),
    *actions("ecs", "DescribeServices", "DescribeTasks", "ListTagsForResource", "PutClusterCapacityProviders"),
    *actions("ecs", "TagResource", "UntagResource", "UpdateCluster", "UpdateClusterSettings", "UpdateService"),
]
REPOSITORIES = [
    *actions("ecr", "BatchCheckLayerAvailability", "BatchGetImage", "CreateRepository", "DeleteLifecyclePolicy"),
    *actions("ecr", "DeleteRepository", "DeleteRepositoryPolicy", "DescribeImages", "DescribeRepositories"),
    *actions("ecr", "GetLifecyclePolicy", "GetRepositoryPolicy", "ListTagsForResource"),
    *actions("ecr", "PutImageScanningConfiguration", "PutImageTagMutability", "PutLifecyclePolicy"),
    *actions("ecr", "SetRepositoryPolicy", "TagResource", "UntagResource"),
]


def test_clusters_services_and_repositories_are_managed_by_prefix() -> None:
    assert statements("containers") == [
        allowed(
            "ManageServices",
            SERVICES,
            of_each_prefix("ecs", "cluster/{}*", "service/{}*", "task/{}*", "task-definition/{}*"),
        ),
        allowed("ManageTaskDefinitions", actions("ecs", "DeregisterTaskDefinition", "RegisterTaskDefinition"), ["*"]),
        allowed("ManageRepositories", REPOSITORIES, of_each_prefix("ecr", "repository/{}*")),
    ]


def test_security_groups_are_managed_except_atlantis_own() -> None:
    change = [
        *actions("ec2", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup"),
        *actions("ec2", "CreateTags", "DeleteSecurityGroup", "DeleteTags", "ModifySecurityGroupRules"),
        *actions("ec2", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"),
        *actions("ec2", "UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress"),
    ]
    groups = [arn("ec2", kind) for kind in ("security-group/*", "security-group-rule/*", "vpc/*")]
    own = {"StringEquals": {"aws:ResourceTag/Service": "atlantis"}}
    assert statements("security-groups") == [
        allowed("ManageSecurityGroups", change, groups),
        allowed("KeepOwnSecurityGroups", change, groups, own) | {"Effect": "Deny"},
    ]


def test_load_balancers_are_managed_by_prefix() -> None:
    change = [
        *actions("elasticloadbalancing", "AddTags", "CreateListener", "CreateLoadBalancer", "CreateRule"),
        *actions("elasticloadbalancing", "CreateTargetGroup", "DeleteListener", "DeleteLoadBalancer", "DeleteRule"),
        *actions("elasticloadbalancing", "DeleteTargetGroup", "DeregisterTargets", "ModifyListener"),
        *actions("elasticloadbalancing", "ModifyLoadBalancerAttributes", "ModifyRule", "ModifyTargetGroup"),
        *actions("elasticloadbalancing", "ModifyTargetGroupAttributes", "RegisterTargets", "RemoveTags"),
        *actions("elasticloadbalancing", "SetSecurityGroups", "SetSubnets"),
    ]
    both = [
        f"{kind}/{family}/{{}}*" for kind in ("loadbalancer", "listener", "listener-rule") for family in ("app", "net")
    ]
    assert statements("load-balancers") == [
        allowed(
            "ManageLoadBalancers",
            change,
            of_each_prefix("elasticloadbalancing", *both, "targetgroup/{}*"),
        )
    ]


GRANT = actions("iam", "AttachRolePolicy", "CreateRole", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy")


def test_roles_are_granted_to_under_the_boundary_and_passed_to_tasks_only() -> None:
    manage = [
        *actions("iam", "DeleteRole", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies"),
        *actions("iam", "ListInstanceProfilesForRole", "ListRolePolicies", "ListRoleTags"),
        *actions("iam", "TagRole", "UntagRole", "UpdateRole", "UpdateRoleDescription"),
    ]
    assert statements("roles") == [
        allowed("GrantToManagedRoles", GRANT, ROLES, {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}),
        allowed("ManageRoles", manage, ROLES),
        allowed(
            "PassManagedRolesToTasks",
            actions("iam", "PassRole"),
            ROLES,
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    ]


def test_without_a_boundary_none_is_demanded() -> None:
    assert statements("roles", permissionsBoundaryArn=None)[0] == allowed("GrantToManagedRoles", GRANT, ROLES)


def test_log_groups_and_secrets_are_managed_by_prefix() -> None:
    logs = [
        *actions("logs", "CreateLogGroup", "DeleteLogGroup", "DeleteRetentionPolicy", "ListTagsForResource"),
        *actions("logs", "PutRetentionPolicy", "TagResource", "UntagResource"),
    ]
    secrets = [
        *actions("secretsmanager", "CreateSecret", "DeleteSecret", "DescribeSecret", "GetResourcePolicy"),
        *actions("secretsmanager", "GetSecretValue", "PutSecretValue", "TagResource", "UntagResource", "UpdateSecret"),
    ]
    assert statements("logs-and-secrets") == [
        allowed("ManageLogGroups", logs, of_each_prefix("logs", "log-group:/ecs/{}*", "log-group:{}*")),
        allowed("ManageSecrets", secrets, of_each_prefix("secretsmanager", "secret:{}*")),
    ]


def test_whatever_the_prefixes_allow_atlantis_itself_and_whoever_deploys_it_is_refused() -> None:
    services = ("ecr", "ecs", "elasticloadbalancing", "iam", "logs", "secretsmanager")
    assert statements("own-stack") == [
        {
            "Sid": "LeaveAtlantisAlone",
            "Effect": "Deny",
            "Action": [f"{service}:*" for service in services],
            "Resource": [
                arn("ecs", "cluster/atlantis-prod"),
                arn("ecs", "service/atlantis-prod/*"),
                arn("ecs", "task/atlantis-prod/*"),
                arn("ecs", "task-definition/atlantis-prod:*"),
                arn("ecs", "task-set/atlantis-prod/*"),
                arn("elasticloadbalancing", "loadbalancer/app/atlantis-prod/*"),
                arn("elasticloadbalancing", "listener/app/atlantis-prod/*"),
                arn("elasticloadbalancing", "listener-rule/app/atlantis-prod/*"),
                arn("elasticloadbalancing", "targetgroup/atlantis-prod-atlantis/*"),
                arn("ecr", "repository/atlantis"),
                f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-execution-prod",
                f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-prod",
                arn("logs", "log-group:/ecs/atlantis-prod"),
                arn("logs", "log-group:/ecs/atlantis-prod:*"),
                arn_of("secrets-github-app"),
                arn_of("secrets-webhook"),
                DEPLOYER,
            ],
        }
    ]


def test_secrets_that_exist_are_refused_too() -> None:
    (refusal,) = statements("own-stack", githubAppSecretName="shared/github-app", webhookSecretName="shared/webhook")
    assert refusal["Resource"][-3:] == [
        arn("secretsmanager", "secret:shared/github-app-AbCdEf"),
        arn("secretsmanager", "secret:shared/webhook-AbCdEf"),
        DEPLOYER,
    ]
