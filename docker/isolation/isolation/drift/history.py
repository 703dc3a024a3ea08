"""Since when each project has its result, and when the last good detection was: also across restarts of the task."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from isolation.drift.log import Event
from isolation.drift.results import ProjectResult, Result

_Identity = tuple[str, str, str]
_GOOD = (Result.CLEAN, Result.DRIFTED)
"""The results of a plan that worked."""


@dataclass(frozen=True)
class Standing:
    """A project's result, and the times (seconds since 1970) since when it has it and of its last plan that worked."""

    result: str
    since: float
    last_good: float
    """Of a project that never had one: the time of its first detection."""


class History:
    """What the runs until now have found.

    Args:
        now: the time of the agent's start, from which the age of the last good run counts if there was none.
    """

    def __init__(self, now: float) -> None:
        self._standings: dict[_Identity, Standing] = {}
        self.last_good_run = now
        self.answered: set[str] = set()
        """The requests of `make drift` that a run has answered to its end."""
        self.interrupted = False
        """Whether the last run didn't end, because its task was replaced."""
        self._begun: set[str] = set()

    def learn(self, events: Iterable[Event]) -> None:
        """Take over what earlier agents have logged. Lines of another form are left out."""
        for time, event in events:
            match event:
                case {"event": "drift-age", "lastGood": str(last)} if (seconds := _seconds(last)) is not None:
                    self.last_good_run = seconds
                case {"event": "drift-run", "good": good}:
                    self.last_good_run = time if good == 1 else self.last_good_run
                    self.answered |= self._begun
                    self.interrupted = False
                case {"event": "drift-began", "requests": [*requests]}:
                    self._begun, self.interrupted = set(map(str, requests)), True
                case {"event": "drift-project", "since": str(since), "lastGood": str(last)}:
                    self._learn_project(event, _seconds(since), _seconds(last))
                case _:
                    pass

    def _learn_project(self, event: Mapping[str, Any], since: float | None, last_good: float | None) -> None:
        if since is not None and last_good is not None:
            identity = str(event.get("repository")), str(event.get("branch")), str(event.get("project"))
            self._standings[identity] = Standing(str(event.get("result")), since, last_good)

    def note(self, result: ProjectResult, now: float) -> Standing:
        """The project's standing with a new result."""
        identity = result.repository, result.branch, result.key
        before = self._standings.get(identity, Standing(result.result, now, now))
        standing = replace(
            before,
            result=result.result.value,
            since=before.since if before.result == result.result else now,
            last_good=now if result.result in _GOOD else before.last_good,
        )
        self._standings[identity] = standing
        return standing


def _seconds(text: str) -> float | None:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
