"""Property values in the form that rules read: plain, converted on demand, without exceptions.

The policy SDK passes proxies that raise an exception for an unknown value, and contain numbers as floats and secrets in
plaintext. This module handles that: a rule reads plain dictionaries and lists in which an unknown value is ``UNKNOWN``.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from sys import intern
from typing import Any, Final

from pulumi_policy import proxy
from pulumi_policy.proxy import UnknownValueError


class Missing:
    """The type of ``UNKNOWN`` and ``MALFORMED``. They equal nothing, not even themselves, as NaN: compare with ``is``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __eq__(self, _other: object) -> bool:
        return False

    __hash__ = object.__hash__


UNKNOWN: Final = Missing("UNKNOWN")
"""A value that is unknown until the update."""
MALFORMED: Final = Missing("MALFORMED")
"""A string that should be a JSON document and isn't."""

_SENTINELS: Final = frozenset(
    value for name, value in vars(proxy).items() if re.fullmatch("UNKNOWN_[A-Z]+_VALUE", name)
)
_SCALARS: Final = (bool, float, int, type(None))
_PRINTABLE = re.compile(r"[A-Za-z0-9_.:*/-]{1,80}")


def plain(value: Any) -> Any:
    """Copy an SDK value into plain dictionaries and lists, with ``UNKNOWN`` for unknown values."""
    # Most values are scalars, for which the checks of abstract types would take most of the time.
    if isinstance(value, str):
        # The properties of a remediation contain sentinels for unknown values and don't raise.
        # The SDK makes a new string of each name and value; most of them occur in many resources.
        return UNKNOWN if value in _SENTINELS else intern(value)
    if isinstance(value, _SCALARS):
        return value
    # The SDK's proxies compare each value with each sentinel; what they wrap doesn't.
    if isinstance(value, proxy._DictProxy):
        return {intern(key): plain(inner) for key, inner in value["__target"].items()}
    if isinstance(value, proxy._ListProxy):
        return [plain(inner) for inner in value["__target"]]
    if isinstance(value, Mapping):
        return {intern(key): entry(value, key) for key in value}
    several = isinstance(value, Sequence) and not isinstance(value, bytes)
    return [entry(value, index) for index in range(len(value))] if several else value


def entry(container: Any, key: Any) -> Any:
    """One element of an SDK mapping or list as a plain value; ``UNKNOWN`` if it is unknown."""
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def at(value: Any, path: str) -> Any:
    """Follow a dotted path through plain dictionaries.

    The result is ``UNKNOWN`` if a step of the path is, and None if a step is missing or isn't a dictionary. A block that a
    provider version wraps in a list of one is unwrapped.
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
    """The values at a dotted path, for every element of the lists on the path; [None] if there is none."""
    found = [value]
    for step in path.split("."):
        found = [
            UNKNOWN if element is UNKNOWN else mapping(element).get(step)
            for each in found
            for element in (each if isinstance(each, list) and each else [each])
        ]
    return [element for each in found for element in (each if isinstance(each, list) and each else [each])]


def truth(value: Any) -> bool:
    """Whether a value is true, or the string "true", which providers accept too."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def text(value: Any) -> str | None:
    """The value if it is a non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def integer(value: Any) -> int | None:
    """The value as an integer (the SDK passes floats, and providers accept strings of digits), else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def at_least(value: Any, limit: int) -> bool:
    """Whether a value is an integer of at least a limit."""
    number = integer(value)
    return number is not None and number >= limit


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a dictionary, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value as a list: itself, a list of one if AWS allows the short form, or an empty list for None."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mappings(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The dictionaries of a list, each with its index; other items are ignored."""
    for index, element in enumerate(sequence(value)):
        if isinstance(element, dict):
            yield index, element


def wildcard(value: str, pattern: str) -> bool:
    """Whether a string matches a pattern; only ``*`` and ``?`` are wildcards."""
    if "*" not in pattern and "?" not in pattern:
        return value == pattern
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def shortened(texts: Sequence[str], most: int, what: str = "") -> list[str]:
    """The first texts of a list, and how many more there are."""
    more = len(texts) - most
    return [*texts[:most], f"and {more} more{what}"] if more > 0 else [*texts]


def printable(name: Any) -> str:
    """A name that the author chose, if it is short and has only name characters, for a message."""
    if isinstance(name, str) and _PRINTABLE.fullmatch(name):
        return name
    return "(a name that is not printed)"


def shown(value: Any) -> str:
    """A value as a message may show it: text isn't shown, because it could be secret."""
    if value in (None, ""):
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    number = integer(value)
    return str(number) if number is not None and not isinstance(value, str) else "set to another value"


@lru_cache(maxsize=512)
def _parse_text(document: str) -> Any:
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return MALFORMED


def parse_json(document: Any) -> Any:
    """The content of a JSON document property; parsed once, regardless of the number of policies.

    Returns ``UNKNOWN`` and None unchanged, the value itself if the provider accepts objects, and ``MALFORMED`` for
    invalid JSON. The result is shared, so callers must not change it.
    """
    if document is None or document is UNKNOWN or isinstance(document, dict | list):
        return document
    return _parse_text(document) if isinstance(document, str) else MALFORMED
