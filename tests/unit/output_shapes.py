"""Shapes of the stack whose settings are outputs where they may be."""

from typing import Any

from tests.unit.authorities import authority
from tests.unit.existing_parts import EXISTING_GROUP, EXISTING_LISTENER
from tests.unit.recording import ACCOUNT, LOCAL, REGION
from tests.unit.shapes import METRICS
from tests.unit.stacks import PRODUCTION

SIGN_IN: dict[str, Any] = {
    "oidcIssuer": "https://login.example.com",
    "oidcAuthorizationEndpoint": "https://login.example.com/authorize",
    "oidcTokenEndpoint": "https://login.example.com/token",
    "oidcUserInfoEndpoint": "https://login.example.com/userinfo",
    "oidcClientId": "atlantis",
    "oidcClientSecretName": "shared/sign-in",
}
EVERYTHING: dict[str, Any] = (
    LOCAL
    | PRODUCTION
    | SIGN_IN
    | {
        "environment": "prod",
        "vpcEndpoints": ["auto"],
        "acmCertificateArn": LOCAL["acmCertificateArn"],
        "image": "ghcr.io/runatlantis/atlantis:v0.48.0",
        "githubAppSecretName": "shared/github-app",
        "webhookSecretName": "shared/webhook",
        "webhookSecretGeneration": None,
        "assumableRoleArns": ["arn:aws:iam::210987654321:role/terraform"],
        "planAssumableRoleArns": ["arn:aws:iam::210987654321:role/reader"],
        "terraformIsolation": "tasks",
        **{f"{role}WorkerSubnetIds": ["subnet-00000000000000003"] for role in ("plan", "apply")},
        "tags": {"Team": "payments", "Unit": "tools"},
        "additionalPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "additionalPlanPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "deploymentRoleArn": f"arn:aws:iam::{ACCOUNT}:role/deployer",
        "caCertificates": authority(),
        "extraContainers": [METRICS],
        "logKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-1111-4000-8000-0123456789ab",
    }
)
_OF_OWN_LOAD_BALANCER = dict.fromkeys(("publicSubnetIds", "acmCertificateArn", "webAclArn"))
EXISTING_LOAD_BALANCER: dict[str, Any] = (
    EVERYTHING
    | _OF_OWN_LOAD_BALANCER
    | {"httpsListenerArn": EXISTING_LISTENER, "loadBalancerSecurityGroupId": EXISTING_GROUP}
)
NO_LOAD_BALANCER: dict[str, Any] = (
    EVERYTHING
    | _OF_OWN_LOAD_BALANCER
    | dict.fromkeys((*SIGN_IN, "hostedZoneId", "ipAddressType"))
    | {
        "loadBalancerScheme": "none",
        "allowedCidrBlocks": ["10.0.0.0/16"],
        "serviceRegistryArn": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-abcdefgh12345678",
    }
)
ANOTHER_HOST: dict[str, Any] = (
    EVERYTHING
    | dict.fromkeys(
        (
            "githubAppSecretName",
            "repoConfigFile",
            "terraformIsolation",
            *("planWorkerSubnetIds", "applyWorkerSubnetIds"),
            "planAssumableRoleArns",
            "additionalPlanPolicyArns",
        )
    )
    | {
        "vcsKind": "gitlab",
        "vcsUser": "atlantis",
        "vcsTokenSecretName": "shared/gitlab",
        "repoAllowlist": "gitlab.com/my-organization/*",
    }
)
SHAPES = {
    "own": EVERYTHING,
    "existing load balancer": EXISTING_LOAD_BALANCER,
    "no load balancer": NO_LOAD_BALANCER,
    "another host": ANOTHER_HOST,
}
"""Together, they have a value for every setting that accepts an output."""
