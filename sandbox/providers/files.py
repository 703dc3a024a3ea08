"""Where the stand-ins keep their files, and how they write them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_IGNORED = Path(__file__).parents[2] / ".sandbox"


def state_directory() -> Path:
    """The running sandbox's state directory."""
    return Path(os.environ.get("ATLANTIS_SANDBOX_STATE") or _IGNORED / "state")


def cache_directory() -> Path:
    """Files that depend on installed packages only, shared by all runs in this checkout."""
    return _IGNORED / "cache" / "providers"


def write_atomically(file: Path, text: str) -> None:
    """Write a file readable by its owner only, so that a reader sees the old or the new text, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
