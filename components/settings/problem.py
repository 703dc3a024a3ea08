"""What a rule between settings is, and what it yields."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from .arguments import Settings


@dataclasses.dataclass(frozen=True)
class Problem:
    """Settings that contradict each other or AWS."""

    keys: Mapping[str, object]
    """The keys it is about, with the value to show; None shows the key alone."""
    reason: str
    """What is accepted, and the way out. It may quote values of these keys."""


Rule: TypeAlias = Callable[[Settings], Iterator[Problem]]
