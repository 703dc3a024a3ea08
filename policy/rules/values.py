"""Property values as a rule may read them: plain, typed on demand, and never raising.

The policy SDK hands rules proxies that raise on an unknown value, carry numbers as floats and secrets in clear text.
Everything that knows about that is in this module; a rule sees plain dictionaries and lists in which a value that is
not known yet is ``UNKNOWN``.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

from pulumi_policy import proxy
from pulumi_policy.proxy import UnknownValueError

__all__ = [
    "MALFORMED",
    "UNKNOWN",
    "Malformed",
    "Unknown",
    "at",
    "each_at",
    "integer",
    "mapping",
    "mappings",
    "parse_json",
    "plain",
    "printable",
    "sequence",
    "text",
    "truth",
    "wildcard",
]


class Unknown:
    """The type of ``UNKNOWN``: a value that the engine learns only during the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"


class Malformed:
    """The type of ``MALFORMED``: text that should be a JSON document and is none."""

    def __repr__(self) -> str:
        return "MALFORMED"


UNKNOWN: Final = Unknown()
MALFORMED: Final = Malformed()

_SENTINELS: Final = frozenset(
    value for name, value in vars(proxy).items() if re.fullmatch("UNKNOWN_[A-Z]+_VALUE", name)
)
_PRINTABLE = re.compile(r"[A-Za-z0-9_.:*/-]{1,80}")


def plain(value: Any) -> Any:
    """Copy an SDK value into plain dictionaries and lists, with ``UNKNOWN`` in place of what is not known yet."""
    if isinstance(value, Mapping):
        return {key: _entry(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_entry(value, index) for index in range(len(value))]
    # The properties that a remediation gets mark unknown values without raising.
    return UNKNOWN if isinstance(value, str) and value in _SENTINELS else value


def _entry(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def at(value: Any, path: str) -> Any:
    """Follow a dotted path through plain dictionaries.

    ``UNKNOWN`` on the way is the answer; a step that is missing, or that leads into something other than a dictionary,
    is None. A block that a provider version wraps in a list of one is read through.
    """
    for step in path.split("."):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def each_at(value: Any, path: str) -> list[Any]:
    """The values at a dotted path in every element of the lists on the way; [None] where there is none."""
    found = [value]
    for step in path.split("."):
        found = [
            UNKNOWN if element is UNKNOWN else mapping(element).get(step)
            for each in found
            for element in (each if isinstance(each, list) and each else [each])
        ]
    return [element for each in found for element in (each if isinstance(each, list) and each else [each])]


def truth(value: Any) -> bool:
    """Whether a value switches something on: true, or the text "true", which providers accept as well."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def text(value: Any) -> str | None:
    """The value if it is text that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def integer(value: Any) -> int | None:
    """The value as a whole number (the SDK delivers floats, and providers accept digits as text), else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a dictionary, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value as a list: itself, one element where AWS allows the short form, or empty where there is none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mappings(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The dictionaries of a list, each with its index; anything else in it is passed over."""
    for index, element in enumerate(sequence(value)):
        if isinstance(element, dict):
            yield index, element


def wildcard(value: str, pattern: str) -> bool:
    """Whether a text matches a pattern in which ``*`` and ``?`` are wildcards, and nothing else is."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def printable(name: Any) -> str:
    """A name of the author's as it may stand in a message: short and free of anything but name characters."""
    if isinstance(name, str) and _PRINTABLE.fullmatch(name):
        return name
    return "(a name that is not printed)"


@lru_cache(maxsize=512)
def _parse_text(document: str) -> Any:
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return MALFORMED


def parse_json(document: Any) -> Any:
    """The content of a JSON document property; parsed once a process however many policies ask.

    Returns ``UNKNOWN`` or None for a property that is so, the value itself where the provider takes objects, and
    ``MALFORMED`` for what is not JSON. The result is shared: callers don't change it.
    """
    if document is None or document is UNKNOWN or isinstance(document, dict | list):
        return document
    return _parse_text(document) if isinstance(document, str) else MALFORMED
