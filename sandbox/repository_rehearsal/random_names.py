"""Names that the random provider generates: other ones at each creation, as the parts of ARNs that AWS generates."""

import base64
import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.repository_rehearsal.decisions import Call

__all__ = ["values", "without"]

_CREATED = re.compile(
    r"^(?:\S+\.)?random_(?P<kind>id|integer|pet|string|uuid)\.\S+: Creation complete after \S+ \[id=(?P<value>[^\]\s]+)\]",
    re.MULTILINE,
)
_DISTINCTIVE = 4
"""From this length on, a value is replaced within words too. A shorter one, such as a number, is also a part of others."""


def values(text: str) -> list[str]:
    """The generated values in the output of applies, the longest first, with the other forms of a random ID."""
    found = {value for item in _CREATED.finditer(text) for value in _forms(item["kind"], item["value"])}
    return sorted(found, key=lambda value: (-len(value), value))


def without(calls: Iterable[Call], generated: Sequence[str]) -> list[Call]:
    """The calls with wildcards for the generated values in the names of their resources, and in the values of their keys."""
    if not generated:
        return list(calls)
    expression = re.compile("|".join(map(_expression, generated)))
    return [
        dataclasses.replace(call, resource=_widened(call.resource, expression), keys=_keys(call.keys, expression))
        for call in calls
    ]


def _forms(kind: str, value: str) -> Iterable[str]:
    yield value
    if kind == "id":
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        yield from (raw.hex(), str(int.from_bytes(raw, "big")))


def _expression(value: str) -> str:
    literal = re.escape(value)
    return literal if len(value) >= _DISTINCTIVE else rf"(?<![A-Za-z0-9]){literal}(?![A-Za-z0-9])"


def _keys(keys: Mapping[str, Any], expression: re.Pattern[str]) -> dict[str, Any]:
    return {key: _widened(value, expression) if isinstance(value, str) else value for key, value in keys.items()}


def _widened(text: str, expression: re.Pattern[str]) -> str:
    """``text`` with wildcards, if it is an ARN: in the part that names the resource."""
    if not text.startswith("arn:"):
        return text
    *head, name = text.split(":", 5)
    return ":".join([*head, expression.sub("*", name)])
