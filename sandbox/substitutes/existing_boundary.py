"""A substitute for an operator's permissions boundary."""

import json
from collections.abc import Sequence

from components.names import PhysicalNames
from sandbox.substitutes.made import left_by_a_killed_run
from sandbox.testbed.local_aws.instance import ACCOUNT, REGION, LocalAws


def boundary(aws: LocalAws, arn: str, environment: str, subnets: Sequence[str]) -> str:
    """A permissions boundary that protects Atlantis, as an operator's boundary must."""
    # These import Pulumi's SDK, which no other substitute needs.
    from components.permissions.deny_statements import OwnStack  # noqa: PLC0415
    from components.permissions.permissions_boundary import statements_for_any_role  # noqa: PLC0415

    names = PhysicalNames(environment=environment, account=ACCOUNT, region=REGION, partition="aws")
    own = OwnStack(
        names=names,
        secret_arns=[
            names.arn("secretsmanager", f"secret:{names.secret(of)}-??????")
            for of in ("github-app", "vcs-token", "webhook-secret", "redis")
        ],
        deployer_arns=(),
        permissions_boundary_arn=arn,
        security_group_ids=(),
        subnet_ids=subnets,
    )
    document = {"Version": "2012-10-17", "Statement": statements_for_any_role(own)}
    iam, name = aws.client("iam"), arn.rpartition("/")[2]
    with left_by_a_killed_run("EntityAlreadyExists"):
        iam.create_policy(
            PolicyName=name,
            PolicyDocument=json.dumps(document),
            Description=f"Substitute for {arn} in account {ACCOUNT}",
        )
    return iam.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}")["Policy"]["Arn"]
