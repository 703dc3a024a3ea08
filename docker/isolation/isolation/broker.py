"""The socket of a worker's agent for its executor: sessions of the role that a repository has."""

import fnmatch
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isolation import paths
from isolation.aws import AwsError, Session
from isolation.checkout import valid_name

_LONGEST_NAME = 64
_LONGEST_COMMAND = 12
_RENEW_BEFORE = 1200
"""Seconds that a session has left at least when a command gets it."""
_UNTAGGED_FOR = 3600
"""Seconds after which a role that didn't allow the tag is asked again: each refusal is an event in CloudTrail."""


@dataclass(frozen=True)
class Roles:
    """The role of an executor: for repositories that match a pattern (`owner/name`, first match), and for all others."""

    default: str
    patterns: Sequence[tuple[str, str]] = ()
    tag: str = ""
    """The tag with the repository; empty for none. The policies of the default role refer to it."""

    def of(self, repository: str) -> tuple[str, dict[str, str]]:
        """The ARN of the role for `repository`, and the tags of its sessions."""
        lowered = repository.lower()
        found = (arn for pattern, arn in self.patterns if fnmatch.fnmatchcase(lowered, pattern.lower()))
        return next(found, self.default), {self.tag: repository} if self.tag else {}


def session_name(command: str, checkout: str) -> str:
    """The name by which CloudTrail shows who called: command, owner, repository and pull request."""
    owner, repository, pull, _ = checkout.split("/", 3)
    beginning = re.sub(r"[^\w-]", "-", command, flags=re.ASCII)[:_LONGEST_COMMAND]
    text = re.sub(r"[^\w+=,.@-]", "-", f"{owner}.{repository}", flags=re.ASCII)
    room = _LONGEST_NAME - len(f"{beginning}..{pull}")
    if len(text) > room:
        text = f"{text[: room - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{beginning}.{text}.{pull}"


class Broker:
    """Answers the executor of this worker. `before` is called before each session is given: its command starts."""

    def __init__(
        self,
        role: str,
        path: Path,
        roles: Roles,
        assume: Callable[[str, str, Mapping[str, str]], Session],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._role, self._roles, self._assume, self._before = role, roles, assume, before
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, ...], Session] = {}
        self._without_tag: dict[str, float] = {}
        self._listener = paths.listen(path)

    def serve(self) -> None:
        """Answer until the socket is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                with connection.makefile("rb") as file:
                    question = json.loads(file.readline(1 << 16))
                answer = self._answered(question)
            except AwsError as problem:
                print(f"{self._role}: {problem}", flush=True)
                answer = {"error": str(problem)}
            except (OSError, ValueError, KeyError, TypeError) as problem:
                answer = {"error": f"the agent can't read the question: {problem}"}
            try:
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError as problem:
                print(f"{self._role}: an executor went away before its answer: {problem}", flush=True)

    def _answered(self, question: dict[str, Any]) -> dict[str, Any]:
        checkout = question["checkout"]
        if not valid_name(checkout):
            return {"error": f"{checkout!r} isn't a checkout"}
        command = str(question["command"])
        self._before()
        # The executor names both. What a pull request's code runs as can't connect to it, nor to this socket.
        role_arn, tags = self._roles.of("/".join(checkout.split("/")[:2]))
        session = self._session(role_arn, session_name(command, checkout), tags)
        return {"session": session.process_output(), "seconds": session.seconds_left}

    def _session(self, role_arn: str, name: str, tags: Mapping[str, str]) -> Session:
        # With the tags: a long name is shortened, and another repository's could be made to be the same.
        wanted = (role_arn, name, *tags.values())
        with self._lock:
            self._sessions = {key: found for key, found in self._sessions.items() if found.seconds_left > _RENEW_BEFORE}
            known = self._sessions.get(wanted)
        if known:
            return known
        session = self._assumed(role_arn, name, tags)
        with self._lock:
            self._sessions[wanted] = session
        return session

    def _assumed(self, role_arn: str, name: str, tags: Mapping[str, str]) -> Session:
        """A session with the tags. A repository's own role may not allow them, and then has one without."""
        if time.monotonic() < self._without_tag.get(role_arn, 0):
            return self._assume(role_arn, name, {})
        try:
            return self._assume(role_arn, name, tags)
        except AwsError as problem:
            # Policies that compare a tag don't match without one, so nothing is opened.
            if role_arn == self._roles.default or "sts:TagSession" not in str(problem):
                raise
        session = self._assume(role_arn, name, {})
        print(
            f"{self._role}: sessions of {role_arn} have no tag, because its trust policy doesn't allow sts:TagSession",
            flush=True,
        )
        self._without_tag[role_arn] = time.monotonic() + _UNTAGGED_FOR
        return session
