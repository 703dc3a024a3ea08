"""Objects that were created and that the engine may not know of.

An engine that is killed between a creation and the writing of its state forgets the object. A record remembers it:
an entry per (urn, object) is written when the object exists and removed when the engine shows that it knows the object, by
asking for its diff, state, update or deletion. A creation that finds an entry for its urn adopts the object instead of making a
second one. A replacement's new object has its own entry, because the old one's was removed by the diff that came before.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sandbox.providers.files import write_atomically
from sandbox.providers.resource import Created


class PendingCreations:
    """Unconfirmed creations, one small file each, so that several processes need no lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _entry(self, urn: str, key: str) -> Path:
        return self._directory / _digest(urn) / f"{_digest(key)}.json"

    def record(self, urn: str, key: str, created: Created) -> None:
        """Remember that an object was made for `urn`. `key` tells it from every other object of that urn."""
        entry = {"urn": urn, "key": key, "id": created.id, "facts": created.facts}
        write_atomically(self._entry(urn, key), json.dumps(entry))

    def confirm(self, urn: str, key: str) -> None:
        """The engine knows the object."""
        self._entry(urn, key).unlink(missing_ok=True)

    def unconfirmed(self, urn: str) -> list[tuple[str, Created]]:
        """Keys and objects made for `urn` that the engine has not shown to know."""
        entries = sorted((self._directory / _digest(urn)).glob("*.json"))
        found = [json.loads(entry.read_text()) for entry in entries]
        return [(entry["key"], Created(entry["id"], entry["facts"])) for entry in found]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
