"""Applies whose server has gone: their results are kept in files of root until an agent has them."""

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

__all__ = ["KEPT_OUTPUT", "Outcomes"]

KEPT_OUTPUT = 64 << 10
"""Bytes of the end of a command's output."""
_LONGEST = 7 * 24 * 3600
_ID = re.compile(r"[0-9a-f]{16}")


class Outcomes:
    """The results of the applies of one executor that nobody has acknowledged."""

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
