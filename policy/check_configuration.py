"""Checks configuration files of the pack: ``python check_configuration.py FILE...``.

The engine silently ignores a misspelled policy, and of a key that occurs twice it takes the last. This command checks each
file against configuration.schema.json, including ranges, dates, names of checks and duplicate keys, and prints the line of
each problem. It is the gate in CI: it needs no packages and no other module. The pack validates its configuration with the
same functions.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = Path(__file__).with_name("configuration.schema.json")

Where = tuple[str | int, ...]
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|\n|[^\s{}\[\],:"]+')
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ADDRESS = re.compile(r"[0-9a-fA-F.:/-]{1,43}")
_WORD = re.compile(r"[A-Za-z][A-Za-z-]{0,60}|[0-9a-f]{16}")


def _parse_day(value: Any) -> date | None:
    """A date in the format YYYY-MM-DD; None for anything else, including the other formats of ISO 8601."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _is_range(value: str) -> bool:
    try:
        return bool(ip_network(value.strip(), strict=False))
    except ValueError:
        return False


def _is_integer(value: Any) -> bool:
    # Python also reads NaN and Infinity, which aren't JSON, and reads 1e400 as infinity.
    return value.is_integer() if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)


_TYPES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "object": (lambda value: isinstance(value, dict), "must be an object"),
    "array": (lambda value: isinstance(value, list), "must be a list"),
    "string": (lambda value: isinstance(value, str), "must be a string"),
    "boolean": (lambda value: isinstance(value, bool), "must be true or false"),
    "integer": (_is_integer, "must be an integer"),
}
_FORMATS: Final[dict[str, tuple[Callable[[str], object], str]]] = {
    "date": (_parse_day, "must be a date in the format YYYY-MM-DD"),
    "cidr": (_is_range, "must be a CIDR block, such as 10.0.0.0/8"),
}


def schema_problems(value: Any, schema: dict[str, Any], path: Where = ()) -> Iterator[tuple[Where, str]]:
    """What is wrong with a value, each with its path. Supports the keywords that the pack's schema uses."""
    if "anyOf" in schema:
        schema = next(each for each in schema["anyOf"] if (each.get("type") == "object") is isinstance(value, dict))
    kind = schema.get("type")
    if kind and not _TYPES[kind][0](value):
        yield path, _TYPES[kind][1]
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"isn't accepted; {_hint(str(value), schema['enum'])}"
    elif isinstance(value, dict):
        yield from _object(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from schema_problems(item, schema.get("items", {}), (*path, index))
    elif isinstance(value, str):
        yield from _text(value, schema, path)
    elif "minimum" in schema and value < schema["minimum"]:
        yield path, f"must be at least {schema['minimum']}"


def _object(value: dict[str, Any], schema: dict[str, Any], path: Where) -> Iterator[tuple[Where, str]]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for key in schema.get("required", ()):
        if key not in value:
            yield path, f'requires "{key}"'
    if len(value) < schema.get("minProperties", 0):
        yield path, "must not be empty"
    for key, inner in value.items():
        if key in known or others is not False:
            yield from schema_problems(inner, known.get(key, others), (*path, key))
        else:
            yield (*path, key), f"is unknown; {_hint(key, list(known))}"


def _text(value: str, schema: dict[str, Any], path: Where) -> Iterator[tuple[Where, str]]:
    least = schema.get("minLength", 0)
    if len(value.strip()) < least:
        yield path, f"must have {least} or more characters"
    valid, complaint = _FORMATS.get(schema.get("format", ""), (lambda _value: True, ""))
    if not valid(value):
        # Another value could be a secret that was pasted into the wrong place.
        yield path, f'{complaint}, not "{value}"' if _ADDRESS.fullmatch(value) else complaint


def _hint(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"accepted are {', '.join(known)}"


def rendered(path: Where) -> str:
    """A path as text, such as ``encryption.exemptions[0].reason``. Other keys than words and fingerprints could be secrets."""
    steps = (step if isinstance(step, int) or _WORD.fullmatch(step) else "[hidden]" for step in path)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _located(document: str) -> tuple[dict[Where, int], list[Where]]:
    """The line of each value (of its key, in an object) in a valid JSON document, and the paths that occur twice."""
    lines: dict[Where, int] = {(): 1}
    twice: list[Where] = []
    # For each open container, the path of its current element; an object's is None until its key is read.
    open_: list[list[Any]] = []
    line = 1
    for word in _TOKENS.findall(document):
        here: Where = tuple(step for _, step in open_ if step is not None)
        if word == "\n":
            line += 1
        elif word in ("}", "]"):
            open_.pop()
        elif word == ",":
            kind, step = open_[-1]
            open_[-1][1] = None if kind == "{" else step + 1
        elif open_ and open_[-1][1] is None:
            open_[-1][1] = json.loads(word)
            here = (*here, open_[-1][1])
            twice += [here] if here in lines else []
            lines[here] = line
        else:
            lines.setdefault(here, line)
            if word in ("{", "["):
                open_.append([word, None if word == "{" else 0])
    return lines, twice


def problems(file: Path) -> list[str]:
    """The problems of a configuration file, one sentence each; empty if there are none."""
    try:
        content = file.read_text(encoding="utf-8")
        configuration = json.loads(content)
        lines, twice = _located(content)
    except OSError as error:
        return [f"{file} can't be read: {error.strerror}"]
    except (ValueError, RecursionError) as error:
        return [f"{file} isn't valid JSON: {error}"]
    found = [(path, "occurs twice; only the last one has an effect") for path in twice]
    found += schema_problems(configuration, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return [f"{file}:{lines[path]}: {rendered(path) or 'the file'} {message}" for path, message in found]


def _main(files: list[str]) -> int:
    if not files:
        sys.stderr.write("usage: python check_configuration.py FILE...\n")
        return 2
    found = [problem for file in files for problem in problems(Path(file))]
    sys.stderr.writelines(f"error: {problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
