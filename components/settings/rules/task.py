"""Rules for the task: its image, its size, and containers of the operator's."""

import re
from collections.abc import Iterator

from ...configuration.secret_names import looks_secret
from ..accepted import FARGATE_MEMORY
from ..arguments import Settings
from ..extra_containers import STACKS_OWN
from ..problem import Problem, Rule
from ..schema import is_default


def _image(settings: Settings) -> Iterator[Problem]:
    task = settings.task
    if task.image and not is_default(task, "image_tag"):
        yield Problem(
            {"image": task.image, "imageTag": task.image_tag},
            "can't be combined, because image is the full reference; remove imageTag",
        )


def _image_version(settings: Settings) -> Iterator[Problem]:
    """Applies to tags that begin with a server version, as the tags of the stock image and of images based on it do."""
    task = settings.task
    if task.image:
        if not isinstance(task.image, str):
            return
        named = re.search(r"(?:^|/)atlantis:([^@]+)", task.image)
        key, value, tag = "image", task.image, named[1] if named else ""
    else:
        key, value, tag = "imageTag", task.image_tag, task.image_tag
    version = re.match(r"v(\d+)\.(\d+)\.(\d+)", tag)
    if version and tuple(map(int, version.groups())) < (0, 47, 1):
        yield Problem(
            {key: value},
            "must be v0.47.1 or newer, because older servers pass a pull request's workspace name to a shell (GHSA-rjh2-4xgw-p2hj). "
            "Begin the tag of your own image with the server's version, such as v0.47.1-1",
        )


def unsupported_size(cpu: int, memory: int) -> str:
    """Why Fargate has no task of this size; empty if it has."""
    sizes = FARGATE_MEMORY[cpu]
    if memory in sizes:
        return ""
    step = f", in steps of {sizes.step}" if isinstance(sizes, range) else ""
    return f"for {cpu} CPU units, Fargate supports {min(sizes)} to {max(sizes)} MiB{step}"


def _task_size(settings: Settings) -> Iterator[Problem]:
    cpu, memory = settings.task.cpu, settings.task.memory
    if problem := unsupported_size(cpu, memory):
        yield Problem({"cpu": cpu, "memory": memory}, problem)


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


RULES: tuple[Rule, ...] = (
    _image,
    _image_version,
    _task_size,
    _names,
    _room,
    _variables,
    _secrets,
)
