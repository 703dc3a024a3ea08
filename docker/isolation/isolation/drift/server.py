"""The calls of the server's API that drift detection makes, over the task's own network."""

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from isolation.web import fetch

_QUICK = 20
LONGEST_DETECTION = 4 * 60 * 60
"""Seconds. One request plans one project, or all projects of a repository one after the other."""


class ServerError(Exception):
    """The server doesn't answer; the message says why."""


class Server:
    """Atlantis, as its own task reaches it."""

    def __init__(self, address: str, api_secret: str, web_user: str = "", web_password: str = "") -> None:
        self._address, self._api_secret = address, api_secret
        self._web = base64.b64encode(f"{web_user}:{web_password}".encode()).decode() if web_password else ""

    def operations(self) -> int:
        """The number of plans and applies in progress. Detections don't count."""
        _, answer = self._call("GET", "/status")
        try:
            return int(answer["in_progress_operations"])
        except (KeyError, TypeError, ValueError) as problem:
            raise ServerError(f"/status has no number of operations: {problem!r}") from problem

    def detect(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Detect drift; the HTTP status and the answer."""
        return self._call("POST", "/api/drift/detect", body, timeout=LONGEST_DETECTION)

    def abandoned_locks(self) -> list[str]:
        """The names of locks that a detection left when it was ended: their pull requests have negative numbers."""
        _, answer = self._call("GET", "/api/locks")
        try:
            return [str(lock["Name"]) for lock in answer.get("Locks") or () if int(lock["PullID"]) < 0]
        except (KeyError, TypeError, ValueError) as problem:
            raise ServerError(f"/api/locks can't be read: {problem!r}") from problem

    def release(self, lock: str) -> None:
        """Delete a lock. The server's page decodes the name twice, so it is encoded twice."""
        name = urllib.parse.quote(urllib.parse.quote(lock, safe=""), safe="")
        status, answer = self._call("DELETE", f"/locks?id={name}")
        if status not in (200, 404):
            raise ServerError(f"the lock {lock} can't be released ({status}): {answer}")

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = _QUICK
    ) -> tuple[int, Mapping[str, Any]]:
        headers = {"Accept": "application/json"}
        if path.startswith("/api/"):
            headers["X-Atlantis-Token"] = self._api_secret
        elif self._web and path.startswith("/locks"):
            headers["Authorization"] = f"Basic {self._web}"
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        request = urllib.request.Request(f"{self._address}{path}", data=data, headers=headers, method=method)  # noqa: S310 http
        try:
            answer = fetch(request, timeout, direct=True)
        except OSError as problem:
            raise ServerError(f"the server doesn't answer: {problem}") from problem
        try:
            return answer.status, answer.document()
        except ValueError:
            return answer.status, {"error": f"not a JSON object: {answer.excerpt()}"}
