"""A secret that ECS injects into the task: a policy that limits its readers, and a generated value."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from ..context import Context
from ..names import PhysicalNames
from ..policy_documents import Statement, document_of_outputs

RECOVERY_DAYS = 30
GENERATED_LENGTH = 48
"""Characters. Only letters and digits, because the value is used in forms and shells."""

KEY_USE = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
"""The key actions that Secrets Manager performs on behalf of a principal that reads or writes a secret."""


def task_secret(
    name: str,
    context: Context,
    *,
    physical_name: str,
    description: str,
    key_arn: pulumi.Input[str],
    readers: Sequence[pulumi.Input[str]],
    deletable: bool = False,
    parent: pulumi.Resource,
) -> aws.secretsmanager.Secret:
    """An empty secret that the execution role can read, and `readers` (ARN patterns).

    `deletable`: a setting can delete it and create it again, because the value need not be kept, and its name is free at once
    instead of after `RECOVERY_DAYS`.
    """
    kept = context.deletion_protection and not deletable
    secret = aws.secretsmanager.Secret(
        name,
        name=physical_name,
        description=description,
        kms_key_id=key_arn,
        recovery_window_in_days=RECOVERY_DAYS if kept else 0,
        tags=context.tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=kept),
    )
    aws.secretsmanager.SecretPolicy(
        f"{name}-policy",
        secret_arn=secret.arn,
        policy=document_of_outputs([_deny_other_readers(context.names, readers), _deny_plans(context)]),
        block_public_policy=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return secret


def generated_value(
    name: str, secret: aws.secretsmanager.Secret, key: str, generation: int, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """A random value under `key` in the secret's JSON. A change of the generation creates a new value."""
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


def _deny_other_readers(names: PhysicalNames, readers: Sequence[pulumi.Input[str]]) -> Statement:
    """Deny reading the value to all others, whatever IAM allows. An administrator can change this policy first."""
    return {
        "Sid": "DenyOtherReaders",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
        # In a secret's policy, `*` is the secret that the policy is attached to.
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": [*names.sessions_of(names.execution_role), *readers]}},
    }


def _deny_plans(context: Context) -> Statement:
    """Deny all actions on the secret to roles that plans can use: those of all Atlantis environments and Terraform's.

    The principals that deploy the stack are exempt.
    """
    names, settings = context.names, context.settings
    roles = (names.roles_of_every_environment, *(f"{prefix}*" for prefix in settings.terraform.managed_name_prefixes))
    deployers = settings.server.secret_reader_arns
    return {
        "Sid": "DenyPlans",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["secretsmanager:*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": [arn for role in roles for arn in names.sessions_of(role)]},
            "ArnNotLike": {"aws:PrincipalArn": [*names.sessions_of(names.execution_role), *deployers]},
        },
    }
