"""The directories of the stand-ins' files, and an atomic write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_IGNORED = Path(__file__).parents[3] / ".sandbox"


def state_directory() -> Path:
    """The running sandbox's state directory."""
    return Path(os.environ.get("ATLANTIS_SANDBOX_STATE") or _IGNORED / "state")


def cache_directory() -> Path:
    """Cached files that depend only on the installed packages. All runs in this checkout share them."""
    return _IGNORED / "cache" / "providers"


def write_atomically(file: Path, text: str) -> None:
    """Write a file with access for its owner only. Readers see the old or the new text, never a partial file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
