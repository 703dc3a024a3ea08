"""Reads a YAML file that a setting references, relative to the program's directory, and finds keys and patterns that Atlantis rejects."""

import dataclasses
import difflib
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


class YamlFileError(ValueError):
    """The file isn't what its setting accepts; the message states the reason."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """A problem or a weak rule in a file."""

    where: str
    """The path of keys, such as `repos[0].branch`."""
    message: str


class WrittenInt(int):
    """An integer that knows how the file writes it."""

    written: str


class WrittenFloat(float):
    """A number that knows how the file writes it: `1.10` is the number 1.1."""

    written: str


def text_of(value: Any) -> str:
    """A scalar as Atlantis reads it into a string: as the file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.written if isinstance(value, WrittenInt | WrittenFloat) else str(value)


class _Loader(yaml.SafeLoader):
    """Rejects duplicate keys, of which the last one would silently take precedence, and keeps the text of numbers."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> WrittenInt:
        number = WrittenInt(super().construct_yaml_int(node))
        number.written = node.value
        return number

    def construct_yaml_float(self, node: yaml.ScalarNode) -> WrittenFloat:
        number = WrittenFloat(super().construct_yaml_float(node))
        number.written = node.value
        return number

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} is set twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read(path: str) -> Any:
    """The content of the file `path`; None for an empty one.

    Raises:
        YamlFileError: the file doesn't exist, or isn't valid YAML.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise YamlFileError(f"can't be read: {error}") from None
    except yaml.YAMLError as error:
        # The error as text has lines of the file, which can contain a secret.
        raise YamlFileError(f"can't be read: {problem(error)}") from None


def readable(load: Callable[[str], dict[str, Any]], path: str | None) -> dict[str, Any]:
    """What `load` returns for a file; empty without a file or for one that can't be read, which the rule for its setting reports."""
    try:
        return load(path) if path else {}
    except YamlFileError:
        return {}


def problem(error: yaml.YAMLError) -> str:
    """What is wrong in a YAML text, and in which line."""
    mark, what = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return f"{where}{what or 'it has a character that YAML refuses'}"


def located(path: str, findings: Iterator[Finding]) -> Iterator[tuple[int, str]]:
    """The line of each finding in the file `path`, counted from one, and its message."""
    lines: Mapping[str, int] | None = None
    for finding in findings:
        if lines is None:
            lines = dict(_lines(yaml.compose(Path(path).read_text(encoding="utf-8"), _Loader)))
        where = finding.where
        while where and where not in lines:
            where = re.sub(r"(^|\.)[^.\[\]]*$|\[\d+\]$", "", where)
        yield lines.get(where, 1), finding.message


def lines(path: str, findings: Iterator[Finding]) -> list[str]:
    """Each finding in the file `path` as one line of text: file, line, message."""
    return [f"{path}:{line}: {message}" for line, message in located(path, findings)]


def _lines(node: yaml.Node | None, where: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{where}.{key.value}" if where else str(key.value)
            yield path, key.start_mark.line + 1
            yield from _lines(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            path = f"{where}[{number}]"
            yield path, item.start_mark.line + 1
            yield from _lines(item, path)


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
