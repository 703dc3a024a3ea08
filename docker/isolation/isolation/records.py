"""What the server remembers of a checkout's commands, in its data directory, which no command reaches."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from isolation.checkout import Checkout


class Records:
    """The records of one checkout: the hash of each plan file, and the arguments of each directory's `init`."""

    def __init__(self, data: Path, checkout: Checkout) -> None:
        self._root = data / "isolation" / "records"
        self._folder = self._root / checkout.name
        self._repositories = data / "repos"

    def plan(self, path: str) -> str | None:
        """The hash of the plan file that was made at `path`, relative to the checkout's root; None if none was."""
        return self._read("plan", path).get("sha256")

    def set_plan(self, path: str, sha256: str | None) -> None:
        """Record the plan file that a command has made, or (None) forget the last one before a command makes another."""
        if sha256:
            self._write("plan", path, {"path": path, "sha256": sha256})
            self._prune()
        else:
            self._file("plan", path).unlink(missing_ok=True)

    def init(self, directory: str) -> list[str] | None:
        """The arguments of the last successful `init` in `directory`; None if there was none."""
        return self._read("init", directory).get("arguments")

    def set_init(self, directory: str, arguments: list[str]) -> None:
        """Record a successful `init`, whose arguments configure the backend."""
        self._write("init", directory, {"directory": directory, "arguments": arguments})

    def _file(self, kind: str, path: str) -> Path:
        return self._folder / f"{kind}-{hashlib.sha256(path.encode()).hexdigest()}.json"

    def _read(self, kind: str, path: str) -> dict[str, Any]:
        try:
            return json.loads(self._file(kind, path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def _write(self, kind: str, path: str, content: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._file(kind, path)
        # A process id isn't unique: a new task and the old one can share the data directory.
        temporary = file.with_suffix(f".{os.urandom(8).hex()}")
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, file)  # noqa: PTH105

    def _prune(self) -> None:
        """Remove the records of this repository's pull requests that Atlantis has no checkout of any more."""
        import shutil  # noqa: PLC0415 - see `remote`

        for pull in self._folder.parents[1].glob("*"):
            if not (self._repositories / pull.relative_to(self._root)).exists():
                shutil.rmtree(pull, ignore_errors=True)
