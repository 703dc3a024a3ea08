"""Rules for tags."""

from collections.abc import Iterator

from ..arguments import Settings
from ..problem import Problem, Rule

_FIXED = ("Environment", "ManagedBy", "Name", "Project", "Service")
"""Tags that policies and preflight recognize the stack's resources by."""
_DEFAULTED = ("CostCenter", "DataClass", "Owner", "Team")


def _keys(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, str] = {key.lower(): key for key in _DEFAULTED}
    for key in settings.operations.tags:
        # IAM doesn't distinguish the case of tag keys.
        if key.lower() in (fixed.lower() for fixed in _FIXED):
            yield Problem({"tags": key}, f"can't be set: the stack sets {', '.join(_FIXED)} itself")
        elif (other := seen.get(key.lower(), key)) != key:
            yield Problem({"tags": key}, f"differs from {other} only in case, which IAM refuses; write it as {other}")
        seen[key.lower()] = key


RULES: tuple[Rule, ...] = (_keys,)
