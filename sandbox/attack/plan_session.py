"""The AWS session of a plan as a pull request's provider reads it, and calls of AWS with it."""

import re
from collections.abc import Mapping
from pathlib import Path

from sandbox.attack.provider import printed
from sandbox.attack.row import filled
from sandbox.attack.target import Target

_FOLDER = Path(__file__).parent


def in_session(calls: str) -> str:
    """A script that runs ``calls`` in bash after `session.sh`, which defines what they use of the session."""
    session = filled((_FOLDER / "session.sh").read_text(encoding="utf-8"), calls=calls)
    return f"bash <<'BASH'\n{session}\nBASH"


def called(target: Target, name: str, calls: Mapping[str, str], *, service: str = "s3") -> dict[str, int]:
    """The HTTP status of each call, by its label. A call is the arguments of curl; `$own` is the pull request's repository."""
    lines = "\n".join(f"call {label} {arguments}" for label, arguments in calls.items())
    script = filled((_FOLDER / "calls.sh").read_text(encoding="utf-8"), calls=lines, service=service)
    said = printed(target, name, in_session(script))
    found = {label: int(status) for label, status in re.findall(r"^(\S+) (\d+)$", said, re.MULTILINE)}
    if found.keys() != calls.keys():
        raise RuntimeError(f"the provider called {sorted(found)}: {said[:300]}")
    return found
