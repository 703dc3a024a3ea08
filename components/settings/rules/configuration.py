"""Rules for the server's configuration: repositories, files and references to secrets."""

from collections.abc import Iterator

from ...configuration import repo_configuration, repo_configuration_parser, server_configuration, yaml_file
from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import is_default

__all__ = ["RULES"]


def _allowlist_host(settings: Settings) -> Iterator[Problem]:
    wanted = settings.server.github_hostname
    for entry in settings.server.repo_allowlist.split(","):
        if (host := entry.removeprefix("!").split("/", 1)[0].lower()) != wanted:
            keys = {"repoAllowlist": entry, "githubHostname": wanted}
            yield Problem(keys, f"the host of each entry must be githubHostname, not {host}")


def _server_config_file(settings: Settings) -> Iterator[Problem]:
    path = settings.configuration.server_config_file
    if not path:
        return
    try:
        flags = server_configuration.load(path)
    except yaml_file.YamlFileError as error:
        yield Problem({"serverConfigFile": path}, str(error))
        return
    yield from _in_file("serverConfigFile", path, server_configuration.problems(flags))
    for word in () if settings.configuration.allow_state_commands else server_configuration.state_commands(flags):
        yield Problem(
            {"serverConfigFile": path},
            f"allow-commands has {word}, which enables `atlantis state rm` for everyone who can comment, without an approval; remove "
            "it, or set allowStateCommands to true if that is intended",
        )


def _server_secrets(settings: Settings) -> Iterator[Problem]:
    for reference in settings.configuration.server_secrets:
        flag = reference.split("=", 1)[0]
        if reason := server_configuration.not_a_secret_flag(flag):
            yield Problem({"serverSecrets": reference}, reason)
        elif flag == server_configuration.API_SECRET and not settings.configuration.allow_api:
            yield Problem(
                {"serverSecrets": reference},
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
                {"secretEnvironment": reference},
                f"must not name {secret}:{key}, a secret of the server, because every plan can read it; store what plans need in a "
                "secret of its own",
            )


def _named_once(settings: Settings) -> Iterator[Problem]:
    for key, references in {
        "secretEnvironment": settings.configuration.secret_environment,
        "serverSecrets": settings.configuration.server_secrets,
    }.items():
        names = [reference.split("=", 1)[0] for reference in references]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Problem({key: name}, "must not be set twice")


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
    if not is_default(configuration, "default_branch"):
        yield Problem(
            {"defaultBranch": configuration.default_branch},
            "isn't used with repoConfigFile; set branch in that file instead",
        )
    if settings.server.plan_requirements:
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
        yield from _refused_by_atlantis(path)
    if not configuration.allow_weaker_requirements:
        for problem in _in_file("repoConfigFile", path, repo_configuration.weaker(content)):
            yield Problem(
                problem.keys,
                f"{problem.reason}; require it, or set allowWeakerRequirements to true if that is intended",
            )


def _refused_by_atlantis(path: str) -> Iterator[Problem]:
    """Problems that the schema doesn't cover, if the server's executable is available."""
    executable = repo_configuration_parser.find()
    if executable and (reason := repo_configuration_parser.refusal(executable, path)):
        yield Problem({"repoConfigFile": path}, f"Atlantis rejects the file: {reason}")


def _in_file(setting: str, path: str, findings: Iterator[yaml_file.Finding]) -> Iterator[Problem]:
    for line, message in yaml_file.located(path, findings):
        yield Problem({setting: path}, f"line {line}: {message}")


RULES: tuple[Rule, ...] = (
    _allowlist_host,
    _server_config_file,
    _server_secrets,
    _server_secrets_of_plans,
    _unused_api,
    _named_once,
    _repo_config_file,
)
