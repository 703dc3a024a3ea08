"""The account: AWS accepts the credentials, and they are of the account that the stack file is for."""

from components.settings.rules.arns import of_other_accounts
from components.settings.schema import known_items
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError


def credentials(deployment: Deployment) -> str:
    """AWS accepts the credentials."""
    identity = deployment.identity
    where = deployment.aws.endpoint("sts")
    return f"account {identity['Account']} as {identity['Arn'].split(':', 5)[5]}, {deployment.settings.region}, {where}"


def same_account(deployment: Deployment) -> str:
    """Every ARN in the stack file that must be of the stack's account is of that account."""
    account = deployment.identity["Account"]
    foreign = [
        f"{', '.join(problem.keys)} is of account {str(*problem.keys.values()).split(':')[4]}"
        for problem in of_other_accounts(deployment.settings, account)
    ]
    if foreign:
        raise FailedError(
            f"{', '.join(foreign)}, the credentials are of {account}",
            f"use the credentials of the account that Pulumi.{deployment.stack}.yaml is for, or correct the file",
        )
    return f"the ARNs of Pulumi.{deployment.stack}.yaml are of this account"


def caller_deploys(deployment: Deployment) -> str:
    """`secretReaderArns` contains the caller: the provider reads the generated secrets back during `pulumi up`."""
    readers = known_items(deployment.settings.server.secret_reader_arns)
    if not readers:
        raise NotCheckedError("the deployment creates no secret")
    caller = deployment.identity["Arn"]
    if caller.endswith(":root") and deployment.aws.is_emulated("sts"):
        return "the root user of a local AWS, which no policy denies"
    if ":assumed-role/" in caller:
        # The ARN of a session doesn't contain the path of its role.
        caller = deployment.aws.read("iam", "get_role", RoleName=caller.split("/")[1])["Role"]["Arn"]
    if caller not in readers:
        raise WarnedError(
            f"{caller} isn't in secretReaderArns, so its `pulumi up` can't read the generated secrets back",
            f"deploy as one of {', '.join(readers)}, or add the caller",
        )
    return f"{caller} is in secretReaderArns"


CHECKS = (
    Check("account", "credentials", credentials),
    Check("account", "is the stack's", same_account, needs=(credentials,)),
    Check("account", "caller deploys", caller_deploys, needs=(credentials,)),
)
