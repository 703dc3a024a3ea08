"""Fingerprints of findings: what was found, independent of its wording and of its position in a list.

A baseline exempts findings, not checks of resources: a finding whose value has changed has another fingerprint.
"""

import hashlib
import json
import re
from typing import Any, Final

from evaluation.values import MALFORMED, UNKNOWN, integer, mapping, parse_json, text

FINGERPRINT: Final = "[0-9a-f]{16}"
_STEPS = re.compile(r"[^.\[\]]+")
_INDEX = re.compile(r"\[\d+\]")
# What identifies an element of a list better than its position, which changes when the author reorders the list.
_NAMES: Final = ("name", "originId", "deviceName", "Sid")


def fingerprint(check: str, path: str, value: Any) -> str:
    """The fingerprint of a finding of a check on one resource. Values that AWS treats as equal have the same one."""
    content = json.dumps([check, _INDEX.sub("", path), _canonical(value)])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def value_at(properties: dict[str, Any], path: str) -> tuple[str, Any]:
    """The path with the names of the list elements on it, and the value there. Documents in strings are part of the path."""
    value: Any = properties
    named: list[str] = []
    steps = _STEPS.findall(path)
    for position, step in enumerate(steps):
        value = parse_json(value) if isinstance(value, str) else value
        if not step.isdigit():
            named.append(step)
            found = [mapping(each).get(step) for each in (value if isinstance(value, list) else [value])]
            value = found[0] if len(found) == 1 else found
            continue
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        if position < len(steps) - 1:
            names = (text(mapping(value).get(name)) for name in _NAMES)
            named.append(next((name for name in names if name), step))
    return ".".join(named), value


def _canonical(value: Any) -> Any:
    """The value such that what the author writes and what AWS reports are equal: without defaults, types and order."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        parsed = parse_json(value)
        value = value if parsed is MALFORMED else parsed
    if isinstance(value, dict):
        inner = {key: _canonical(each) for key, each in sorted(value.items())}
        return {key: each for key, each in inner.items() if each is not None} or None
    if isinstance(value, list | tuple):
        items = sorted((_canonical(each) for each in value), key=json.dumps)
        return items[0] if len(items) == 1 else items or None
    if isinstance(value, bool) or not value:
        return "true" if value else None
    number = None if value is UNKNOWN else integer(value)
    return str(value if number is None else number)
