"""Secrets: the GitHub App's values and the webhook's secret, readable by the execution role only."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.encryption import CustomerKey, CustomerKeyArgs, through_service
from components.policy_documents import Statement, document
from names import PhysicalNames

RECOVERY_DAYS = 30
WEBHOOK_SECRET_LENGTH = 48
"""Characters; letters and digits only, as it passes through forms and shells."""


@dataclasses.dataclass(kw_only=True)
class SecretsArgs:
    """Which secrets exist already, and who may read the others."""

    names: PhysicalNames
    github_app_secret_name: str | None
    """An existing secret with app_id, installation_id and private_key; None makes an empty one for the operator to fill."""
    webhook_secret_name: str | None
    """An existing secret with webhook_secret; None generates one."""
    webhook_secret_generation: int
    """Another number makes another generated webhook secret."""
    webhook_secret_readers: Sequence[str]
    """ARN patterns of principals besides the execution role that may read the generated webhook secret: whoever deploys, as the
    provider reads the version back."""
    deletion_protection: bool
    """Whether the engine refuses to delete them, and a deleted one can be restored for 30 days."""
    tags: dict[str, str]


class Secrets(pulumi.ComponentResource):
    """The two secrets of the task, and the key of those that the stack makes."""

    github_app_secret_arn: pulumi.Output[str]
    webhook_secret_arn: pulumi.Output[str]
    key_arns: Sequence[pulumi.Input[str]]
    """Keys that the execution role has to decrypt with."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Secrets", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._keeps_data = pulumi.ResourceOptions(parent=self, protect=args.deletion_protection)

        self._key_arns: list[pulumi.Input[str]] = []
        if not (args.github_app_secret_name and args.webhook_secret_name):
            self._key_arn = self._key().arn
            self._key_arns.append(self._key_arn)
        self.github_app_secret_arn = (
            self._existing(args.github_app_secret_name)
            if args.github_app_secret_name
            else self._github_app_secret().arn
        )
        self.webhook_secret_arn = (
            self._existing(args.webhook_secret_name) if args.webhook_secret_name else self._webhook_secret().arn
        )
        self.key_arns = self._key_arns
        self.register_outputs(
            {"githubAppSecretArn": self.github_app_secret_arn, "webhookSecretArn": self.webhook_secret_arn}
        )

    def _existing(self, secret_name: str) -> pulumi.Output[str]:
        secret = aws.secretsmanager.get_secret(name=secret_name)
        if secret.kms_key_id.startswith("arn:"):
            self._key_arns.append(secret.kms_key_id)
        return pulumi.Output.from_input(secret.arn)

    def _key(self) -> CustomerKey:
        names = self._args.names
        use = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
        return CustomerKey(
            f"{self._name}-key",
            CustomerKeyArgs(
                names=names,
                store="secrets",
                description=f"Atlantis {names.environment}: GitHub App and webhook secrets",
                users=[through_service(names, "UseThroughSecretsManager", "secretsmanager", use)],
                deletion_protection=self._args.deletion_protection,
                tags=self._args.tags,
            ),
            self._child,
        )

    def _secret(
        self, label: str, physical_name: str, description: str, readers: Sequence[str]
    ) -> aws.secretsmanager.Secret:
        secret = aws.secretsmanager.Secret(
            f"{self._name}-{label}",
            name=physical_name,
            description=description,
            kms_key_id=self._key_arn,
            recovery_window_in_days=RECOVERY_DAYS if self._args.deletion_protection else 0,
            tags=self._args.tags,
            opts=self._keeps_data,
        )
        aws.secretsmanager.SecretPolicy(
            f"{self._name}-{label}-policy",
            secret_arn=secret.arn,
            policy=document([self._refuse_other_readers(readers)]),
            block_public_policy=True,
            opts=self._child,
        )
        return secret

    def _refuse_other_readers(self, readers: Sequence[str]) -> Statement:
        """Nobody else reads the value, whatever IAM allows them; an administrator who must can change this policy first."""
        return {
            "Sid": "RefuseOtherReaders",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
            # A secret's policy can only be about the secret that it stands on.
            "Resource": "*",
            "Condition": {
                "ArnNotLike": {
                    "aws:PrincipalArn": [*self._args.names.sessions_of(self._args.names.execution_role), *readers]
                }
            },
        }

    def _github_app_secret(self) -> aws.secretsmanager.Secret:
        """Made empty: its values never pass through this program (README.md, Secrets)."""
        return self._secret(
            "github-app",
            self._args.names.github_app_secret,
            "Atlantis: GitHub App (app_id, installation_id, private_key), filled by an operator",
            readers=[],
        )

    def _webhook_secret(self) -> aws.secretsmanager.Secret:
        secret = self._secret(
            "webhook",
            self._args.names.webhook_secret,
            "Atlantis: secret that GitHub signs its webhooks with (webhook_secret), generated",
            readers=self._args.webhook_secret_readers,
        )
        password = random.RandomPassword(
            f"{self._name}-webhook-value",
            length=WEBHOOK_SECRET_LENGTH,
            special=False,
            keepers={"generation": str(self._args.webhook_secret_generation)},
            opts=self._child,
        )
        aws.secretsmanager.SecretVersion(
            f"{self._name}-webhook-version",
            secret_id=secret.arn,
            secret_string=pulumi.Output.json_dumps({"webhook_secret": password.result}),
            opts=self._child,
        )
        return secret
