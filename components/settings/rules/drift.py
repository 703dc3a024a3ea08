"""Rules for drift detection."""

from collections.abc import Iterator

from ...configuration import repo_configuration, yaml_file
from ..allowlist import serves
from ..arguments import Settings
from ..groups import PROJECT
from ..problem import Problem, Rule
from ..schema import changed, is_default

_NEED_PULL_REQUESTS = frozenset({"approved", "mergeable"})


def _only_with_projects(settings: Settings) -> Iterator[Problem]:
    drift = settings.drift
    if not drift.drift_projects:
        for key, value in changed(drift, "drift_every_hours", "drift_daily_at", "drift_show_plan").items():
            yield Problem({key: value}, "requires driftProjects; set driftProjects, or remove it")
    elif drift.drift_daily_at and not is_default(drift, "drift_every_hours"):
        keys = {"driftEveryHours": drift.drift_every_hours, "driftDailyAt": drift.drift_daily_at}
        yield Problem(keys, "exclude each other; remove one of the two")


def _isolated(settings: Settings) -> Iterator[Problem]:
    if settings.drift.drift_projects and not settings.terraform.isolates:
        yield Problem(
            {"driftProjects": None, "terraformIsolation": settings.terraform.terraform_isolation},
            "drift detection requires terraformIsolation tasks, which requires vcsKind github-app: its secret can apply without an "
            "approval, so no plan may share a task with it",
        )


def _in_allowlist(settings: Settings) -> Iterator[Problem]:
    for entry in settings.drift.drift_projects:
        found = PROJECT.fullmatch(entry)
        if found and not serves(settings.server.repo_allowlist, f"{settings.repository_host}/{found['repository']}"):
            keys = {"driftProjects": entry, "repoAllowlist": settings.server.repo_allowlist}
            yield Problem(
                keys, f"the server doesn't accept {found['repository']}; add it to repoAllowlist, or remove the project"
            )


def _no_pull_request(settings: Settings) -> Iterator[Problem]:
    """A detection has no pull request, so the server fails it if a plan requires one."""
    if not settings.drift.drift_projects:
        return
    reason = (
        "a detection has no pull request that could be approved or mergeable, so the server would fail it; require them for applies "
        "only, and limit who opens pull requests instead (docs/security.md)"
    )
    required = _NEED_PULL_REQUESTS & set(settings.server.plan_requirements)
    if required:
        yield Problem({"driftProjects": None, "planRequirements": sorted(required)}, reason)
    path = settings.configuration.repo_config_file
    for rule in yaml_file.readable(repo_configuration.load, path).get("repos") or []:
        if isinstance(rule, dict) and _NEED_PULL_REQUESTS & set(rule.get("plan_requirements") or ()):
            keys = {"driftProjects": None, "repoConfigFile": path}
            yield Problem(keys, f"plan_requirements of the repository {rule.get('id')}: {reason}")


def _own_secret(settings: Settings) -> Iterator[Problem]:
    for reference in settings.configuration.server_secrets:
        if settings.drift.drift_projects and reference.startswith("api-secret="):
            yield Problem(
                {"serverSecrets": reference, "driftProjects": None},
                "drift detection generates the API's secret, so that no person has it; remove it from serverSecrets",
            )


RULES: tuple[Rule, ...] = (_only_with_projects, _isolated, _in_allowlist, _no_pull_request, _own_secret)
