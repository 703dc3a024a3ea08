"""Objects that were created and that the engine may not have recorded.

An engine that is killed between a creation and the next write of its state has no record of the object. Therefore an
entry per (urn, object) is written as soon as the object exists. It is removed when the engine shows that it has
recorded the object, by a request for its diff, state, update or deletion. A creation that finds an entry for its urn
adopts the object instead of creating a second one. The new object of a replacement has its own entry, because the
preceding diff removed the entry of the old object.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sandbox.testbed.files import write_private
from sandbox.testbed.providers.resource import Created


class PendingCreations:
    """Unconfirmed creations. Each is a separate file, so that concurrent processes need no lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _entry(self, urn: str, key: str) -> Path:
        return self._directory / _digest(urn) / f"{_digest(key)}.json"

    def record(self, urn: str, key: str, created: Created) -> None:
        """Record that an object was created for `urn`. `key` distinguishes it from other objects of the same urn."""
        entry = {"urn": urn, "key": key, "id": created.id, "facts": created.facts}
        write_private(self._entry(urn, key), json.dumps(entry))

    def confirm(self, urn: str, key: str) -> None:
        """The engine has recorded the object."""
        self._entry(urn, key).unlink(missing_ok=True)

    def unconfirmed(self, urn: str) -> list[tuple[str, Created]]:
        """Keys and objects that were created for `urn` and that the engine hasn't confirmed."""
        entries = sorted((self._directory / _digest(urn)).glob("*.json"))
        found = [json.loads(entry.read_text()) for entry in entries]
        return [(entry["key"], Created(entry["id"], entry["facts"])) for entry in found]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
