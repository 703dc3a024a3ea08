"""Rules for the task: its image and its size."""

import re
from collections.abc import Iterator

from ..accepted import FARGATE_MEMORY
from ..arguments import Settings
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


RULES: tuple[Rule, ...] = (
    _image,
    _image_version,
    _task_size,
)
