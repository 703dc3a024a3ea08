"""Calls of GitHub's REST API as the App."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from isolation.github import GithubError
from isolation.web import Answer, fetch

__all__ = ["Rest"]

_TIMEOUT = 30


class Rest:
    """GitHub's REST API.

    Args:
        api: its address.
        token: returns a token of the App.
        permission: what the token needs, for messages, such as `issues: write`.
    """

    def __init__(self, api: str, token: Callable[[], str], permission: str) -> None:
        self._api, self._token, self._permission = api, token, permission

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a call; `path` begins with a slash and can have a query.

        Raises:
            GithubError: GitHub refuses or doesn't answer; the message says why.
        """
        request = urllib.request.Request(  # noqa: S310 https
            f"{self._api}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token()}",
                "Content-Type": "application/json",
                "User-Agent": "atlantis-isolation",
            },
            method=method,
        )
        called = f"{method} {path.partition('?')[0]}"
        try:
            answer = fetch(request, _TIMEOUT)
            if answer.status >= 300:
                raise GithubError(
                    f"{called}: GitHub answered {answer.status}{self._advice(answer)}: {answer.excerpt()}"
                )
            return json.loads(answer.content)
        except (OSError, ValueError) as problem:
            raise GithubError(f"{called}: {problem}") from problem

    def _advice(self, answer: Answer) -> str:
        if answer.status in (403, 429) and (
            answer.headers.get("retry-after")
            or answer.headers.get("x-ratelimit-remaining") == "0"
            or b"rate limit" in answer.content.lower()
        ):
            return " (its rate limit; the next run tries again)"
        return f"; grant the App `{self._permission}`" if answer.status in (403, 404) else ""
