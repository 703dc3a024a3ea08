"""The flags of the pinned Atlantis server, from its own `--help`: `python -m sandbox.atlantis.flags` writes the program's list."""

import json
import re
import subprocess
import sys
from pathlib import Path

from sandbox.atlantis import build
from sandbox.testbed.paths import CHECKOUT

LIST = CHECKOUT / "components" / "configuration" / "server_flags.json"
_FLAG = re.compile(r"^  (?:-\w, )?--(?P<name>[a-z][a-z0-9-]*)(?P<value>=<value>)?$", re.MULTILINE)


def flags_of(server: Path) -> dict[str, str]:
    """The type of each flag of `server`, an Atlantis executable: boolean, integer or string."""
    shown = _server(server, "--help").stdout
    return {
        found["name"]: _type(server, found["name"]) if found["value"] else "boolean"
        for found in _FLAG.finditer(shown)
        if found["name"] != "help"
    }


def _type(server: Path, flag: str) -> str:
    """Return the type of a value, which the help omits: the server rejects a word as the value of an integer flag."""
    answer = _server(server, f"--{flag}=word", "--help")
    return "integer" if answer.returncode != 0 and "strconv.Parse" in answer.stdout + answer.stderr else "string"


def _server(server: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(server), "server", *arguments], capture_output=True, text=True, check=False)


def listed(server: Path, version: str) -> str:
    """Return the program's list of flags as JSON."""
    return json.dumps({"version": version, "flags": flags_of(server)}, indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Write the list of the pinned version, which is built if it doesn't exist yet."""
    LIST.write_text(listed(build.executable(), build.version()), encoding="utf-8")
    print(f"written: {LIST.relative_to(CHECKOUT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
