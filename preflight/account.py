"""The account: whose credentials these are, and whether the stack file means this account."""

from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError

__all__ = ["CHECKS", "credentials"]


def credentials(deployment: Deployment) -> str:
    """AWS answers, and knows who asks."""
    identity = deployment.identity
    where = deployment.aws.endpoint("sts")
    return f"account {identity['Account']} as {identity['Arn'].split(':', 5)[5]}, {deployment.settings.region}, {where}"


def same_account(deployment: Deployment) -> str:
    """What the stack file names by ARN, and AWS takes from the load balancer's or the roles' own account only, is of this one."""
    account = deployment.identity["Account"]
    named = {
        "acmCertificateArn": deployment.settings.ingress.acm_certificate_arn,
        "permissionsBoundaryArn": deployment.settings.terraform.permissions_boundary_arn,
        "webAclArn": deployment.settings.ingress.web_acl_arn,
    }
    foreign = [
        f"{key} is of account {arn.split(':')[4]}" for key, arn in named.items() if arn and arn.split(":")[4] != account
    ]
    if foreign:
        raise FailedError(
            f"{', '.join(foreign)}, the credentials are of {account}",
            f"use the credentials of the account that Pulumi.{deployment.stack}.yaml is for, or correct the file",
        )
    return f"the ARNs of Pulumi.{deployment.stack}.yaml are of this account"


CHECKS = (
    Check("account", "credentials", credentials),
    Check("account", "is the stack's", same_account, needs=(credentials,)),
)
