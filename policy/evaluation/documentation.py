"""The address of the pack's documentation, which ``website`` in PulumiPolicy.yaml sets for every help link."""

import re
from functools import cache
from pathlib import Path
from typing import Final

PACK: Final = Path(__file__).resolve().parents[1]
# The pack has no YAML parser, and the file has one key a line.
_WEBSITE: Final = re.compile(r"""^website:\s*["']?(https://[^\s"'#]+)""", re.MULTILINE)


@cache
def website() -> str | None:
    """The address at which the publisher of the pack hosts README.md; None until it is set."""
    found = _WEBSITE.search((PACK / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    return found[1] if found else None


def help_link(policy: str) -> str | None:
    """The address of a policy's documentation. Without a website there is no link, rather than one that leads nowhere."""
    address = website()
    return f"{address}#{policy}" if address else None
