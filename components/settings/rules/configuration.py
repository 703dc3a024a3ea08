"""Rules for the server's configuration: repositories, files and references to secrets."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from ...configuration import (
    notifications,
    repo_configuration,
    repo_configuration_parser,
    server_configuration,
    yaml_file,
)
from ...configuration.secret_names import looks_secret
from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import is_default

Refusal: TypeAlias = Callable[[Path, str], str | None]


def _server_config_file(settings: Settings) -> Iterator[Problem]:
    path = settings.configuration.server_config_file
    if not path:
        return
    try:
        flags = server_configuration.load(path)
    except yaml_file.YamlFileError as error:
        yield Problem({"serverConfigFile": path}, str(error))
        return
    secrets = [reference.split("=", 1)[0] for reference in settings.configuration.server_secrets]
    refused = list(_in_file("serverConfigFile", path, server_configuration.problems(flags)))
    yield from refused
    yield from _notifications(settings, path, flags.get(notifications.BLOCK), secrets)
    if not refused:
        yield from _refused_by_atlantis(
            "serverConfigFile", path, partial(repo_configuration_parser.flags_refusal, secrets=secrets)
        )
    if flags.get("enable-external-stores") is True and not _has_plan_store(settings.configuration.repo_config_file):
        yield Problem(
            {"serverConfigFile": path},
            "enable-external-stores requires external_stores.plan_store in repoConfigFile; the server doesn't start without it",
        )
    for word in () if settings.configuration.allow_state_commands else server_configuration.state_commands(flags):
        yield Problem(
            {"serverConfigFile": path},
            f"allow-commands has {word}, which enables `atlantis state rm` for everyone who can comment, without an approval; remove "
            "it, or set allowStateCommands to true if that is intended",
        )


def _notifications(settings: Settings, path: str, webhooks: object, secrets: Collection[str]) -> Iterator[Problem]:
    """Webhooks that the server refuses, or never sends, with the other settings."""
    if "slack" in notifications.kinds(webhooks) and notifications.SLACK_TOKEN not in secrets:
        yield Problem(
            {"serverConfigFile": path, "serverSecrets": None},
            f"webhooks of kind slack require {notifications.SLACK_TOKEN} in serverSecrets, such as "
            f"{notifications.SLACK_TOKEN}=prod/atlantis-slack:token; the server doesn't start without it",
        )
    if "drift" in notifications.events(webhooks) and not settings.drift.enabled:
        yield Problem(
            {"serverConfigFile": path, "driftProjects": None},
            "webhooks for drift are never sent without driftProjects; set it, or remove them",
        )


def _has_plan_store(path: str | None) -> bool:
    try:
        stores = repo_configuration.load(path).get("external_stores") if path else None
    except yaml_file.YamlFileError:
        return True  # The rule for the file reports it.
    return bool(isinstance(stores, dict) and stores.get("plan_store"))


def _server_secrets(settings: Settings) -> Iterator[Problem]:
    for reference in settings.configuration.server_secrets:
        flag = reference.split("=", 1)[0]
        if reason := server_configuration.not_a_secret_flag(flag):
            yield Problem({"serverSecrets": flag}, reason)
        elif flag == server_configuration.API_SECRET and not settings.configuration.allow_api:
            yield Problem(
                {"serverSecrets": flag},
                "everyone with this secret can apply any branch through the API, without an approval; remove it, or set allowApi "
                "to true if that is intended",
            )


def _unused_api(settings: Settings) -> Iterator[Problem]:
    flags = [reference.split("=", 1)[0] for reference in settings.configuration.server_secrets]
    if settings.configuration.allow_api and server_configuration.API_SECRET not in flags:
        yield Problem(
            {"allowApi": True}, "requires api-secret in serverSecrets, without which the API is off; remove it"
        )


def _server_secrets_of_plans(settings: Settings) -> Iterator[Problem]:
    """A secret of the server in the environment of plans: a plan is code of a pull request."""
    generated = f"{settings.environment}-atlantis-"
    of_server = {tuple(item.split("=", 1)[1].rsplit(":", 1)) for item in settings.configuration.server_secrets}
    for reference in settings.configuration.secret_environment:
        secret, _, key = reference.split("=", 1)[1].rpartition(":")
        if secret in settings.existing_secret_names or secret.startswith(generated) or (secret, key) in of_server:
            yield Problem(
                {"secretEnvironment": reference.split("=", 1)[0]},
                f"must not name {secret}:{key}, a secret of the server, because every plan can read it; store what plans need in a "
                "separate secret",
            )


def _named_once(settings: Settings) -> Iterator[Problem]:
    for key, references in {
        "secretEnvironment": settings.configuration.secret_environment,
        "serverSecrets": settings.configuration.server_secrets,
    }.items():
        names = [reference.split("=", 1)[0] for reference in references]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Problem({key: name}, "must not be set twice")


def _environment_variables(settings: Settings) -> Iterator[Problem]:
    configuration = settings.configuration
    secret = {reference.split("=", 1)[0] for reference in configuration.secret_environment}
    for name, value in configuration.environment_variables.items():
        if name in secret:
            yield Problem({"environmentVariables": name}, "is in secretEnvironment too; remove one of them")
        elif looks_secret(name, value):
            # The value isn't shown, because it may be a secret.
            yield Problem(
                {"environmentVariables": name},
                "looks like a secret, which would be in plaintext in the task definition; store it in Secrets Manager and name it in "
                "secretEnvironment",
            )


def _repo_config_file(settings: Settings) -> Iterator[Problem]:
    configuration = settings.configuration
    path = configuration.repo_config_file
    if not path:
        if configuration.allow_weaker_requirements:
            yield Problem(
                {"allowWeakerRequirements": True},
                "applies only to a repoConfigFile; remove it, because the stack's own rules aren't weaker",
            )
        return
    has_rules = repo_configuration.has_rules(path)
    if has_rules and not is_default(configuration, "default_branch"):
        yield Problem(
            {"defaultBranch": configuration.default_branch},
            "isn't used with repoConfigFile; set branch in that file instead",
        )
    if has_rules and settings.server.plan_requirements:
        yield Problem(
            {"planRequirements": list(settings.server.plan_requirements)},
            "isn't used with repoConfigFile; set plan_requirements in that file instead",
        )
    try:
        content = repo_configuration.load(path)
    except yaml_file.YamlFileError as error:
        yield Problem({"repoConfigFile": path}, str(error))
        return
    refused = list(_in_file("repoConfigFile", path, repo_configuration.problems(content)))
    yield from refused
    if not refused:
        yield from _refused_by_atlantis("repoConfigFile", path, repo_configuration_parser.refusal)
    if not configuration.allow_weaker_requirements:
        for problem in _in_file("repoConfigFile", path, repo_configuration.weaker(content)):
            yield Problem(
                problem.keys,
                f"{problem.reason}; require it, or set allowWeakerRequirements to true if that is intended",
            )


def _refused_by_atlantis(setting: str, path: str, refusal: Refusal) -> Iterator[Problem]:
    """Problems that this program's own checks don't cover, if the server's executable is available."""
    executable = repo_configuration_parser.find()
    if executable and (reason := refusal(executable, path)):
        yield Problem({setting: path}, f"Atlantis rejects the file: {reason}")


def _in_file(setting: str, path: str, findings: Iterator[yaml_file.Finding]) -> Iterator[Problem]:
    for line, message in yaml_file.located(path, findings):
        yield Problem({setting: path}, f"line {line}: {message}")


RULES: tuple[Rule, ...] = (
    _server_config_file,
    _server_secrets,
    _server_secrets_of_plans,
    _unused_api,
    _named_once,
    _environment_variables,
    _repo_config_file,
)
