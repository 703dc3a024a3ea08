"""One HTTP request to its end: every way in which no whole answer comes is one kind of error."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

# For addresses of the task itself and of its host, which are never reached through a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer(NamedTuple):
    """An answer with any status."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    """By their names in lower case."""

    def document(self) -> dict[str, Any]:
        """The JSON object of the content; raises ValueError for anything else."""
        found = json.loads(self.content)
        if not isinstance(found, dict):
            raise ValueError(f"not a JSON object: {str(found)[:200]}")  # noqa: TRY004 of what came, not of the code
        return found

    def excerpt(self) -> str:
        """The beginning of the content, for messages."""
        return self.content[:300].decode(errors="replace")


def fetch(request: urllib.request.Request, timeout: float, *, direct: bool = False) -> Answer:
    """Send `request`; raises OSError if no whole answer comes. A truncated one raises HTTPException in the library."""
    # The library's own opener keeps the proxies of the first request of the process.
    opened = _DIRECT.open if direct else urllib.request.build_opener().open
    try:
        try:
            with opened(request, timeout=timeout) as answer:
                return _whole(answer.status, answer)
        except urllib.error.HTTPError as problem:
            with problem:
                return _whole(problem.code, problem)
    except http.client.HTTPException as problem:
        raise OSError(f"the answer ended early or isn't HTTP: {problem!r}") from problem


def _whole(status: int, answer: Any) -> Answer:
    return Answer(status, answer.read(), {name.lower(): value for name, value in answer.headers.items()})
