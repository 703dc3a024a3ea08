"""A secret that the task is started with: who may read it, and a value that nobody has to think up."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from .context import Context
from .names import PhysicalNames
from .policy_documents import Statement, document

RECOVERY_DAYS = 30
GENERATED_LENGTH = 48
"""Characters; letters and digits only, as it passes through forms and shells."""

KEY_USE = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
"""What Secrets Manager does with the key of a secret, on behalf of the principal that reads or writes it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskSecretArgs:
    """What a secret holds and for whom."""

    context: Context
    physical_name: str
    description: str
    key_arn: pulumi.Input[str]
    readers: Sequence[str]
    """ARN patterns of principals besides the execution role that may read it."""
    terraform_roles: Sequence[str]
    """Names, as patterns, of roles that Terraform may create or pass."""
    deployers: Sequence[str]
    """ARN patterns of principals that deploy the stack: never refused as Terraform's, whatever their names begin with."""
    deletable: bool = False
    """Whether a setting may delete it and create it again under its name: a value that nobody has to keep."""


def task_secret(name: str, args: TaskSecretArgs, parent: pulumi.Resource) -> aws.secretsmanager.Secret:
    """An empty secret that the execution role may read."""
    kept = args.context.deletion_protection and not args.deletable
    secret = aws.secretsmanager.Secret(
        name,
        name=args.physical_name,
        description=args.description,
        kms_key_id=args.key_arn,
        recovery_window_in_days=RECOVERY_DAYS if kept else 0,
        tags=args.context.tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=kept),
    )
    aws.secretsmanager.SecretPolicy(
        f"{name}-policy",
        secret_arn=secret.arn,
        policy=document([_refuse_other_readers(args.context.names, args.readers), _refuse_plans(args)]),
        block_public_policy=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return secret


def generated_value(
    name: str, secret: aws.secretsmanager.Secret, key: str, generation: int, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """A random value under `key` of the secret's JSON, another one for another generation."""
    child = pulumi.ResourceOptions(parent=parent)
    value = random.RandomPassword(
        f"{name}-value",
        length=GENERATED_LENGTH,
        special=False,
        keepers={"generation": str(generation)},
        opts=child,
    )
    aws.secretsmanager.SecretVersion(
        f"{name}-version",
        secret_id=secret.arn,
        secret_string=pulumi.Output.json_dumps({key: value.result}),
        opts=child,
    )
    return value.result


def _refuse_other_readers(names: PhysicalNames, readers: Sequence[str]) -> Statement:
    """Nobody else reads the value, whatever IAM allows them; an administrator who must can change this policy first."""
    return {
        "Sid": "RefuseOtherReaders",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
        # A secret's policy can only be about the secret that it stands on.
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": [*names.sessions_of(names.execution_role), *readers]}},
    }


def _refuse_plans(args: TaskSecretArgs) -> Statement:
    """A plan neither reads nor writes the secret nor its policy, by a role of any Atlantis environment or one of Terraform's."""
    names = args.context.names
    roles = (names.roles_of_every_environment, *args.terraform_roles)
    return {
        "Sid": "RefusePlans",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["secretsmanager:*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": [arn for role in roles for arn in names.sessions_of(role)]},
            "ArnNotLike": {"aws:PrincipalArn": [*names.sessions_of(names.execution_role), *args.deployers]},
        },
    }
