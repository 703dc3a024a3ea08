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

    credentials_secret_arn: pulumi.Output[str]
    """The GitHub App's secret, or the one with the user's token."""
    webhook_secret_arn: pulumi.Output[str]
    web_password_secret_arn: pulumi.Output[str] | None = None
    """None without a password."""
    api_secret_arn: pulumi.Output[str] | None = None
    """None without drift detection."""
    workers_secret_arn: pulumi.Output[str] | None = None
    """None without workers."""
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
        self.credentials_secret_arn = self._existing(credentials) if credentials else self._credentials().arn
        self.webhook_secret_arn = self._existing(webhook) if webhook else self._webhook_secret().arn
        # A setting can remove each of the others, and be unset again.
        if password:
            description = "Atlantis: password of the web page (web_password), generated"
            self.web_password_secret_arn = self._generated(
                "web-password",
                context.names.web_password_secret,
                description,
                "web_password",
                settings.sign_in.web_password_generation,
                deletable=True,
            ).arn
        if api:
            description = (
                "Atlantis: secret of the server's API (api_secret), generated; it can apply without an approval"
            )
            self.api_secret_arn = self._generated(
                "api", context.names.api_secret, description, "api_secret", deletable=True
            ).arn
        if settings.terraform.isolates:
            description = (
                f"Atlantis: key of the connections between the server and its workers ({WORKERS_KEY}), generated"
            )
            self.workers_secret_arn = self._generated(
                "workers", context.names.workers_secret, description, WORKERS_KEY, deletable=True
            ).arn
        self.key_arns = self._key_arns
        self.register_outputs(declared_outputs(self))

    @property
    def arns(self) -> dict[str, pulumi.Input[str]]:
        """The secrets of the tasks by use, those that the stack has."""
        found = {
            "credentials": self.credentials_secret_arn,
            "webhook": self.webhook_secret_arn,
            "webPassword": self.web_password_secret_arn,
            "api": self.api_secret_arn,
            "workers": self.workers_secret_arn,
        }
        return {use: arn for use, arn in found.items() if arn is not None}

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
        names, vcs = self._context.names, self._context.settings.vcs
        if vcs.is_app:
            description = "Atlantis: GitHub App (app_id, installation_id, private_key), filled by an operator"
            return self._secret("github-app", names.github_app_secret, description)
        description = f"Atlantis: token of its user at {vcs.kind.title} ({TOKEN_KEY}), filled by an operator"
        return self._secret("vcs-token", names.vcs_token_secret, description)

    def _webhook_secret(self) -> aws.secretsmanager.Secret:
        return self._generated(
            "webhook",
            self._context.names.webhook_secret,
            f"Atlantis: secret that {self._context.settings.vcs.kind.title} signs its webhooks with (webhook_secret), generated",
            "webhook_secret",
            self._context.settings.server.webhook_secret_generation,
        )

    def _generated(
        self,
        label: str,
        physical_name: str,
        description: str,
        key: str,
        generation: int = 1,
        *,
        deletable: bool = False,
    ) -> aws.secretsmanager.Secret:
        """A secret with a generated value under `key`, which the deployers can read."""
        readers = self._context.settings.server.secret_reader_arns
        secret = self._secret(label, physical_name, description, readers, deletable=deletable)
        generated_value(f"{self.pulumi_resource_name}-{label}", secret, key, generation, self)
        return secret

    def _secret(
        self,
        label: str,
        physical_name: str,
        description: str,
        readers: Sequence[pulumi.Input[str]] = (),
        *,
        deletable: bool = False,
    ) -> aws.secretsmanager.Secret:
        return task_secret(
            f"{self.pulumi_resource_name}-{label}",
            self._context,
            physical_name=physical_name,
            description=description,
            key_arn=self._key_arn,
            readers=readers,
            deletable=deletable,
            parent=self,
        )
