"""The shapes of the attributes that are read, so that a damaged state ends with the name of the attribute."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

MAXIMUM_DEPTH = 64
SHAPES: Mapping[str, frozenset[str]] = {
    name: frozenset(words)
    for name, words in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")).items()
}
"""The names of the attributes of each shape, at any level of the types that are read, which are `types`."""
WORDS = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping"}


def refusal(attributes: Any, block: str = "") -> str:
    """What is wrong with the attributes of a resource, or of a block in it: the first one of another shape; empty if none is."""
    if not isinstance(attributes, Mapping):
        return f"its attributes are {_word(attributes)}, not a mapping"
    return next(
        (found for name, value in attributes.items() if value is not None and (found := _refused(name, value, block))),
        "",
    )


def _refused(name: str, value: Any, block: str) -> str:
    expected = ""
    if name == "root_directory" and block == "efs_volume_configuration":
        # A path there, and a block of an access point.
        expected = "" if isinstance(value, str) else "a string"
    elif name in SHAPES["blocks"]:
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            inner = next((found for item in value if (found := refusal(item, name))), "")
            return f"{inner} (in {name})" if inner else ""
        expected = "a list of blocks"
    elif name in SHAPES["texts"] and not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
        expected = "a list of strings"
    elif name in SHAPES["numbers"] and not _is_number(value):
        expected = "a number"
    elif name in SHAPES["documents"] | SHAPES["scalars"] and not isinstance(value, str):
        expected = "a string"
    elif name in SHAPES["scalars"] and "\n" in str(value).strip():
        return f"{name} has a line break"
    return f"{name} is {_word(value)}, not {expected}" if expected else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"-?\d{0,9}", value) is not None)


def _word(value: Any) -> str:
    if isinstance(value, list) and value:
        return f"a list with {_word(value[0])}"
    return WORDS.get(type(value), "null")


class TooDeepError(ValueError):
    """A JSON text that is nested more than `MAXIMUM_DEPTH` levels deep."""


def load(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        TooDeepError: it is nested too deep.
        ValueError: the text isn't JSON.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise TooDeepError from None
    if _depth(found) > MAXIMUM_DEPTH:
        raise TooDeepError
    return found


def _depth(value: Any) -> int:
    """How deep `value` is nested. It isn't recursive, because a deep value would exceed Python's recursion limit."""
    deepest, rest = 0, [(value, 1)]
    while rest:
        item, level = rest.pop()
        deepest = max(deepest, level)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        rest += [(each, level + 1) for each in inner]
    return deepest
