"""Reports variables that Atlantis would silently ignore, and explains why a server exited."""

import difflib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from sandbox.atlantis.flags import LIST
from sandbox.testbed.yaml_files import read_yaml

_PREFIX = "ATLANTIS_"
# The help of v0.47 omits the flags whose values are 64-bit integers.
_NOT_IN_HELP = frozenset({"ATLANTIS_GH_APP_ID", "ATLANTIS_GH_APP_INSTALLATION_ID"})
# Incorrect variable names from documentation and configurations, with the correct ones.
_CONFUSED = {
    "ATLANTIS_GH_INSTALLATION_ID": "ATLANTIS_GH_APP_INSTALLATION_ID",
    "ATLANTIS_URL": "ATLANTIS_ATLANTIS_URL",
}
_EXITS: dict[str, str] = read_yaml(Path(__file__).with_name("exits.yaml"))


def known_variables() -> frozenset[str]:
    """Return the variables that the server reads."""
    flags = json.loads(LIST.read_text(encoding="utf-8"))["flags"]
    return _NOT_IN_HELP | frozenset(_PREFIX + flag.upper().replace("-", "_") for flag in flags)


def unknown_variables(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Report variables that Atlantis doesn't have, with the nearest that it has."""
    problems = []
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in known:
            continue
        near = [_CONFUSED[name]] if name in _CONFUSED else difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(f"{name}: Atlantis doesn't have this variable and would ignore it silently{hint}")
    return problems


def explain_exit(last_words: str) -> str:
    """Return why the server exited: an explanation if its output matches a known error, otherwise its last error."""
    for pattern, explanation in _EXITS.items():
        if re.search(pattern, last_words):
            return explanation
    errors = [line.strip() for line in _without_colours(last_words).splitlines() if "rror" in line]
    said = errors[-1] if errors else (_without_colours(last_words).strip().splitlines() or ["nothing"])[-1]
    return f"Atlantis exited. Its output: {said}"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
