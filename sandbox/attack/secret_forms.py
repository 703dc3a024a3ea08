"""Finds a secret in a plan's output in any form: plain, base64 at any offset, and hexadecimal."""

import base64
import json
from collections.abc import Mapping

_SHORTEST = 12
"""Characters. A shorter value, such as an App's ID, isn't a secret and could match accidentally."""


def found_in(text: str, secrets: Mapping[str, str]) -> list[str]:
    """The names of the secrets whose value, or a line of it, is in ``text`` in any form."""
    compact = "".join(text.split())
    return sorted(name for name, value in secrets.items() if any(_has(part, text, compact) for part in _parts(value)))


def shows(text: str, value: str) -> bool:
    """Whether ``text`` contains ``value``, of any length, in any form."""
    return _has(value, text, "".join(text.split()))


def _parts(value: str) -> list[str]:
    """The value and each of its lines, because a part of a private key must not leak either."""
    lines = value.splitlines() if "\n" in value else []
    return [part for part in (value, *lines) if len(part) >= _SHORTEST and not part.startswith("-----")]


def _has(value: str, text: str, compact: str) -> bool:
    if value in text or json.dumps(value)[1:-1] in text:
        return True
    raw = value.encode()
    # Base64 encodes three bytes at a time: within a longer text a value can begin at each of three offsets, and the
    # characters at its edges depend on its neighbours.
    encoded = [
        base64.b64encode(b"\0" * offset + raw).decode()[-(-offset * 8 // 6) : (offset + len(raw)) // 3 * 4]
        for offset in range(3)
    ]
    forms = [*encoded, *(form.replace("+", "-").replace("/", "_") for form in encoded), raw.hex(), raw.hex().upper()]
    return any(form and form in compact for form in forms)
