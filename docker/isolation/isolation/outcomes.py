"""Results of applies, in files of root: Atlantis has them when it has commented, or else an agent has to comment them."""

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

KEPT_OUTPUT = 64 << 10
"""Bytes of the end of a command's output."""
_LONGEST = 7 * 24 * 3600
_ACKNOWLEDGED_OUTPUT = 4 << 10
"""Bytes of the output of a result that a server has. Few servers end in the moments before their comment."""
_PROTECTED = 3600.0
"""Seconds in which a result that no server has keeps its worker."""
_ID = re.compile(r"[0-9a-f]{16}")


class Outcomes:
    """The results of the applies of one executor, until an agent asks it to forget them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, outcome: dict[str, Any]) -> None:
        """Keep a result; it has its ID, and `code` once the command has ended."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._folder / f".{outcome['id']}"
        temporary.write_text(json.dumps(outcome), encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(self._folder / outcome["id"])

    def all(self) -> list[dict[str, Any]]:
        """The results, the oldest first."""
        files = [file for file in self._folder.glob("*") if _ID.fullmatch(file.name)]
        found = []
        for file in files:
            # Another process may forget it, and a full disk may have left an empty one.
            with contextlib.suppress(OSError, ValueError):
                found.append(json.loads(file.read_text(encoding="utf-8")))
        return sorted(found, key=lambda outcome: outcome["began"])

    def acknowledge(self, identity: str) -> None:
        """A server has the result, but hasn't commented it yet: Atlantis comments when all projects of a command have ended."""
        for outcome in self.all():
            if outcome["id"] == identity:
                self.write(outcome | {"acknowledged": time.time(), "output": outcome["output"][-_ACKNOWLEDGED_OUTPUT:]})

    def waiting(self) -> int:
        """How many results no server has; those that are older have lost their server for good."""
        return sum(
            "code" in each and "acknowledged" not in each and time.time() - each["ended"] < _PROTECTED
            for each in self.all()
        )

    def forget(self, identity: str) -> None:
        """Remove a result that an agent has reported."""
        if _ID.fullmatch(identity):
            (self._folder / identity).unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove results that no agent has asked for in a week."""
        for file in self._folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > _LONGEST:
                    file.unlink()
