"""Secrets: the credentials for the repositories' host, the webhook secret and the password of the web page."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..configuration.vcs import TOKEN_KEY
from ..context import Context
from ..encryption import CustomerKey, through_service
from ..outputs import declared_outputs
from .existing_secrets import customer_key
from .task_secret import KEY_USE, generated_value, task_secret

WORKERS_KEY = "workers_key"
"""The key in the secret's JSON."""


class Secrets(pulumi.ComponentResource):
    """The secrets of the task, and the KMS key of those that the stack creates."""

    key_arns: Sequence[pulumi.Input[str]]
    """The KMS keys that the execution role needs to decrypt the secrets."""

    def __init__(self, name: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Secrets", name, None, opts)
        self._context, settings = context, context.settings
        self._child = pulumi.ResourceOptions(parent=self)

        self._key_arns: list[pulumi.Input[str]] = []
        credentials, webhook = settings.credentials_secret_name, settings.server.webhook_secret_name
        password, api = settings.sign_in.generates_password, settings.drift.enabled
        if not (credentials and webhook) or password or api or settings.terraform.isolates:
            self._key_arn = self._key().arn
            self._key_arns.append(self._key_arn)
        self.arns: dict[str, pulumi.Input[str]] = {
            "credentials": self._existing(credentials) if credentials else self._credentials().arn,
            "webhook": self._existing(webhook) if webhook else self._webhook_secret(),
        }
        """The secrets of the tasks by use, those that the stack has."""
        # A setting can remove each of the others, and be unset again.
        if password:
            generation = settings.sign_in.web_password_generation
            description = "password of the web page (web_password), generated"
            self.arns["webPassword"] = self._generated(
                "web-password", description, "web_password", generation, deletable=True
            )
        if api:
            description = "secret of the server's API (api_secret), generated; it can apply without an approval"
            self.arns["api"] = self._generated("api", description, "api_secret", deletable=True)
        if settings.terraform.isolates:
            description = f"key of the connections between the server and its workers ({WORKERS_KEY}), generated"
            self.arns["workers"] = self._generated("workers", description, WORKERS_KEY, deletable=True)
        self.key_arns = self._key_arns
        self.register_outputs(declared_outputs(self))

    def _existing(self, secret_name: pulumi.Input[str]) -> pulumi.Output[str]:
        if not isinstance(secret_name, str):
            return self._existing_by_output(secret_name)
        secret = aws.secretsmanager.get_secret(name=secret_name, opts=pulumi.InvokeOptions(parent=self))
        key = customer_key(secret.kms_key_id, self)
        if key is not None:
            self._key_arns.append(key)
        return pulumi.Output.from_input(secret.arn)

    def _existing_by_output(self, secret_name: pulumi.Input[str]) -> pulumi.Output[str]:
        """A secret whose name isn't known yet. The permission for its key is added in any case: for the AWS managed key, which all
        principals of the account can use, it allows nothing more."""
        found = pulumi.Output.from_input(secret_name).apply(self._looked_up)
        self._key_arns.append(found["key"])
        return found["secret"]

    def _looked_up(self, secret_name: str) -> dict[str, str]:
        """The ARNs of a secret and of its key."""
        options = pulumi.InvokeOptions(parent=self)
        secret = aws.secretsmanager.get_secret(name=secret_name, opts=options)
        # DescribeSecret returns no key for the AWS managed one.
        key = aws.kms.get_key(key_id=secret.kms_key_id or "alias/aws/secretsmanager", opts=options)
        return {"secret": secret.arn, "key": key.arn}

    def _key(self) -> CustomerKey:
        names = self._context.names
        return CustomerKey(
            f"{self.pulumi_resource_name}-key",
            self._context,
            store="secrets",
            description=f"Atlantis {names.environment}: GitHub App and webhook secrets",
            users=[through_service(names, "UseThroughSecretsManager", "secretsmanager", KEY_USE)],
            opts=self._child,
        )

    def _credentials(self) -> aws.secretsmanager.Secret:
        """The GitHub App's secret, or the one with the user's token. Created empty: the values never pass through this program
        (docs/security.md)."""
        vcs = self._context.settings.vcs
        if vcs.is_app:
            description = "GitHub App (app_id, installation_id, private_key), filled by an operator"
            return self._secret("github-app", description)
        return self._secret("vcs-token", f"token of its user at {vcs.kind.title} ({TOKEN_KEY}), filled by an operator")

    def _webhook_secret(self) -> pulumi.Output[str]:
        settings = self._context.settings
        description = f"secret that {settings.vcs.kind.title} signs its webhooks with (webhook_secret), generated"
        return self._generated(
            "webhook-secret", description, "webhook_secret", settings.server.webhook_secret_generation
        )

    def _generated(
        self, of: str, description: str, key: str, generation: int = 1, *, deletable: bool = False
    ) -> pulumi.Output[str]:
        """The ARN of a secret with a generated value under `key`, which the deployers can read."""
        readers = self._context.settings.server.secret_reader_arns
        secret = self._secret(of, description, readers, deletable=deletable)
        generated_value(self._label(of), secret, key, generation, self)
        return secret.arn

    def _secret(
        self, of: str, description: str, readers: Sequence[pulumi.Input[str]] = (), *, deletable: bool = False
    ) -> aws.secretsmanager.Secret:
        return task_secret(
            self._label(of),
            self._context,
            physical_name=self._context.names.secret(of),
            description=f"Atlantis: {description}",
            key_arn=self._key_arn,
            readers=readers,
            deletable=deletable,
            parent=self,
        )

    def _label(self, of: str) -> str:
        return f"{self.pulumi_resource_name}-{of.removesuffix('-secret')}"
