"""Reports applies whose server ended before it had commented their result: a part of the server's agent."""

import datetime
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from isolation import questions, tls
from isolation.github import GithubError, Rest, folded
from isolation.parts import write_event
from isolation.protocol import ProtocolError

_LOOK_EVERY = 10.0
_REPORT = re.compile(r"Ran (Apply|Import) for ")
"""How Atlantis' comment on a result begins."""
_GONE_AFTER = 6
"""Looks in a row in which a worker that ECS doesn't list any more hasn't answered."""
_LONGEST_OUTPUT = 50_000
"""Characters. A comment has at most 65,536."""
_COMMENTED_AFTER = 6 * 3600.0
"""Seconds after which this server has commented a result that it has: that of the first project comes with that of the last one."""
_DRAINS = 300.0
"""Seconds in which a server that ECS stops may still comment: more than its stopTimeout, and than clocks differ."""
_MOST_TRIES = 60
"""Looks in which GitHub has refused a comment. After them, the result is in the log only."""


class Recovered:
    """Asks every apply worker for results that no server has, and comments them on the pull requests.

    Args:
        workers: returns the addresses of the apply workers by ID.
        key: the workers' key.
        rest: GitHub's REST API with `pull_requests: write`; None for other hosts: the log has the results then.
        alone: returns whether this server's task is the only one; in a deployment, two may run.
    """

    def __init__(
        self,
        workers: Callable[[], Mapping[str, str]],
        key: tls.Key,
        rest: Rest | None,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self._workers, self._key, self._rest, self._alone = workers, key, rest, alone
        self._began = time.time()
        self._reported: set[str] = set()
        self._tries: Counter[str] = Counter()
        # By worker: its address, what runs there, and how often it hasn't answered.
        self._running: dict[str, tuple[str, list[dict[str, Any]], int]] = {}

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        while not stop.wait(_LOOK_EVERY):
            self.look()

    def look(self) -> None:
        """Ask all workers once, and those that ECS doesn't list any more if something ran there."""
        listed = self._workers()
        known = {worker: address for worker, (address, _, _) in self._running.items()}
        for worker, address in {**known, **listed}.items():
            try:
                outcomes = self._ask(address, "results")["results"]
                for outcome in outcomes:
                    if "code" in outcome:
                        self._report(address, worker, outcome)
                running = [outcome for outcome in outcomes if "code" not in outcome]
                self._running.pop(worker, None)
                if running:
                    self._running[worker] = address, running, 0
            except (OSError, ProtocolError, ValueError, KeyError, TypeError) as problem:
                self._silent(worker, listed, problem)

    def _silent(self, worker: str, listed: Mapping[str, str], problem: Exception) -> None:
        """A worker that hasn't answered; if it is gone, what ran there is reported as lost."""
        if worker not in self._running:
            return
        address, outcomes, times = self._running[worker]
        self._running[worker] = address, outcomes, times + 1
        if worker not in listed and times + 1 >= _GONE_AFTER:
            for outcome in outcomes:
                lost = {**outcome, "code": None, "message": str(problem)}
                try:
                    self._comment(lost, worker)
                except GithubError as refused:
                    self._log(lost, worker, str(refused))
            del self._running[worker]

    def _report(self, address: str, worker: str, outcome: Mapping[str, Any]) -> None:
        identity, has = outcome["id"], outcome.get("acknowledged", 0.0)
        if has and not self._is_settled(has):
            return
        if identity not in self._reported and has < self._began:
            try:
                if not has or not self._is_commented(outcome):
                    self._comment(outcome, worker)
            except GithubError as problem:
                self._tries[identity] += 1
                if self._tries[identity] < _MOST_TRIES:
                    return
                self._log(outcome, worker, str(problem))
        self._reported.add(identity)
        self._ask(address, "forget", id=identity)

    def _is_settled(self, has: float) -> bool:
        """Whether the server that has had a result since then has commented it, or is gone."""
        if has >= self._began:
            return time.time() - has > _COMMENTED_AFTER
        return time.time() - has > _DRAINS and self._alone()

    def _is_commented(self, outcome: Mapping[str, Any]) -> bool:
        """Whether an earlier server has commented a result after it had it. Where this can't be known, it counts as commented."""
        if not self._rest:
            return True
        since = datetime.datetime.fromtimestamp(int(outcome["acknowledged"]), datetime.UTC)
        found = self._rest.call("GET", f"{_comments(outcome)}?per_page=100&since={since:%Y-%m-%dT%H:%M:%SZ}")
        return any(_REPORT.match(comment["body"] or "") for comment in found)

    def _comment(self, outcome: Mapping[str, Any], worker: str) -> None:
        if self._rest and int(outcome["checkout"].split("/")[2]) > 0:
            self._rest.call("POST", _comments(outcome), {"body": body(outcome)})
        self._log(outcome, worker, "")

    def _log(self, outcome: Mapping[str, Any], worker: str, error: str) -> None:
        owner, name, pull, _ = outcome["checkout"].split("/", 3)
        line = {key: outcome[key] for key in ("command", "directory", "workspace", "code")}
        place = {"repository": f"{owner}/{name}", "pull": pull, "worker": worker}
        write_event("apply-recovered", **place, **line, error=error)

    def _ask(self, address: str, kind: str, **question: str) -> dict[str, Any]:
        mine, others = socket.socketpair()
        with mine:
            with others:
                process = tls.client(self._key, address, others)
            try:
                return questions.ask(mine, kind, **question)
            finally:
                mine.close()
                process.kill()
                process.communicate()


def _comments(outcome: Mapping[str, Any]) -> str:
    owner, name, pull, _ = outcome["checkout"].split("/", 3)
    return f"/repos/{owner}/{name}/issues/{pull}/comments"


def body(outcome: Mapping[str, Any]) -> str:
    """The comment."""
    command, code = outcome["command"], outcome["code"]
    where = f"in `{outcome['directory']}` (workspace `{outcome['workspace']}`)"
    if code is None:
        return (
            f"**The result of `{command}` {where} is unknown**: Atlantis ended while it ran, and its worker ended before it.\n\n"
            "A part may have been applied, and the lock of the state may remain. Run `atlantis plan` again: its plan has what is left. If "
            "it finds the state locked, and no apply of this state runs, release the lock with `terraform force-unlock` and the ID that "
            "the plan prints, with your own credentials."
        )
    continued = "before it had commented" if "acknowledged" in outcome else "while it ran; its worker continued"
    result = "has succeeded" if code == 0 else f"has failed (exit code {code})"
    advice = (
        "Atlantis doesn't know of it: run `atlantis plan` again, which should have no changes, before you merge."
        if code == 0
        else "A part may have been applied: run `atlantis plan` again, and compare before you apply the rest."
    )
    shown = "\n".join(filter(None, (outcome["output"], outcome["message"])))[-_LONGEST_OUTPUT:]
    return (
        f"**`{command}` {where} {result}.** Atlantis ended {continued}.\n\n{advice}\n\n"
        f"{folded('The end of its output', shown)}"
    )
