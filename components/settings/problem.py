"""The type of a rule between settings, and the problem that it yields."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from .arguments import Settings


@dataclasses.dataclass(frozen=True)
class Problem:
    """Settings that contradict each other or AWS."""

    keys: Mapping[str, object]
    """The keys of the problem, with the value to show; None shows only the key."""
    reason: str
    """What is accepted, and how to fix it. It may contain values of these keys."""


Rule: TypeAlias = Callable[[Settings], Iterator[Problem]]
