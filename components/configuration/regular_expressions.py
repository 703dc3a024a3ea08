"""Regular expressions of Atlantis' files: Go's syntax, which Python's module mostly understands."""

import re

__all__ = ["not_a_pattern"]

_NOT_IN_GO = re.compile(r"\(\?(?:[=!>(]|<[=!])|\\[1-9]|[*+?}]\+")
"""Syntax that Python's regular expressions support and Go's don't."""


def not_a_pattern(pattern: str) -> str | None:
    """Why Go wouldn't compile `pattern`; None if it would."""
    if found := _NOT_IN_GO.search(pattern):
        return f"Go's have no {found[0]!r}"
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return None
