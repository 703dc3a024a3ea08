"""What Terraform may do inside the task, statement by statement, and what it is denied whatever its policies allow."""

from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, DEPLOYER, arn_of
from tests.unit.stacks import BOUNDARY, PRODUCTION, REDIS, arn, stack

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


def test_the_task_mounts_its_data_through_the_access_point_not_as_root_and_protects_itself() -> None:
    assert statements("file-system") == [
        allowed(
            "MountThroughAccessPoint",
            actions("elasticfilesystem", "ClientMount", "ClientWrite"),
            [arn_of("storage-efs")],
            {"StringEquals": {"elasticfilesystem:AccessPointArn": arn_of("storage-access-point")}},
        ),
        allowed(
            "ProtectOwnTasks",
            actions("ecs", "GetTaskProtection", "UpdateTaskProtection"),
            [arn("ecs", "task/atlantis-prod/*")],
        ),
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
    describe, describe_vpcs = statements("read")
    assert describe_vpcs == allowed("DescribeVpcs", actions("ec2", "DescribeVpcAttribute"), [arn("ec2", "vpc/*")])
    assert describe == allowed(
        "Describe",
        [
            *actions("ec2", "DescribeAvailabilityZones", "DescribeInternetGateways", "DescribeNatGateways"),
            *actions("ec2", "DescribeNetworkInterfaces", "DescribePrefixLists", "DescribeRouteTables"),
            *actions("ec2", "DescribeSecurityGroupRules", "DescribeSecurityGroups", "DescribeSubnets"),
            *actions("ec2", "DescribeTags", "DescribeVpcEndpointServices", "DescribeVpcEndpoints", "DescribeVpcs"),
            *actions("ecr", "GetAuthorizationToken"),
            *actions("ecs", "DescribeTaskDefinition", "ListClusters", "ListServices", "ListTaskDefinitions"),
            *actions("elasticloadbalancing", "DescribeCapacityReservation", "DescribeListenerAttributes"),
            *actions("elasticloadbalancing", "DescribeListeners"),
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
    *actions("ecs", "RegisterTaskDefinition", "TagResource", "UntagResource", "UpdateCluster"),
    *actions("ecs", "UpdateClusterSettings", "UpdateService"),
]
REPOSITORIES = [
    *actions("ecr", "BatchCheckLayerAvailability", "BatchGetImage", "CreateRepository", "DeleteLifecyclePolicy"),
    *actions("ecr", "DeleteRepository", "DeleteRepositoryPolicy", "DescribeImages", "DescribeRepositories"),
    *actions("ecr", "GetLifecyclePolicy", "GetRepositoryPolicy", "ListTagsForResource"),
    *actions("ecr", "PutImageScanningConfiguration", "PutImageTagMutability", "PutLifecyclePolicy"),
    *actions("ecr", "SetRepositoryPolicy", "TagResource", "UntagResource"),
]


LEAVE_TASKS_ALONE = {
    "Sid": "DenyOwnTasks",
    "Effect": "Deny",
    "Action": actions("ecs", "DescribeTasks", "ExecuteCommand", "StopTask", "*TagResource"),
    "Resource": [arn("ecs", "task/atlantis-prod/*")],
}


def test_clusters_services_and_repositories_are_managed_by_prefix() -> None:
    assert statements("containers") == [
        allowed(
            "ManageServices",
            SERVICES,
            of_each_prefix("ecs", "cluster/{}*", "service/{}*", "task/{}*", "task-definition/{}*"),
        ),
        allowed("DeregisterTaskDefinitions", actions("ecs", "DeregisterTaskDefinition"), ["*"]),
        allowed("ManageRepositories", REPOSITORIES, of_each_prefix("ecr", "repository/{}*")),
        LEAVE_TASKS_ALONE,
    ]


GROUPS = [arn("ec2", kind) for kind in ("security-group/*", "security-group-rule/*", "vpc/*")]
KEEP_OWN_GROUPS = {
    "Sid": "DenyTag",
    "Effect": "Deny",
    "Action": ["ec2:*SecurityGroup*", "ec2:*Tags", "ecr:*", "ecs:*Service", "elasticloadbalancing:*", "logs:*"],
    "Resource": ["*"],
    "Condition": {"StringEquals": {"aws:ResourceTag/Service": "atlantis"}},
}
OWN_GROUPS = [f"network-{of}-id" for of in ("alb", "ecs-tasks", "efs", "vpc-endpoints")]
LEND_NO_GROUPS = {
    "Sid": "DenyUseOfSecurityGroups",
    "Effect": "Deny",
    "Action": actions("elasticloadbalancing", "CreateLoadBalancer", "SetSecurityGroups"),
    "Resource": ["*"],
    "Condition": {"ForAnyValue:StringEquals": {"elasticloadbalancing:SecurityGroup": OWN_GROUPS}},
}
LEND_NO_SUBNETS = {
    "Sid": "DenyServicesInSubnets",
    "Effect": "Deny",
    "Action": actions("ecs", "CreateService", "UpdateService"),
    "Resource": ["*"],
    "Condition": {
        "ForAnyValue:StringEquals": {
            "ecs:subnet": [f"subnet-{kind}-{zone}" for kind in ("public", "private") for zone in "12"]
        }
    },
}
ASSIGN_NO_ADDRESSES = {
    "Sid": "DenyPublicAddresses",
    "Effect": "Deny",
    "Action": actions("ecs", "CreateService", "UpdateService"),
    "Resource": ["*"],
    "Condition": {"Bool": {"ecs:auto-assign-public-ip": "true"}},
}


def test_state_is_limited_to_prefixes_of_keys() -> None:
    prefixes = {"terraformStatePrefixes": ["platform/", "data/warehouse/"]}
    listed, written, read, *_ = statements("state", **PRODUCTION | prefixes)
    buckets = ["arn:aws:s3:::prod-terraform-state", "arn:aws:s3:::shared-terraform-state"]
    own = {"StringLike": {"s3:prefix": ["platform/*", "data/warehouse/*"]}}
    assert listed == allowed("ListState", ["s3:ListBucket"], buckets) | {"Condition": own}
    assert read == allowed("ReadStateBuckets", ["s3:GetBucketVersioning"], buckets)
    assert written == allowed(
        "ReadAndWriteState",
        WRITE_STATE,
        [
            f"arn:aws:s3:::{bucket}/{prefix}*"
            for bucket in ("prod-terraform-state", "shared-terraform-state")
            for prefix in ("platform/", "data/warehouse/")
        ],
    )


def test_security_groups_are_managed_except_atlantis_own_which_nothing_else_may_be_in() -> None:
    change = [
        *actions("ec2", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup"),
        *actions("ec2", "DeleteSecurityGroup", "ModifySecurityGroupRules"),
        *actions("ec2", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"),
        *actions("ec2", "UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress"),
    ]
    assert statements("security-groups") == [
        allowed("ManageSecurityGroups", change, GROUPS),
        # A VPC's tags are other tools' means to find it.
        allowed("TagSecurityGroups", actions("ec2", "CreateTags", "DeleteTags"), GROUPS[:2]),
        KEEP_OWN_GROUPS,
        LEND_NO_GROUPS,
        LEND_NO_SUBNETS,
        ASSIGN_NO_ADDRESSES,
    ]


def test_the_group_of_a_locking_database_is_lent_neither() -> None:
    (lent,) = [
        statement for statement in statements("security-groups", **REDIS) if statement["Sid"] == LEND_NO_GROUPS["Sid"]
    ]
    assert "network-redis-id" in lent["Condition"]["ForAnyValue:StringEquals"]["elasticloadbalancing:SecurityGroup"]


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


BOUND = [
    *actions("iam", "AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy"),
    *actions("iam", "PutRolePolicy", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"),
]
OWN_BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/atlantis-ecs-task-prod-boundary"


@pytest.mark.parametrize(
    ("changes", "boundary"),
    [({}, BOUNDARY), ({"permissionsBoundaryArn": None}, OWN_BOUNDARY)],
    ids=["the operator's", "the stack's own"],
)
def test_roles_are_changed_under_the_boundary_and_passed_to_tasks_only(changes: dict[str, Any], boundary: str) -> None:
    manage = [
        *actions("iam", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListInstanceProfilesForRole"),
        *actions("iam", "ListRolePolicies", "ListRoleTags", "TagRole", "UntagRole"),
    ]
    assert statements("roles", **changes) == [
        allowed("ManageRolesUnderBoundary", BOUND, ROLES, {"StringEquals": {"iam:PermissionsBoundary": boundary}}),
        allowed("ReadAndTagRoles", manage, ROLES),
        allowed(
            "PassManagedRolesToTasks",
            actions("iam", "PassRole"),
            ROLES,
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        allowed("DenyRolesWithoutBoundary", BOUND, ["*"], {"StringNotEquals": {"iam:PermissionsBoundary": boundary}})
        | {"Effect": "Deny"},
        allowed(
            "DenyBoundaryChanges", actions("iam", "DeleteRolePermissionsBoundary", "PutRolePermissionsBoundary"), ["*"]
        )
        | {"Effect": "Deny"},
    ]


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


def deny_own_resources(*further: str) -> dict[str, Any]:
    services = ("ecr", "ecs", "elasticloadbalancing", "iam", "logs", "secretsmanager")
    return {
        "Sid": "DenyOwnResources",
        "Effect": "Deny",
        "Action": [f"{service}:*" for service in services],
        "Resource": [
            arn("ecs", "cluster/atlantis-prod"),
            arn("ecs", "service/atlantis-prod/*"),
            arn("ecs", "task-definition/atlantis-prod:*"),
            arn("ecs", "task-set/atlantis-prod/*"),
            arn("elasticloadbalancing", "loadbalancer/app/atlantis-prod/*"),
            arn("elasticloadbalancing", "listener/app/atlantis-prod/*"),
            arn("elasticloadbalancing", "listener-rule/app/atlantis-prod/*"),
            arn("elasticloadbalancing", "targetgroup/atlantis-prod-atlantis/*"),
            arn("ecr", "repository/atlantis"),
            arn("logs", "log-group:/ecs/atlantis-prod"),
            arn("logs", "log-group:/ecs/atlantis-prod:*"),
            f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-*",
            f"arn:aws:iam::{ACCOUNT}:policy/atlantis-ecs-task-*",
            *further,
        ],
    }


OWN_SECRETS = (arn("secretsmanager", "secret:prod-atlantis-*"),)


def test_whatever_the_prefixes_allow_atlantis_itself_and_its_deployers_are_refused() -> None:
    assert statements("own-stack") == [deny_own_resources(*OWN_SECRETS, DEPLOYER, BOUNDARY)]


def test_the_boundary_of_the_stack_is_refused_among_the_policies_of_every_environment() -> None:
    assert statements("own-stack", permissionsBoundaryArn=None) == [deny_own_resources(*OWN_SECRETS, DEPLOYER)]


def test_secrets_that_exist_are_refused_too() -> None:
    (refusal,) = statements("own-stack", githubAppSecretName="shared/github-app", webhookSecretName="shared/webhook")
    assert refusal["Resource"][-5:] == [
        *OWN_SECRETS,
        arn("secretsmanager", "secret:shared/github-app-*"),
        arn("secretsmanager", "secret:shared/webhook-*"),
        DEPLOYER,
        BOUNDARY,
    ]
