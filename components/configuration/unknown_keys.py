"""Keys that Atlantis doesn't have, with the nearest one that it has, and patterns that Go doesn't compile."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .yaml_file import Finding

_NOT_IN_GO = re.compile(r"\(\?(?:[=!>(]|<[=!])|\\[1-9]|[*+?}]\+")
"""Syntax that Python's regular expressions support and Go's don't."""


def unknown_keys(
    where: str, found: Mapping[str, Any], known: Iterable[str], effect: str = "would ignore it"
) -> Iterator[Finding]:
    """A problem for each key of `found` that isn't in `known`.

    Args:
        where: the path of the mapping with its last dot, such as `repos[0].`; empty at the top.
        found: the mapping.
        known: the keys that Atlantis has.
        effect: what Atlantis does with another key.
    """
    for key in found:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.6)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            yield Finding(f"{where}{key}", f"{where}{key}: Atlantis has no such key and {effect}{hint}")


def not_a_pattern(pattern: str) -> str | None:
    """Why Go wouldn't compile `pattern`; None if it would."""
    if found := _NOT_IN_GO.search(pattern):
        return f"Go's have no {found[0]!r}"
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return None
