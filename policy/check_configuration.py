"""Checks configuration files of the pack for misspelled policies and keys: ``python check_configuration.py FILE...``.

The engine silently ignores a misspelled policy, and the policy keeps its defaults. This command reports such names and
suggests the correct ones. It needs no packages, so it can run before every preview. The engine validates types, and
the pack validates ranges, dates and check names when it runs.
"""

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

__all__ = ["problems"]

SCHEMA = Path(__file__).with_name("configuration.schema.json")


def problems(file: Path) -> list[str]:
    """The problems of a configuration file, one sentence each; empty if there are none."""
    try:
        configuration = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return [f"{file} can't be read: {error.strerror}"]
    except ValueError as error:
        return [f"{file} isn't valid JSON: {error}"]
    if not isinstance(configuration, dict):
        return [f"{file} must contain an object that maps policies to their configuration"]
    known = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]
    found: list[str] = []
    for name, value in configuration.items():
        if name not in known:
            found.append(f'{file}: there is no policy "{name}"; {_hint(name, known)}')
        elif isinstance(value, dict) and "anyOf" in known[name]:
            keys = known[name]["anyOf"][1]["properties"]
            found += [
                f'{file}: the policy {name} has no key "{key}"; {_hint(key, keys)}' for key in value if key not in keys
            ]
    return found


def _hint(word: str, known: dict[str, Any]) -> str:
    near = get_close_matches(word, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"valid names are {', '.join(known)}"


def _main(files: list[str]) -> int:
    if not files:
        sys.stderr.write("usage: python check_configuration.py FILE...\n")
        return 2
    found = [problem for file in files for problem in problems(Path(file))]
    sys.stderr.writelines(f"error: {problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
