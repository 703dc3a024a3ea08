"""Calls of GitHub's REST API as the App."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from isolation.github import GithubError

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
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as problem:
            reason = problem.read()[:300].decode(errors="replace")
            way_out = f"; grant the App `{self._permission}`" if problem.code in (403, 404) else ""
            raise GithubError(
                f"{method} {path.partition('?')[0]}: GitHub answered {problem.code}{way_out}: {reason}"
            ) from problem
        except (OSError, ValueError) as problem:
            raise GithubError(f"{method} {path.partition('?')[0]}: {problem}") from problem
