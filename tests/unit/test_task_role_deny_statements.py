"""What is Atlantis' own, and refused to Terraform whatever else its policies allow."""

from typing import Any

from tests.unit.recording import ACCOUNT, DEPLOYER
from tests.unit.stacks import BOUNDARY, arn
from tests.unit.test_task_role import statements


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
