"""Refusals that AWS' API references state as constraints of parameters: lengths, ranges, patterns and values.

AWS' SDK for Python has the same constraints, but checks few of them. AWS checks them before anything else.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sandbox.testbed.iam_evaluation.parameters import requested_tags
from sandbox.testbed.local_aws.refusals.call import Call

_OPEN = frozenset({"Runtime"})
"""Lists of values that AWS extends more often than this project its SDK."""
_ACCEPTED = frozenset({"aws/efs/automatic-backup-vault"})
"""Names that AWS gives, although its pattern for names excludes them."""
_READS = ("Describe", "Get", "List", "Search", "BatchGet")


def violated_constraint(call: Call, shape: Any) -> str | None:
    """AWS' message about the first parameter that violates a constraint; None if there is none."""
    if call.operation.partition(":")[2].startswith(_READS) or shape is None:
        return None
    return next(_violations(shape, call.parameters, ""), None)


def violated_tag(call: Call) -> str | None:
    """The message about a tag with the prefix that AWS reserves; None if there is none."""
    keys = requested_tags(call.parameters).get("aws:TagKeys", ()) if "ntag" not in call.operation else ()
    reserved = next((key for key in keys if str(key).lower().startswith("aws:")), None)
    return f"Tag keys starting with 'aws:' are reserved for system use: {reserved}" if reserved else None


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if problem := _problem(shape, value):
        shown = "" if shape.metadata.get("sensitive") else f"'{value}' "
        yield (
            f"1 validation error detected: Value {shown}at '{path}' failed to satisfy constraint: Member must {problem}"
        )
    elif kind == "structure" and isinstance(value, Mapping):
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _violations(member, value[name], f"{path}.{name}".lstrip("."))
    elif kind == "list" and isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _violations(shape.member, item, f"{path}.{number}.member")
    elif kind == "map" and isinstance(value, Mapping):
        for name, item in value.items():
            yield from _violations(shape.key, name, path)
            yield from _violations(shape.value, item, f"{path}.{name}")


def _problem(shape: Any, value: Any) -> str | None:  # noqa: PLR0911 - one reason each
    metadata, kind = shape.metadata, shape.type_name
    lowest, highest = metadata.get("min"), metadata.get("max")
    if kind in ("integer", "long", "float", "double") and isinstance(value, int | float):
        size, smaller, larger = value, "have value greater than or equal to", "have value less than or equal to"
    elif kind in ("string", "list", "map") and isinstance(value, str | list | dict):
        size, smaller, larger = len(value), "have length greater than or equal to", "have length less than or equal to"
    else:
        return None
    if lowest is not None and size < lowest:
        return f"{smaller} {lowest}"
    if highest is not None and size > highest:
        return f"{larger} {highest}"
    if not isinstance(value, str):
        return None
    if (allowed := metadata.get("enum")) and shape.name not in _OPEN and value not in allowed:
        return f"satisfy enum value set: [{', '.join(allowed)}]"
    pattern = _pattern(metadata.get("pattern"))
    if pattern and value not in _ACCEPTED and not pattern.fullmatch(value):
        return f"satisfy regular expression pattern: {pattern.pattern}"
    return None


@cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    """The pattern; None without one, and for one with character classes that Python doesn't have."""
    if not text:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return re.compile(text)
        except re.error:
            return None
