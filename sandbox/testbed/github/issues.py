"""The issues of the stand-in for GitHub: created, updated, labelled and closed by the App."""

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.testbed.files import read_json, write_json

__all__ = ["Issues"]

_BOT = {"login": "atlantis-sandbox[bot]", "type": "Bot"}
_CHANGES = frozenset({"title", "body", "state", "state_reason", "labels"})
_LONGEST_BODY = 65_536


class Issues:
    """The issues of all repositories, a file each below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def listing(self, repository: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The issues that match ``state`` and ``labels``, newest first, one page of them."""
        wanted = set(filter(None, query.get("labels", "").split(",")))
        state = query.get("state", "open")
        found = [
            issue
            for issue in self.of(repository)
            if state in ("all", issue["state"]) and wanted <= {label["name"] for label in issue["labels"]}
        ]
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        return found[::-1][size * (page - 1) : size * page]

    def of(self, repository: str) -> list[dict[str, Any]]:
        """Every issue of ``owner/name``, oldest first."""
        files = sorted((self._directory / repository).glob("*.json"), key=lambda path: int(path.stem))
        return [json.loads(path.read_text(encoding="utf-8")) for path in files]

    def create(self, repository: str, given: Mapping[str, Any], *, first: int) -> dict[str, Any]:
        """Open an issue; ``first`` is the number of the repository's first one.

        Raises:
            ValueError: a value isn't one that GitHub accepts.
        """
        known = self.of(repository)
        number = known[-1]["number"] + 1 if known else first
        issue = {
            "number": number,
            "html_url": f"https://github.com/{repository}/issues/{number}",
            "state": "open",
            "user": _BOT,
            "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        return self._save(repository, issue, {"body": "", "labels": [], **given})

    def update(self, repository: str, number: int, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Change an issue; None if it doesn't exist.

        Raises:
            ValueError: a value isn't one that GitHub accepts.
        """
        issue = read_json(self._directory / repository / f"{number}.json")
        return None if issue is None else self._save(repository, issue, given)

    def _save(self, repository: str, issue: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := given.keys() - _CHANGES:
            raise ValueError(f"unknown fields {sorted(unknown)}")
        changed = {**issue, **given}
        if not changed.get("title") or len(changed["body"]) > _LONGEST_BODY:
            raise ValueError(f"an issue has a title, and a body of at most {_LONGEST_BODY} characters")
        if changed["state"] not in ("open", "closed"):
            raise ValueError("state is open or closed")
        changed["labels"] = [label if isinstance(label, dict) else {"name": label} for label in changed["labels"]]
        write_json(self._directory / repository / f"{changed['number']}.json", changed)
        return changed
