"""The deployment to check: the settings of the stack file, the resources' physical names, and the account."""

import argparse
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from components import settings
from components.adoption import import_ids
from components.context import physical_names
from components.names import PhysicalNames
from components.settings import Settings
from components.settings.schema import known
from components.settings.stack_file import read_config
from preflight.aws import Aws
from preflight.errors import FailedError

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Deployment:
    """One stack with the settings of its file, in the account of the environment's credentials."""

    stack: str
    settings: Settings
    aws: Aws

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The caller's identity: `Account` and `Arn`."""
        return self.aws.read("sts", "get_caller_identity")

    @cached_property
    def names(self) -> PhysicalNames:
        """The physical names of the resources that the deployment creates."""
        partition = self.identity["Arn"].split(":")[1]
        return physical_names(self.settings, account=self.identity["Account"], partition=partition)

    @property
    def credentials_secret(self) -> str:
        """The name of the secret with the GitHub App's credentials or the user's token."""
        own = self.names.secret("github-app" if self.settings.vcs.is_app else "vcs-token")
        return known(self.settings.credentials_secret_name) or own

    @cached_property
    def adopted(self) -> frozenset[str]:
        """The import IDs of the resources that the next update imports instead of creating them."""
        return import_ids(self.stack)

    def service(self, name: str) -> dict[str, Any]:
        """The ECS service of this name in the stack's cluster.

        Raises:
            FailedError: there is none, or AWS refuses the call.
        """
        found = self.aws.find("ecs", "describe_services", cluster=self.names.cluster, services=[name])
        services = [each for each in (found or {}).get("services", ()) if each["status"] == "ACTIVE"]
        if not services:
            raise FailedError(f"there is no service {name}: the stack isn't deployed", "deploy it first (docs/aws.md)")
        return services[0]

    def owns(self, tags: Iterable[Mapping[str, str]]) -> bool:
        """Whether this stack created a resource with these tags, as AWS returns them."""
        # Services use three spellings: Key, key and TagKey.
        lowered = ({key.lower(): value for key, value in tag.items()} for tag in tags)
        found = {tag.get("key", tag.get("tagkey", "")): tag.get("value", tag.get("tagvalue", "")) for tag in lowered}
        return all(found.get(key) == self.settings.tags[key] for key in ("Project", "Environment", "ManagedBy"))


def deployment_of(arguments: argparse.Namespace) -> Deployment:
    """The deployment that a command's `--stack` and `--config-file` name.

    Raises:
        StackFileError: the file is missing or isn't a stack file.
        settings.SettingsError: the settings are invalid.
    """
    found = read_stack_file(arguments.config_file or PROJECT / f"Pulumi.{arguments.stack}.yaml", arguments.stack)
    return Deployment(arguments.stack, found, Aws(found.region))


def read_stack_file(path: Path, stack: str) -> Settings:
    """The settings in `path`, a `Pulumi.<stack>.yaml`. `Settings` has the same defaults as the engine.

    Raises:
        StackFileError: the file is missing or isn't a stack file.
        settings.SettingsError: the settings are invalid.
    """
    config = read_config(path)
    prefix = f"{settings.NAMESPACE}:"
    given = {key.removeprefix(prefix): value for key, value in config.items() if str(key).startswith(prefix)}
    encrypted = {key for key, value in given.items() if isinstance(value, dict) and "secure" in value}
    region = str(config.get("aws:region") or os.environ.get("AWS_REGION", ""))
    return settings.parse(given, stack=stack, region=region, secret_keys=encrypted)
