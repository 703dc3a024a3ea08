"""Rules for the host of the repositories: its settings, its ranges, and what isn't available with each kind."""

from collections.abc import Iterator

from ...configuration import repo_configuration, server_configuration, yaml_file
from ..allowlist import WITH_SPACES
from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import changed

_OF_GITHUB = (("server", "github_hostname"), ("ingress", "github_webhook_cidr_blocks"))
_OF_OTHERS = (("vcs", "vcs_host"), ("vcs", "vcs_webhook_cidr_blocks"))
_OF_THE_APP = (("server", "github_app_secret_name"),)
_OF_USERS = (("vcs", "vcs_user"), ("vcs", "vcs_token_secret_name"))


def _unused(settings: Settings) -> Iterator[Problem]:
    """Settings of another kind of host, which would have no effect."""
    vcs = settings.vcs
    for holder, field in (*(_OF_OTHERS if vcs.is_github else _OF_GITHUB), *(_OF_USERS if vcs.is_app else _OF_THE_APP)):
        for key, value in changed(getattr(settings, holder), field).items():
            keys = {key: value, "vcsKind": vcs.vcs_kind}
            yield Problem(keys, f"isn't used with {vcs.vcs_kind}; remove it, or set vcsKind")


def _missing(settings: Settings) -> Iterator[Problem]:
    vcs = settings.vcs
    if not vcs.is_app and not vcs.vcs_user:
        yield Problem(
            {"vcsKind": vcs.vcs_kind}, "also requires vcsUser, the name of the user whose token the server uses"
        )
    if not settings.repository_host:
        yield Problem({"vcsKind": vcs.vcs_kind}, f"also requires vcsHost, the host name of {vcs.kind.title}")


def _hook_ranges(settings: Settings) -> Iterator[Problem]:
    """A host whose ranges aren't published. Without a source restriction, everyone could send events to the server."""
    host = settings.repository_host
    if not settings.ingress.has_load_balancer:
        return
    if settings.vcs.is_github and host != "github.com" and not settings.ingress.github_webhook_cidr_blocks:
        yield Problem(
            {"githubHostname": host},
            "also requires githubWebhookCidrBlocks, the ranges of its webhooks (the default ranges are those of github.com)",
        )
    elif host and not settings.webhook_cidr_blocks:
        yield Problem(
            {"vcsHost": host},
            "also requires vcsWebhookCidrBlocks, the ranges from which it sends webhooks, because it publishes none",
        )


def _allowlist(settings: Settings) -> Iterator[Problem]:
    wanted, vcs = settings.repository_host, settings.vcs
    key = "githubHostname" if vcs.is_github else "vcsHost"
    segments = vcs.kind.path_segments
    for entry in settings.server.repo_allowlist.split(",") if wanted else ():
        host, _, path = entry.removeprefix("!").partition("/")
        if host.lower() != wanted:
            keys = {"repoAllowlist": entry, key: wanted}
            yield Problem(keys, f"the host of each entry must be {key}, not {host.lower()}")
        elif path == "*" and not entry.startswith("!"):
            yield from _every_owner(settings, entry, host)
        elif " " in path and vcs.vcs_kind not in WITH_SPACES:
            keys = {"repoAllowlist": entry, "vcsKind": vcs.vcs_kind}
            yield Problem(keys, f"no name of {vcs.kind.title} has spaces; separate entries with commas")
        elif path.count("/") + 1 not in segments:
            yield Problem(
                {"repoAllowlist": entry, "vcsKind": vcs.vcs_kind},
                f"a repository of {vcs.kind.title} has at most {segments.stop - 1} names after the host",
            )


def _every_owner(settings: Settings, entry: str, host: str) -> Iterator[Problem]:
    if host == settings.vcs.kind.host:
        yield Problem(
            {"repoAllowlist": entry}, f"must have an owner: it would serve the repositories of everyone who uses {host}"
        )
    elif not settings.server.serve_every_owner:
        yield Problem(
            {"repoAllowlist": entry, "serveEveryOwner": False},
            f"would serve the repositories of every owner of {host}; name the owners, or set serveEveryOwner",
        )


def _isolated(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.isolates and not settings.vcs.is_app:
        yield Problem(
            {"terraformIsolation": "tasks", "vcsKind": settings.vcs.vcs_kind},
            "is available with github-app only: git stores a user's token in each checkout, where plans can read it, and Terraform gets "
            "short-lived tokens for modules from the App; use terraformIsolation none, or a GitHub App",
        )


def _flags_of_the_kind(settings: Settings) -> Iterator[Problem]:
    """Flags of the host in a file or in serverSecrets, which the stack sets."""
    reason = f"the stack sets this flag for vcsKind {settings.vcs.vcs_kind}; use the settings that begin with vcs"
    owned = settings.vcs.kind.flags - server_configuration.OWNED.keys()  # the others are refused for every kind
    for reference in settings.configuration.server_secrets:
        if (flag := reference.split("=", 1)[0]) in owned:
            yield Problem({"serverSecrets": flag}, reason)
    path = settings.configuration.server_config_file
    for flag in sorted(owned & yaml_file.readable(server_configuration.load, path).keys()):
        yield Problem({"serverConfigFile": path}, f"{flag}: {reason}")


def _repo_config_hosts(settings: Settings) -> Iterator[Problem]:
    """Rules for repositories of another host, which match nothing. Stacks with GitHub always could have them."""
    path, host = settings.configuration.repo_config_file, settings.repository_host
    if settings.vcs.is_app or not host:
        return
    repos = yaml_file.readable(repo_configuration.load, path).get("repos")
    for repo in repos if isinstance(repos, list) else ():
        name = repo.get("id") if isinstance(repo, dict) else None
        if isinstance(name, str) and not name.startswith("/") and name.partition("/")[0].lower() != host:
            yield Problem(
                {"repoConfigFile": path}, f"the rule for {name} matches no repository of {host}; correct its id"
            )


RULES: tuple[Rule, ...] = (_unused, _missing, _hook_ranges, _allowlist, _isolated)
"""Rules that read no file."""
RULES_WITH_FILES: tuple[Rule, ...] = (_flags_of_the_kind, _repo_config_hosts)
