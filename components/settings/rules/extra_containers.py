"""Rules for containers of the operator's own."""

from collections.abc import Iterator

from ...configuration.secret_names import looks_secret
from ..arguments import Settings
from ..extra_containers import STACKS_OWN
from ..problem import Problem, Rule

_MOST_SECRETS = 10
"""The policy that denies them to Terraform has at most 6,144 characters."""
_LEAST_MEMORY = 512


def _problem(reason: str) -> Problem:
    # The value isn't shown, because a variable can be a secret.
    return Problem({"extraContainers": None}, reason)


def _names(settings: Settings) -> Iterator[Problem]:
    names = [each.name for each in settings.task.extra_containers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _problem(f"two have the name {name}; name each differently")
    for name in sorted(set(names) & set(STACKS_OWN)):
        yield _problem(
            f"{name} is the name of a container of the stack, as are {', '.join(STACKS_OWN)}; choose another"
        )


def _room(settings: Settings) -> Iterator[Problem]:
    task = settings.task
    if not task.extra_containers:
        return
    if task.own_cpu * 2 < task.cpu:
        yield _problem(
            f"have {task.cpu - task.own_cpu} CPU units together, more than half of the task's {task.cpu}; increase cpu, or reduce theirs"
        )
    if task.own_memory < _LEAST_MEMORY:
        yield _problem(
            f"have {task.memory - task.own_memory} MiB of memory together, which leaves {max(task.own_memory, 0)} of the task's "
            f"{task.memory} for the server; leave at least {_LEAST_MEMORY}: increase memory, or reduce theirs"
        )


def _variables(settings: Settings) -> Iterator[Problem]:
    for each in settings.task.extra_containers:
        for name, value in each.environment.items():
            if name in each.secrets:
                yield _problem(f"{each.name} has {name} in environment and in secrets; remove one of them")
            elif isinstance(value, str) and looks_secret(name, value):
                yield _problem(
                    f"{each.name}: the variable {name} looks like a secret, which would be in plaintext in the task definition; store it "
                    "in Secrets Manager and name its ARN in secrets"
                )


def _secrets(settings: Settings) -> Iterator[Problem]:
    count = sum(len(each.secrets) for each in settings.task.extra_containers)
    if count > _MOST_SECRETS:
        yield _problem(
            f"have {count} secrets together, and at most {_MOST_SECRETS} are accepted; store several values as keys of one secret"
        )


RULES: tuple[Rule, ...] = (_names, _room, _variables, _secrets)
