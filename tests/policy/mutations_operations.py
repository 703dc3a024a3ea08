"""Faults of exposure, rights, containers, secrets, logs, recovery and tags in the recorded production stack."""

import json
from typing import Any, Final

from tests.policy.cases import ABSENT
from tests.policy.mutations import TAGS, Mutation, addition, fault, removal, unprotected
from tests.policy.servicer import Planned

__all__ = ["OPERATIONS_MUTATIONS"]

_ROLE: Final = (
    "urn:pulumi:prod::atlantis::atlantis:index:Atlantis$"
    "atlantis:index:Permissions$aws:iam/role:Role::permissions-task-role"
)
_FILE_SYSTEM: Final = (
    "urn:pulumi:prod::atlantis::atlantis:index:Atlantis$"
    "atlantis:index:Storage$aws:efs/fileSystem:FileSystem::storage-efs"
)

_SECRETS_KEY: Final = (
    "urn:pulumi:prod::atlantis::atlantis:index:Atlantis$"
    "atlantis:index:Secrets$atlantis:index:CustomerKey$aws:kms/key:Key::secrets-key"
)


def _task(path: str, value: Any, *expected: str) -> Mutation:
    return fault("compute-task", f"containerDefinitions|[0].{path}", value, *expected)


def _role_policy(*expected: str, **statement: Any) -> Mutation:
    """A further policy of the task role with one Allow."""
    document = json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})
    policy = Planned(
        "aws:iam/rolePolicy:RolePolicy", "added", {"role": "unlisted", "policy": document}, {"role": (_ROLE,)}
    )
    return addition(policy, *expected)


_EXPOSURE: Final = (
    fault("compute-service", "networkConfiguration.assignPublicIp", True, "public-exposure/public-address"),
    *(
        fault("ingress-access-logs-public-access", flag, False, "public-exposure/public-bucket")
        for flag in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    fault(
        "storage-repository-policy",
        "policy|Statement[0]",
        {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"},
        "public-exposure/public-policy",
    ),
    fault(
        "secrets-key",
        "policy|Statement[0].Principal",
        {"AWS": "*"},
        "public-exposure/public-policy",
    ),
    fault(
        "secrets-webhook-policy",
        "policy|Statement[0]",
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"},
        "public-exposure/public-policy",
    ),
)

_RIGHTS: Final = (
    _role_policy("identity/administrator", Action="*"),
    _role_policy("identity/service-wildcard", Action=["acm:*"]),
    _role_policy("identity/unscoped-secrets", Action="secretsmanager:GetSecretValue"),
    _role_policy("identity/pass-role", Action="iam:PassRole", Resource="arn:aws:iam::123456789012:role/fileflow-*"),
    _role_policy("role-escalation/self-escalation", Action="iam:CreatePolicyVersion"),
    _role_policy("role-escalation/self-escalation", Action="iam:CreateLoginProfile"),
    fault("permissions-task-role", "assumeRolePolicy|Statement[0].Condition", ABSENT, "identity/trust"),
    fault("permissions-execution-role", "assumeRolePolicy|Statement[0].Condition", ABSENT, "identity/trust"),
    fault(
        "permissions-execution-managed",
        "policyArn",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "identity/administrator",
    ),
    # The denial that keeps Terraform away from Atlantis' own roles.
    fault(
        "permissions-task-own-stack",
        "policy|Statement[0].Effect",
        "Allow",
        *(
            "identity/service-wildcard",
            "identity/pass-role",
            "role-escalation/self-escalation",
        ),
    ),
)

_CONTAINERS: Final = (
    _task("image", "ghcr.io/runatlantis/atlantis:latest", "containers/pinned-image"),
    _task("image", "ghcr.io/runatlantis/atlantis", "containers/pinned-image"),
    _task("privileged", True, "containers/host-isolation"),
    _task("user", ABSENT, "containers/non-root-user"),
    _task("user", "root", "containers/non-root-user"),
    _task("logConfiguration", ABSENT, "logging/container-logs"),
    _task("environment[0]", {"name": "ATLANTIS_GH_WEBHOOK_SECRET", "value": "in-clear"}, "secrets/plain-environment"),
    _task("environment[0]", {"name": "ATLANTIS_WEB_PASSWORD", "value": "atlantis"}, "secrets/plain-environment"),
    fault("compute-task", "networkMode", "host", "containers/host-isolation"),
    fault(
        "compute-task",
        "taskRoleArn",
        "arn:aws:iam::123456789012:role/atlantis-ecs-task-execution-prod",
        "containers/separate-roles",
    ),
    fault("compute-service", "platformVersion", "1.3.0", "containers/platform-version"),
    fault("storage-repository", "imageTagMutability", "MUTABLE", "containers/immutable-tags"),
    fault("storage-repository", "imageTagMutability", ABSENT, "containers/immutable-tags"),
    fault("storage-repository", "imageScanningConfiguration.scanOnPush", False, "supporting-resources/scan-on-push"),
)

_OPERATIONS: Final = (
    fault("compute-logs", "retentionInDays", 3, "logging/retention"),
    fault("compute-logs", "retentionInDays", ABSENT, "logging/retention"),
    fault("ingress-alb", "accessLogs", ABSENT, "logging/access-logs"),
    fault("ingress-alb", "accessLogs.enabled", False, "logging/access-logs"),
    fault("compute-cluster", "settings[0].value", "disabled", "logging/container-insights"),
    fault("ingress-alb", "enableDeletionProtection", False, "recovery/deletion-protection"),
    fault("storage-repository", "forceDelete", True, "recovery/deletion-protection"),
    fault("ingress-access-logs", "forceDestroy", True, "recovery/deletion-protection"),
    fault("storage-backup", "backupPolicy.status", "DISABLED", "recovery/backup"),
    removal("storage-backup", "recovery/backup"),
    removal("ingress-access-logs-versioning", "recovery/versioning"),
    fault("storage-efs-key", "deletionWindowInDays", 7, "recovery/deletion-window"),
    fault("secrets-webhook", "recoveryWindowInDays", 0, "recovery/deletion-window"),
    fault("ingress-alb", "dropInvalidHeaderFields", False, "hardening/header-fields"),
    removal("ingress-access-logs-public-access", "supporting-resources/public-access-block"),
    addition(
        Planned(
            "aws:efs/backupPolicy:BackupPolicy",
            "added",
            {"fileSystemId": "unlisted"},
            {"fileSystemId": (_FILE_SYSTEM,)},
        ),
        "single-manager/exclusive",
    ),
    *(
        unprotected(name, "recovery/protect")
        for name in ("storage-efs", "storage-efs-key", "storage-repository", "secrets-github-app")
    ),
    fault("storage-efs", "tags.Owner", ABSENT, "required-tags/tags"),
    fault("compute-service", "tags", {}, "required-tags/tags"),
    fault("ingress-alb", "tags.Environment", "", "required-tags/tags"),
    addition(
        Planned(
            "aws:secretsmanager/secret:Secret",
            "added",
            {"kmsKeyId": "unlisted", "tags": TAGS},
            {"kmsKeyId": (_SECRETS_KEY,)},
            protect=True,
        ),
        "secrets/rotation",
    ),
)

OPERATIONS_MUTATIONS: Final = (*_EXPOSURE, *_RIGHTS, *_CONTAINERS, *_OPERATIONS)
