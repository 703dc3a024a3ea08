"""The server's container: image, start, environment, secrets and data directory of Atlantis in its task."""

import json
from collections.abc import Mapping

import pulumi

from ..configuration import checkout, comment_arguments, notifications, repo_configuration, server_configuration
from ..configuration.vcs import WEBHOOK_KEY
from ..parts import Parts
from ..settings.groups import ConfigurationArgs, ServerArgs
from ..storage.locking import PASSWORD_KEY, PORT
from . import outbound
from .container import NO_CAPABILITIES, TaskLogs, awslogs, image_of, mount, secrets, variables
from .server_start import server_start

CONTAINER = "atlantis"
DATA_VOLUME, DATA_DIRECTORY = "atlantis-data", "/home/atlantis/.atlantis"
AGENT = "agent"
"""The container that hands commands to the workers, with terraformIsolation."""
AFTER_AGENT = {"containerName": AGENT, "condition": "START"}
WORKERS_VOLUME, WORKERS_DIRECTORY = "workers", "/run/isolation/workers"
"""The volume in which commands leave their requests for the agent."""
IMAGE_GROUP = 1000
"""The group that the stock image's files belong to; its user is 100."""
FILE_DESCRIPTORS = 65536
RULES = "ATLANTIS_REPO_CONFIG_JSON"
"""The rules for repositories: of the plain variables, the only one that the server's processes don't inherit. Each plan, hook and git
command would get up to 64 KiB, which name other repositories. The task definition shows them: ECS has no other input."""
WEB_USER = "atlantis"
"""The user of the web page, with the generated password."""


def server_user(parts: Parts) -> str:
    """`uid:gid` of the server's processes."""
    return f"{parts.settings.storage.posix_uid}:{IMAGE_GROUP}"


def server_container(parts: Parts, logs: TaskLogs, *, cpu: int) -> Mapping[str, object]:
    """The container definition, with outputs in it. `cpu`: units, or 0 where no other container has some."""
    settings, references = parts.settings, _secrets(parts)
    isolates, port = settings.terraform.isolates, settings.task.container_port
    # Also the order of a stop: the server, which waits for its operations, goes first.
    waits = [*outbound.dependencies(settings.outbound), *([AFTER_AGENT] if isolates else ())]
    return {
        "name": CONTAINER,
        "image": image_of(parts),
        # Secrets that aren't flags of the server stay in its environment, for workflows.
        **server_start([RULES, *(name for name in references if name.startswith("ATLANTIS_"))], isolated=isolates),
        **({"cpu": cpu} if cpu else {}),
        **({"dependsOn": waits} if waits else {}),
        "essential": True,
        "user": server_user(parts),
        "privileged": False,
        "linuxParameters": NO_CAPABILITIES,
        # The stock image writes Git credentials to its home directory, outside the volume, so EFS stores no tokens.
        "readonlyRootFilesystem": False,
        "portMappings": [{"containerPort": port, "hostPort": port, "protocol": "tcp"}],
        "environment": variables(_environment(parts)),
        "secrets": secrets(references),
        "mountPoints": [
            mount(DATA_VOLUME, DATA_DIRECTORY),
            *outbound.mounts(settings.outbound),
            *([mount(WORKERS_VOLUME, WORKERS_DIRECTORY)] if isolates else ()),
        ],
        # Afterwards, ECS kills an apply that still runs, which leaves its state locked.
        "stopTimeout": settings.task.stop_timeout,
        "ulimits": [{"name": "nofile", "softLimit": FILE_DESCRIPTORS, "hardLimit": FILE_DESCRIPTORS}],
        "logConfiguration": awslogs(logs.group, parts.context.names.region, CONTAINER),
    }


def _environment(parts: Parts) -> dict[str, pulumi.Input[str]]:
    settings, names = parts.settings, parts.context.names
    server, configuration = settings.server, settings.configuration
    environment: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_ATLANTIS_URL": settings.ingress.url,
        "ATLANTIS_CHECKOUT_STRATEGY": "merge",
        "ATLANTIS_DATA_DIR": DATA_DIRECTORY,
        "ATLANTIS_FAIL_ON_PRE_WORKFLOW_HOOK_ERROR": "true",
        "ATLANTIS_LOG_LEVEL": server.log_level,
        "ATLANTIS_PORT": str(settings.task.container_port),
        "ATLANTIS_REPO_ALLOWLIST": server.repo_allowlist,
        RULES: json.dumps(_repo_config(server, configuration)),
        "ATLANTIS_WEBSOCKET_CHECK_ORIGIN": "true",
        "ATLANTIS_WRITE_GIT_CREDS": "true",
        **server_configuration.environment(settings.vcs.kind.values(settings.repository_host, settings.vcs.vcs_user)),
        **checkout.environment(),
        **outbound.environment(settings.outbound, names, settings.vpc_endpoints),
    }
    if "webPassword" in parts.secrets.arns:
        environment |= {"ATLANTIS_WEB_BASIC_AUTH": "true", "ATLANTIS_WEB_USERNAME": WEB_USER}
    if "api" in parts.secrets.arns:
        # Without remediation: a person decides whether the code or the change is right.
        environment["ATLANTIS_ENABLE_DRIFT_DETECTION"] = "true"
    if parts.locking:
        environment |= {
            "ATLANTIS_LOCKING_DB_TYPE": "redis",
            "ATLANTIS_REDIS_HOST": parts.locking.host,
            "ATLANTIS_REDIS_PORT": str(PORT),
            "ATLANTIS_REDIS_TLS_ENABLED": "true",
        }
    file = configuration.server_config_file
    flags = server_configuration.load(file) if file else {}
    denied = comment_arguments.blocked(configuration.allowed_extra_arguments, str(flags.get("blocked-extra-args", "")))
    environment |= server_configuration.environment(flags | {"blocked-extra-args": denied})
    if webhooks := flags.get(notifications.BLOCK):
        environment[notifications.VARIABLE] = notifications.fragment(webhooks)
    plain = configuration.environment_variables
    environment |= plain
    if settings.terraform.isolates:
        for_terraform = sorted(
            name for name in (*parts.existing.value_from, *plain) if not name.startswith("ATLANTIS_")
        )
        environment |= {
            # A version that isn't in the image would be downloaded and run in this task.
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


def vcs_secrets(parts: Parts) -> dict[str, pulumi.Input[str]]:
    """References to the credentials for the repositories' host, by variable."""
    return {
        server_configuration.variable(flag): reference(parts, "credentials", key)
        for flag, key in parts.settings.vcs.kind.secret_flags.items()
    }


def reference(parts: Parts, secret: str, key: str) -> pulumi.Output[str]:
    """The reference that ECS resolves when the task starts: ARN, JSON key, current version. `secret`: its use."""
    return pulumi.Output.concat(parts.secrets.arns[secret], f":{key}::")


def page_and_api_secrets(parts: Parts) -> dict[str, pulumi.Input[str]]:
    """The password of the web page, and the secret of the API, by variable; those that the stack has."""
    own = {"webPassword": ("ATLANTIS_WEB_PASSWORD", "web_password"), "api": ("ATLANTIS_API_SECRET", "api_secret")}
    return {name: reference(parts, secret, key) for secret, (name, key) in own.items() if secret in parts.secrets.arns}


def _secrets(parts: Parts) -> dict[str, pulumi.Input[str]]:
    webhook = server_configuration.variable(parts.settings.vcs.kind.webhook_flag)
    found: dict[str, pulumi.Input[str]] = {
        **vcs_secrets(parts),
        webhook: reference(parts, "webhook", WEBHOOK_KEY),
        **page_and_api_secrets(parts),
    }
    if locking := parts.locking:
        found["ATLANTIS_REDIS_PASSWORD"] = pulumi.Output.concat(locking.password_secret_arn, f":{PASSWORD_KEY}::")
    return found | dict(parts.existing.value_from)
