"""Small files that other processes can read at any time: written atomically and, by default, private to their owner."""

import json
import os
from pathlib import Path
from typing import Any


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace the contents of ``path`` with ``text`` atomically. The file never has wider permissions than ``mode``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        draft.chmod(mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Replace the contents of ``path`` with ``value`` as JSON, readable only by its owner."""
    write_private(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> Any | None:
    """The JSON value in ``path``, or None if the file doesn't exist."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
