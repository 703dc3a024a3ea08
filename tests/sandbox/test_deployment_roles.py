"""The roles of the workflows against what the program calls: each call is allowed, and each right is needed.

The stand-ins log their calls (`CALL_LOG` in `providers/aws/session.py`) while production is deployed with everything switched
on, changed and read back. The evaluator then asks IAM's questions about each call.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import decide
from sandbox.testbed.iam_evaluation.evaluator import Document, Evaluator, Principal
from sandbox.testbed.providers.aws.session import CALL_LOG
from tests.aws_roles import ACCOUNT, REGION, actions_of, policies_of
from tests.needs import iam_evaluator
from tests.sandbox.harness import WEB_ACL, Ground

EVERYTHING: dict[str, Any] = {
    "acmCertificateArn": "",
    "driftProjects": ["my-organization/infrastructure:production"],
    "ipAddressType": "dualstack",
    "lockingDatabase": "redis",
    "oidcIssuer": "https://login.example.com",
    "oidcAuthorizationEndpoint": "https://login.example.com/authorize",
    "oidcTokenEndpoint": "https://login.example.com/token",
    "oidcUserInfoEndpoint": "https://login.example.com/userinfo",
    "oidcClientId": "0123456789abcdef",
    "oidcClientSecretName": "prod-atlantis-oidc",
    "planWorkers": "1-2",
    "terraformIsolation": "tasks",
    "vpcEndpoints": ["ecr.api", "ecr.dkr", "s3", "secretsmanager", "logs"],
    "webAclArn": WEB_ACL,
}
CHANGED: dict[str, Any] = {
    "acmCertificateArn": "",
    "alarmTopicArns": [],
    "allowedCidrBlocks": ["203.0.113.0/24"],
    "costCenter": "",
    "cpu": 1024,
    "driftProjects": ["my-organization/infrastructure:staging"],
    "githubWebhookCidrBlocks": ["192.30.252.0/22"],
    "ipAddressType": "ipv4",
    "lockingDatabase": "redis",
    "lockingPasswordGeneration": 2,
    "logRetentionDays": 30,
    "managedNamePrefixes": ["files-"],
    "planWorkers": "1-3",
    "secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:role/another-deployer"],
    "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "team": "another",
    "terraformIsolation": "tasks",
    "terraformLockTables": [],
    "vpcEndpoints": ["s3", "logs"],
}
PHASES = {"Preview": ["preview"], "Drift": ["refresh"], "Deploy": ["preview", "up", "refresh", "change"]}
"""What each role runs."""

BACKEND = "Pulumi's backend: it reads and writes the state's objects, and encrypts the secrets in them"
OFFICIAL = "called by the official provider (recorded with hashicorp/aws 5.100.0), not by the stand-in"
CALLER = "AWS' API reference demands it of the caller"
REPLACED = "called when a setting that replaces the resource, or the resource itself, goes"
LATER = "called when a setting or a later version of the program changes the property in place"
WAITING = "called by the hook that waits for the deployment (components/compute/ecs_deployment.py)"
DRIFT = "called when a project of driftProjects is removed, for its metrics"
EXPLAINED: Mapping[str, str] = {
    "backup:ListRecoveryPointsByResource": "called by `make status` (preflight/status.py)",
    "acm:DeleteCertificate": REPLACED,
    "application-autoscaling:DeleteScalingPolicy": REPLACED,
    "application-autoscaling:DeregisterScalableTarget": REPLACED,
    "cloudwatch:DeleteDashboards": REPLACED,
    "cloudwatch:UntagResource": LATER,
    "ec2:CreateNetworkInterface": f"{CALLER} of CreateMountTarget",
    "ec2:DeleteNetworkInterface": f"{CALLER} of DeleteMountTarget",
    "ec2:DeleteSecurityGroup": REPLACED,
    "ec2:DescribeNetworkInterfaces": OFFICIAL,
    "ec2:ModifyVpcEndpoint": LATER,
    "ecs:DeleteService": REPLACED,
    "ecs:DescribeTasks": WAITING,
    "ecs:GetTaskProtection": WAITING,
    "ecs:ListTasks": WAITING,
    "ecs:UpdateCluster": LATER,
    "elasticfilesystem:DeleteMountTarget": REPLACED,
    "elasticfilesystem:UpdateFileSystem": LATER,
    "elasticloadbalancing:DeleteListener": REPLACED,
    "elasticloadbalancing:DeleteTargetGroup": REPLACED,
    "elasticloadbalancing:DescribeCapacityReservation": OFFICIAL,
    "elasticloadbalancing:DescribeListenerAttributes": OFFICIAL,
    "elasticloadbalancing:SetSubnets": LATER,
    "elasticloadbalancing:SetWebAcl": f"{CALLER} of AssociateWebACL",
    "firehose:DeleteDeliveryStream": REPLACED,
    "firehose:UpdateDestination": LATER,
    "iam:CreateServiceLinkedRole": f"{CALLER} of the first cluster, load balancer, file system and replication group",
    "iam:DeletePolicy": REPLACED,
    "iam:DeleteRolePolicy": REPLACED,
    "iam:DetachRolePolicy": REPLACED,
    "iam:ListPolicyVersions": f"{OFFICIAL}, before it adds a version to a policy or deletes it",
    "iam:PutRolePermissionsBoundary": LATER,
    "iam:UpdateAssumeRolePolicy": LATER,
    "kms:CreateGrant": f"{CALLER} of a repository, file system and replication group with a key",
    "kms:Decrypt": f"{BACKEND}; {CALLER} of GetSecretValue",
    "kms:Encrypt": BACKEND,
    "kms:GenerateDataKey": f"{CALLER} of a secret with a key",
    "kms:PutKeyPolicy": LATER,
    "kms:UpdateAlias": LATER,
    "kms:UpdateKeyDescription": LATER,
    "logs:DeleteMetricFilter": DRIFT,
    "logs:DeleteSubscriptionFilter": REPLACED,
    "route53:GetChange": OFFICIAL,
    "s3:DeleteObject": BACKEND,
    "s3:GetAccelerateConfiguration": OFFICIAL,
    "s3:GetBucketAcl": OFFICIAL,
    "s3:GetBucketCORS": OFFICIAL,
    "s3:GetBucketLogging": OFFICIAL,
    "s3:GetBucketObjectLockConfiguration": OFFICIAL,
    "s3:GetBucketRequestPayment": OFFICIAL,
    "s3:GetBucketWebsite": OFFICIAL,
    "s3:GetObject": BACKEND,
    "s3:GetReplicationConfiguration": OFFICIAL,
    "s3:PutObject": BACKEND,
    "secretsmanager:UpdateSecret": LATER,
}
"""Rights that no recorded call asks for, with the reason why a role has them."""


@pytest.fixture(scope="module")
def calls(production: Ground, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[ApiCall]]:
    """The distinct calls of each phase."""
    logs = tmp_path_factory.mktemp("calls")
    phases = {
        "preview": lambda: production.sandbox(pack=None, **EVERYTHING).preview(),
        "up": lambda: production.sandbox(pack=None, **EVERYTHING).up(),
        "refresh": lambda: production.sandbox(pack=None, **EVERYTHING).refresh(),
        "change": lambda: production.sandbox(pack=None, **CHANGED).up(),
    }
    with pytest.MonkeyPatch.context() as patch:
        for phase, run in phases.items():
            patch.setenv(CALL_LOG, str(logs / phase))
            run()
    return {phase: _distinct(logs / phase) for phase in phases}


def _distinct(log: Path) -> list[ApiCall]:
    lines = dict.fromkeys(log.read_text(encoding="utf-8").splitlines())
    return [ApiCall(**json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    iam_evaluator()
    with Evaluator() as started:
        yield started


def delegated(arn: str) -> Document | None:
    """A key's policy leaves the decision to IAM, as far as the account's administration goes (`components/encryption.py`)."""
    if ":kms:" not in arn or ":key/" not in arn:
        return None
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}],
    }


EXISTING = ExistingResources(ACCOUNT, REGION, tags=lambda _: {"Service": "atlantis"}, resource_policy=delegated)
"""Every resource of the stack that takes tags carries this one (tests/unit/test_graph.py)."""


def answers(
    evaluator: Evaluator, role: str, calls: Mapping[str, list[ApiCall]], without: str = ""
) -> tuple[set[str], set[str]]:
    """The actions that the role's phases ask for, and ``action on resource`` for each that is refused."""
    policies = {name: document for name, document in policies_of(role).items() if name != without}
    principal = Principal(f"arn:aws:iam::{ACCOUNT}:role/github-atlantis-prod-{role.lower()}", policies)
    asked, refused = set(), set()
    for call in (call for phase in PHASES[role] for call in calls[phase] if call.service != "sts"):
        for question, decision in decide(evaluator, principal, call, EXISTING):
            asked.add(question.action)
            if not decision.allowed:
                refused.add(f"{question.action} on {question.resource}")
    return asked, refused


@pytest.mark.parametrize("role", PHASES)
def test_a_role_may_make_every_call_of_its_workflow(
    role: str, calls: Mapping[str, list[ApiCall]], evaluator: Evaluator
) -> None:
    asked, refused = answers(evaluator, role, calls)
    assert asked
    assert sorted(refused) == [], "grant it in .github/aws/roles.yaml"


def test_every_right_of_the_roles_is_needed(calls: Mapping[str, list[ApiCall]], evaluator: Evaluator) -> None:
    needed = set().union(*(answers(evaluator, role, calls)[0] for role in PHASES))
    granted = set().union(*(actions_of(role) for role in PHASES))
    assert sorted(granted - needed - set(EXPLAINED)) == [], "take it away, or explain it"
    assert sorted(set(EXPLAINED) - (granted - needed)) == [], "no longer granted, or needed by a call now"


def test_without_a_policy_the_evaluator_refuses_what_the_policy_allows(
    calls: Mapping[str, list[ApiCall]], evaluator: Evaluator
) -> None:
    refused = answers(evaluator, "Deploy", calls, without="IdentityPolicy")[1]
    assert any(line.startswith("iam:CreateRole on ") for line in refused)
    assert any(line.startswith("iam:PassRole on ") for line in refused)
