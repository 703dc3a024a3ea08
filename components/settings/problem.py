"""What a rule between settings yields."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Problem:
    """Settings that contradict each other or AWS."""

    keys: Mapping[str, object]
    """The keys it is about, with the value to show; None shows the key alone."""
    reason: str
    """What is accepted, and the way out. It may quote values of these keys."""
