"""The server's container: image, start, environment, secrets and data directory of Atlantis in its task."""

import dataclasses
import json
from collections.abc import Mapping

import pulumi

from ..configuration import checkout, comment_arguments, notifications, repo_configuration, server_configuration
from ..configuration.vcs import WEBHOOK_KEY
from ..context import Context
from ..settings.groups import ConfigurationArgs, ServerArgs
from ..settings.outbound import OutboundArgs
from ..settings.vcs import VcsArgs
from ..storage.locking import PASSWORD_KEY, LockingDatabase
from . import isolation, outbound
from .container_log import awslogs
from .container_privileges import NO_CAPABILITIES
from .server_start import server_start

CONTAINER = "atlantis"
DATA_VOLUME, DATA_DIRECTORY = "atlantis-data", "/home/atlantis/.atlantis"
IMAGE_GROUP = 1000
"""The group that the stock image's files belong to; its user is 100."""
FILE_DESCRIPTORS = 65536
RULES = "ATLANTIS_REPO_CONFIG_JSON"
"""The rules for repositories: of the plain variables, the only one that the server's processes don't inherit."""
WEB_USER = "atlantis"
"""The user of the web page, with the generated password."""


@dataclasses.dataclass(kw_only=True)
class ServerContainerInputs:
    """The server's configuration."""

    context: Context
    settings: ServerArgs
    configuration: ConfigurationArgs
    value_from: Mapping[str, pulumi.Input[str]]
    """Additional secrets of the environment: ECS secret references by variable name."""
    cpu: int
    """CPU units that it has while the task is busy; 0: without other containers that have some."""
    stop_timeout: int
    """Seconds. ECS then kills an apply that still runs, which leaves its state locked."""
    image: pulumi.Input[str]
    url: pulumi.Input[str]
    container_port: int
    posix_uid: int
    vcs: VcsArgs
    repository_host: str
    """Host name of the repositories."""
    credentials_secret_arn: pulumi.Input[str]
    """The GitHub App's secret, or the one with the user's token."""
    webhook_secret_arn: pulumi.Input[str]
    web_password_secret_arn: pulumi.Input[str] | None
    """None if the server requires no password."""
    api_secret_arn: pulumi.Input[str] | None
    """The secret of the server's API, for drift detection; None for a server without an API."""
    locking_database: LockingDatabase | None
    """None: the locks are in a file in the data directory, which only one server at a time can open."""
    log_group_name: pulumi.Input[str]
    isolates: bool
    """Whether Terraform runs in other containers."""
    outbound: OutboundArgs
    outbound_environment: Mapping[str, str]
    """The variables of each container for the proxy and the certificates."""


def server_container(args: ServerContainerInputs) -> Mapping[str, object]:
    """The container definition, with outputs in it."""
    secrets = _secrets(args)
    mounts: list[dict[str, object]] = [
        {"sourceVolume": DATA_VOLUME, "containerPath": DATA_DIRECTORY, "readOnly": False}
    ]
    mounts += outbound.mounts(args.outbound)
    waits = outbound.dependencies(args.outbound)
    if args.isolates:
        mounts += isolation.server_mounts()
        # Also the order of a stop: the server, which waits for its operations, goes first.
        started = [*isolation.EXECUTORS, isolation.AGENT]
        waits += [{"containerName": name, "condition": "START"} for name in started]
    return {
        "name": CONTAINER,
        "image": args.image,
        # Secrets that aren't flags of the server stay in its environment, for workflows.
        **server_start([RULES, *(name for name in secrets if name.startswith("ATLANTIS_"))], isolated=args.isolates),
        **({"cpu": args.cpu} if args.cpu else {}),
        **({"dependsOn": waits} if waits else {}),
        "essential": True,
        "user": f"{args.posix_uid}:{IMAGE_GROUP}",
        "privileged": False,
        "linuxParameters": NO_CAPABILITIES,
        # The stock image writes Git credentials to its home directory, outside the volume, so EFS stores no tokens.
        "readonlyRootFilesystem": False,
        "portMappings": [{"containerPort": args.container_port, "hostPort": args.container_port, "protocol": "tcp"}],
        "environment": [{"name": key, "value": value} for key, value in sorted(_environment(args).items())],
        "secrets": [{"name": key, "valueFrom": value} for key, value in sorted(secrets.items())],
        "mountPoints": mounts,
        "stopTimeout": args.stop_timeout,
        "ulimits": [{"name": "nofile", "softLimit": FILE_DESCRIPTORS, "hardLimit": FILE_DESCRIPTORS}],
        "logConfiguration": awslogs(args.log_group_name, args.context.names.region, CONTAINER),
    }


def _environment(args: ServerContainerInputs) -> dict[str, pulumi.Input[str]]:
    environment: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_ATLANTIS_URL": args.url,
        "ATLANTIS_CHECKOUT_STRATEGY": "merge",
        "ATLANTIS_DATA_DIR": DATA_DIRECTORY,
        "ATLANTIS_FAIL_ON_PRE_WORKFLOW_HOOK_ERROR": "true",
        "ATLANTIS_LOG_LEVEL": args.settings.log_level,
        "ATLANTIS_PORT": str(args.container_port),
        "ATLANTIS_REPO_ALLOWLIST": args.settings.repo_allowlist,
        RULES: json.dumps(_repo_config(args.settings, args.configuration)),
        "ATLANTIS_WEBSOCKET_CHECK_ORIGIN": "true",
        "ATLANTIS_WRITE_GIT_CREDS": "true",
        **server_configuration.environment(args.vcs.kind.values(args.repository_host, args.vcs.vcs_user)),
        **checkout.environment(),
        **args.outbound_environment,
    }
    if args.web_password_secret_arn:
        environment |= {"ATLANTIS_WEB_BASIC_AUTH": "true", "ATLANTIS_WEB_USERNAME": WEB_USER}
    if args.api_secret_arn:
        # Without remediation: a person decides whether the code or the change is right.
        environment["ATLANTIS_ENABLE_DRIFT_DETECTION"] = "true"
    if args.locking_database:
        environment |= {
            "ATLANTIS_LOCKING_DB_TYPE": "redis",
            "ATLANTIS_REDIS_HOST": args.locking_database.host,
            "ATLANTIS_REDIS_PORT": str(args.locking_database.port),
            "ATLANTIS_REDIS_TLS_ENABLED": "true",
        }
    file = args.configuration.server_config_file
    flags = server_configuration.load(file) if file else {}
    denied = comment_arguments.blocked(
        args.configuration.allowed_extra_arguments, str(flags.get("blocked-extra-args", ""))
    )
    environment |= server_configuration.environment(flags | {"blocked-extra-args": denied})
    if webhooks := flags.get(notifications.BLOCK):
        environment[notifications.VARIABLE] = notifications.fragment(webhooks)
    plain = args.configuration.environment_variables
    environment |= plain
    if args.isolates:
        for_terraform = sorted(name for name in (*args.value_from, *plain) if not name.startswith("ATLANTIS_"))
        environment |= {
            # A version that isn't in the image would be downloaded and run in this container.
            "ATLANTIS_TF_DOWNLOAD": "false",
            "ATLANTIS_USE_TF_PLUGIN_CACHE": "false",
            **({"ISOLATION_FORWARD": " ".join(for_terraform)} if for_terraform else {}),
        }
    return environment


def _repo_config(server: ServerArgs, settings: ConfigurationArgs) -> Mapping[str, object]:
    """Atlantis' server-side rules: a pull request can neither weaken the apply requirements nor define commands."""
    file = settings.repo_config_file
    rules = repo_configuration.as_json_names(repo_configuration.load(file)) if file else {}
    if not repo_configuration.has_rules(file):
        rules |= repo_configuration.default(settings.default_branch, plan_requirements=list(server.plan_requirements))
    return checkout.with_commit_check(rules)


def vcs_secrets(vcs: VcsArgs, secret_arn: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """References to the credentials for the repositories' host, by variable."""
    return {
        server_configuration.variable(flag): pulumi.Output.concat(secret_arn, f":{key}::")
        for flag, key in vcs.kind.secret_flags.items()
    }


def api_secret(secret_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """The reference to the secret of the server's API."""
    return pulumi.Output.concat(secret_arn, ":api_secret::")


def _secrets(args: ServerContainerInputs) -> dict[str, pulumi.Input[str]]:
    """References that ECS resolves when the task starts: ARN, JSON key, current version."""
    webhook = server_configuration.variable(args.vcs.kind.webhook_flag)
    secrets: dict[str, pulumi.Input[str]] = {
        **vcs_secrets(args.vcs, args.credentials_secret_arn),
        webhook: pulumi.Output.concat(args.webhook_secret_arn, f":{WEBHOOK_KEY}::"),
    }
    if web := args.web_password_secret_arn:
        secrets["ATLANTIS_WEB_PASSWORD"] = pulumi.Output.concat(web, ":web_password::")
    if args.api_secret_arn:
        secrets["ATLANTIS_API_SECRET"] = api_secret(args.api_secret_arn)
    if locking := args.locking_database:
        secrets["ATLANTIS_REDIS_PASSWORD"] = pulumi.Output.concat(locking.password_secret_arn, f":{PASSWORD_KEY}::")
    return secrets | dict(args.value_from)
