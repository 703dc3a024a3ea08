"""Small files that other processes may read at any moment: written whole or not at all, for the owner only."""

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["read_json", "write_json", "write_private"]


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``text`` in one step, with ``mode`` from the first byte on."""
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
    """Replace ``path`` by ``value`` as JSON, readable by its owner only."""
    write_private(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> Any | None:
    """The JSON value in ``path``, or None where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
