"""The server's container: image, start, environment, secrets and data directory of Atlantis in its task."""

import dataclasses
import json
from collections.abc import Mapping

import pulumi

from .context import Context
from .locking import PASSWORD_KEY, LockingDatabase
from .server_start import server_start
from .settings.groups import ServerSettings

CONTAINER = "atlantis"
DATA_VOLUME, DATA_DIRECTORY = "atlantis-data", "/home/atlantis/.atlantis"
IMAGE_GROUP = 1000
"""The group that the stock image's files belong to; its user is 100."""
STOP_TIMEOUT = 120
"""Seconds, the most that Fargate gives: a running apply is killed after it and leaves its state locked."""
FILE_DESCRIPTORS = 65536

REPO_CONFIG = json.dumps(
    {
        "repos": [
            {
                "id": "/.*/",
                "branch": "/^main$/",
                "plan_requirements": [],
                "apply_requirements": ["approved", "mergeable", "undiverged"],
                "import_requirements": ["approved", "mergeable", "undiverged"],
                "allowed_overrides": [],
                "allow_custom_workflows": False,
            }
        ]
    }
)
"""Atlantis' server-side rules: a pull request can neither loosen what an apply demands nor bring commands of its own."""


@dataclasses.dataclass(kw_only=True)
class ServerContainerArgs:
    """What the server is started with."""

    context: Context
    settings: ServerSettings
    image: pulumi.Input[str]
    url: str
    container_port: int
    posix_uid: int
    github_app_secret_arn: pulumi.Input[str]
    webhook_secret_arn: pulumi.Input[str]
    locking_database: LockingDatabase | None
    """None keeps the locks in a file of the data directory, which one server at a time can open."""
    log_group_name: pulumi.Input[str]


def server_container(args: ServerContainerArgs) -> Mapping[str, object]:
    """The container definition, with outputs in it."""
    secrets = _secrets(args)
    return {
        "name": CONTAINER,
        "image": args.image,
        **server_start(secrets),
        "essential": True,
        "user": f"{args.posix_uid}:{IMAGE_GROUP}",
        "privileged": False,
        # The stock image writes the credentials of git to its home, outside the volume: tokens stay off EFS.
        "readonlyRootFilesystem": False,
        "portMappings": [{"containerPort": args.container_port, "hostPort": args.container_port, "protocol": "tcp"}],
        "environment": [{"name": key, "value": value} for key, value in sorted(_environment(args).items())],
        "secrets": [{"name": key, "valueFrom": value} for key, value in sorted(secrets.items())],
        "mountPoints": [{"sourceVolume": DATA_VOLUME, "containerPath": DATA_DIRECTORY, "readOnly": False}],
        "stopTimeout": STOP_TIMEOUT,
        "ulimits": [{"name": "nofile", "softLimit": FILE_DESCRIPTORS, "hardLimit": FILE_DESCRIPTORS}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": args.log_group_name,
                "awslogs-region": args.context.names.region,
                "awslogs-stream-prefix": CONTAINER,
            },
        },
    }


def _environment(args: ServerContainerArgs) -> dict[str, pulumi.Input[str]]:
    environment: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_ATLANTIS_URL": args.url,
        "ATLANTIS_CHECKOUT_STRATEGY": "merge",
        "ATLANTIS_DATA_DIR": DATA_DIRECTORY,
        "ATLANTIS_GH_HOSTNAME": args.settings.github_hostname,
        "ATLANTIS_LOG_LEVEL": args.settings.log_level,
        "ATLANTIS_PORT": str(args.container_port),
        "ATLANTIS_REPO_ALLOWLIST": args.settings.repo_allowlist,
        "ATLANTIS_REPO_CONFIG_JSON": REPO_CONFIG,
        "ATLANTIS_WRITE_GIT_CREDS": "true",
    }
    if args.locking_database:
        environment |= {
            "ATLANTIS_LOCKING_DB_TYPE": "redis",
            "ATLANTIS_REDIS_HOST": args.locking_database.host,
            "ATLANTIS_REDIS_PORT": str(args.locking_database.port),
            "ATLANTIS_REDIS_TLS_ENABLED": "true",
        }
    return environment


def _secrets(args: ServerContainerArgs) -> dict[str, pulumi.Output[str]]:
    """References that ECS resolves when the task starts: ARN, JSON key, current version."""
    app, webhook = args.github_app_secret_arn, args.webhook_secret_arn
    secrets = {
        "ATLANTIS_GH_APP_ID": pulumi.Output.concat(app, ":app_id::"),
        "ATLANTIS_GH_APP_INSTALLATION_ID": pulumi.Output.concat(app, ":installation_id::"),
        "ATLANTIS_GH_APP_KEY": pulumi.Output.concat(app, ":private_key::"),
        "ATLANTIS_GH_WEBHOOK_SECRET": pulumi.Output.concat(webhook, ":webhook_secret::"),
    }
    if locking := args.locking_database:
        secrets["ATLANTIS_REDIS_PASSWORD"] = pulumi.Output.concat(locking.password_secret_arn, f":{PASSWORD_KEY}::")
    return secrets
