"""The agent's own log group, as CloudWatch Logs has it: what earlier agents wrote, and the requests of `make drift`."""

import fnmatch
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from isolation import aws

_RENEW_BEFORE = 300

Event = tuple[float, Mapping[str, Any]]
"""Seconds since 1970, and the JSON object that was logged."""


class AgentLog:
    """Reads the log group. Only the agent and operators write to it, so what it says is believed.

    Args:
        group: the group's name. Empty: a task definition of an earlier version, with which there is nothing to read.
        region: the group's region.
        assume: returns a session that may filter the group's events.
    """

    def __init__(self, group: str, region: str, assume: Callable[[], aws.Session]) -> None:
        self._group, self._region, self._assume = group, region, assume
        self._session: aws.Session | None = None

    def events(self, seconds: float, pattern: str = "drift-*") -> Iterator[Event]:
        """The events of the last `seconds` whose name matches `pattern`, oldest first.

        Raises:
            aws.AwsError: CloudWatch Logs doesn't answer, or denies it.
        """
        if not self._group:
            return
        asked: dict[str, Any] = {
            "logGroupName": self._group,
            "startTime": int((time.time() - seconds) * 1000),
            "filterPattern": f'{{ $.event = "{pattern}" }}',
        }
        while True:
            answer = self._filter(asked)
            try:
                entries = [(entry["timestamp"] / 1000, _parsed(entry["message"])) for entry in answer.get("events", ())]
            except (KeyError, TypeError) as problem:
                raise aws.AwsError(f"the answer of logs can't be read: {problem!r}") from problem
            for at, event in entries:
                if event is not None and fnmatch.fnmatchcase(event["event"], pattern):
                    yield at, event
            # A page without events isn't the last one.
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    def _filter(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._session is None or self._session.seconds_left < _RENEW_BEFORE:
            self._session = self._assume()
        return aws.call(self._session, "logs", self._region, "Logs_20140328.FilterLogEvents", asked)


def _parsed(message: str) -> Mapping[str, Any] | None:
    """The object of a line; None for the agent's lines about task protection and sessions."""
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("event"), str) else None
