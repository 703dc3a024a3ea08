"""Rules for Terraform in separate containers: what the server's flags must not undo."""

from collections.abc import Iterator

from ...configuration import server_configuration, yaml_file
from ..accepted import REPOSITORY
from ..arguments import Settings
from ..problem import Problem, Rule

__all__ = ["RULES"]

_REASONS = {
    "tf-download": "a downloaded Terraform would run in the server's container; put the versions into the image",
    "use-tf-plugin-cache": "a cache would be shared by the commands of all pull requests",
    "enable-external-stores": "the server has no AWS credentials; plan files stay in the data directory",
    "local-share-plan-dir": "a plan file must be in its checkout",
}


def _server_flags(settings: Settings) -> Iterator[Problem]:
    path = settings.configuration.server_config_file
    if not (settings.terraform.isolates and path):
        return
    try:
        flags = server_configuration.load(path)
    except yaml_file.YamlFileError:
        return  # reported by the rule for the file itself
    for flag, reason in _REASONS.items():
        if flags.get(flag):
            yield Problem(
                {"serverConfigFile": path, "terraformIsolation": "containers"},
                f"{flag}: {reason}; remove the flag",
            )


def _roles(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.repository_roles and not settings.terraform.isolates:
        yield Problem(
            {"repositoryRoles": list(settings.terraform.repository_roles)},
            "applies only with terraformIsolation containers; otherwise plans and applies share the task role",
        )


def _states(settings: Settings) -> Iterator[Problem]:
    prefixes = settings.terraform.terraform_state_prefixes
    if any(REPOSITORY in prefix for prefix in prefixes) and not settings.terraform.isolates:
        yield Problem(
            {"terraformStatePrefixes": list(prefixes)},
            f"{REPOSITORY} applies only with terraformIsolation containers; otherwise all repositories share the task role",
        )


def _assumable(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.plan_assumable_role_arns and not settings.terraform.isolates:
        yield Problem(
            {"planAssumableRoleArns": None},
            "applies only with terraformIsolation containers; otherwise plans assume the roles of assumableRoleArns too",
        )


def _modules(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.module_repositories and not settings.terraform.isolates:
        yield Problem(
            {"moduleRepositories": list(settings.terraform.module_repositories)},
            "applies only with terraformIsolation containers; otherwise Terraform uses the server's own token",
        )


def _plan_policies(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.additional_plan_policy_arns and not settings.terraform.isolates:
        yield Problem(
            {"additionalPlanPolicyArns": None},
            "applies only with terraformIsolation containers; otherwise plans and applies share the task role, so use "
            "additionalPolicyArns",
        )


def _memory(settings: Settings) -> Iterator[Problem]:
    task = settings.task
    if settings.terraform.isolates and task.own_memory < _LEAST_MEMORY:
        extra = f" without the {task.memory - task.own_memory} of extraContainers" if task.extra_containers else ""
        yield Problem(
            {"memory": task.memory, "terraformIsolation": "containers"},
            f"must be at least {_LEAST_MEMORY}{extra}: plans get half of it, applies 30 percent, the server and the agent the rest",
        )


_LEAST_MEMORY = 2048

RULES: tuple[Rule, ...] = (_server_flags, _roles, _states, _assumable, _modules, _plan_policies, _memory)
