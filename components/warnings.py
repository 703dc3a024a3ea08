"""What each preview warns about: settings that are accepted, and weaker or without an effect."""

from collections.abc import Iterator

from .configuration import repo_configuration, server_configuration, server_steps
from .settings import Settings

__all__ = ["warnings"]


def warnings(settings: Settings) -> Iterator[str]:
    """One line for each."""
    path = settings.configuration.repo_config_file
    yield from repo_configuration.weaker_rules(path)
    yield from repo_configuration.unreachable_hosts(path)
    yield from server_configuration.warnings(settings.configuration.server_config_file)
    yield from settings.configuration.accepted_risks
    if not settings.vcs.is_app:
        yield (
            f"vcsKind {settings.vcs.vcs_kind}: every plan can read the token of {settings.vcs.vcs_user}, because git stores it in each "
            "checkout; grant this user only the repositories of repoAllowlist (docs/vcs.md)"
        )
    if settings.terraform.isolates:
        yield from server_steps.warnings(path)
