"""The table of a detection: project, result, what changed, since when, and the issue."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["place", "table"]

_HEADER = ("project", "result", "changes", "since (UTC)", "issue")
_ORDER = {"drifted": 0, "failed": 1, "locked": 2, "clean": 3}
_LONGEST_REASON = 160


def place(event: Mapping[str, Any]) -> str:
    """The project as the setting `driftProjects` writes it: repository, branch, and directory and workspace, or project."""
    key = str(event["project"])
    # A project's name has no colon; a directory always has its workspace.
    part = f":{key.removesuffix(':default')}" if ":" in key else f"#{key}" if key else ""
    return f"{event['repository']}@{event['branch']}{part}"


def table(events: Iterable[Mapping[str, Any]]) -> str:
    """The results as text, the most urgent ones first, with the reasons of those without a result below.

    Args:
        events: `drift-project`, `drift-state-locked` and `drift-run` events of one run.
    """
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        by_name.setdefault(event["event"], []).append(event)
    projects = sorted(by_name.get("drift-project", ()), key=lambda event: (_ORDER[event["result"]], place(event)))
    rows = [_HEADER, *(_row(event) for event in projects)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"{place(event)}: {_reason(event['error'])}" for event in projects if event["error"]]
    lines += [
        f"{place(event)}: the state is locked since {event['since']}; if nobody uses it, release it with `{event['command']}`"
        for event in by_name.get("drift-state-locked", ())
    ]
    for event in by_name.get("drift-run", ()):
        counts = ", ".join(f"{event[name]} {name}" for name in _ORDER)
        lines.append(f"{len(projects)} projects in {event['seconds']:.0f} s: {counts}")
    return "\n".join(lines) + "\n"


def _row(event: Mapping[str, Any]) -> tuple[str, ...]:
    since = datetime.datetime.fromisoformat(event["since"]).astimezone(datetime.UTC)
    changes = str(event["summary"]).removeprefix("Plan: ").rstrip(".") or "-"
    return place(event), event["result"], changes, f"{since:%Y-%m-%d %H:%M}", event["issue"] or "-"


def _reason(error: str) -> str:
    """The line that says what is wrong: Terraform's first error, or the first line."""
    lines = [line.strip(" │╷╵\t") for line in error.splitlines()]
    found = next((line for line in lines if line.startswith("Error: ")), next(filter(None, lines), ""))
    return found if len(found) <= _LONGEST_REASON else f"{found[:_LONGEST_REASON]}..."
