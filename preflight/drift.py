"""Detect drift in all projects now, and print a table of what was found.

The command writes a request into the stream `requests` of the agent's log group, and reads the results from the other streams. The
agent looks for requests every ten seconds, and finishes a detection that runs first.

Exit code 0: nothing has drifted or failed. 1: something has. 2: the detection couldn't be run.
"""

import argparse
import datetime
import json
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.aws import AnswerError
from preflight.deployment import Deployment
from preflight.errors import FailedError
from preflight.printed import columns, parser, print_document, say

_STREAM = "requests"
_POLL_SECONDS = 2.0
_UNANSWERED_SECONDS = 120.0
"""An agent that runs no detection answers within ten seconds; a task that starts needs about a minute."""
_NOTE_EVERY = 60.0
_LONGEST_RUN = 6 * 3600
_CLOCK_SKEW = 300

_HEADER = ("project", "result", "changes", "since (UTC)", "issue")
_ORDER = {"drifted": 0, "failed": 1, "locked": 2, "clean": 3}
_LONGEST_REASON = 160

_Event = Mapping[str, Any]


def main() -> int:
    """Run the command against the account of the environment's credentials."""
    options = parser("preflight.drift", __doc__)
    options.add_argument("--json", action="store_true", help="print the results as JSON")
    options.add_argument(
        "--timeout", type=int, default=240, metavar="MINUTES", help="how long to wait for the results (default: 240)"
    )
    return run(options.parse_args())


def run(arguments: argparse.Namespace) -> int:
    """Request a detection, wait for its results, and print them; returns the exit code."""

    def document(deployment: Deployment) -> tuple[str, bool]:
        if not deployment.settings.drift.enabled:
            raise FailedError(
                f"atlantis:driftProjects isn't set for the stack {arguments.stack}, so the stack detects no drift",
                "name the projects in atlantis:driftProjects, with atlantis:terraformIsolation: tasks and the image of docker/ "
                "(the sandbox builds it), deploy, and run the command again (docs/drift.md)",
            )
        found = _Requested(deployment).results(arguments.timeout * 60)
        projects = [event for event in found if event["event"] == "drift-project"]
        is_clean = not any(event["drifted"] + event["failed"] for event in projects)
        return json.dumps(found, indent=2) if arguments.json else table(found), is_clean

    try:
        return print_document(arguments, document)
    except KeyboardInterrupt:
        sys.stderr.write("\nThe detection continues; its results are in the agent's log and in the issues\n")
        return 2


@dataclass
class _Requested:
    """One request, and what the agent's log says about it."""

    deployment: Deployment
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    run: str = ""
    """The run that answers the request; empty until the agent has begun it."""
    running: str = ""
    """Another run, which has to end first."""
    planned: int = 0
    """Projects of the run that is shown."""
    results_: list[_Event] = field(default_factory=list)
    ended: bool = False

    @property
    def _group(self) -> str:
        return self.deployment.names.agent_log_group

    def results(self, seconds: float) -> list[_Event]:
        """Send the request, show the progress, and return the results' events and the run's last one.

        Raises:
            FailedError: nobody answers, or `seconds` are over.
        """
        events = self._events(_LONGEST_RUN)
        for event in next(events):
            self._read(event, show=False)
        self._send()
        started = noted = time.monotonic()
        say(f"Requested a detection from the agent of {self.deployment.names.base}, which looks every ten seconds")
        if self.running:
            say("A detection is running; the requested one begins after it")
        while not self.ended:
            time.sleep(_POLL_SECONDS)
            fresh = next(events)
            for event in fresh:
                self._read(event, show=True)
            now = time.monotonic()
            if fresh:
                noted = now
            if not self.run and not self.running and now - max(started, noted) > _UNANSWERED_SECONDS:
                raise self._unanswered()
            if now - started > seconds:
                raise FailedError(
                    f"no result within {seconds / 60:.0f} minutes, and the detection continues",
                    f"follow it with `aws logs tail {self._group} --follow`, or set --timeout",
                )
            if now - noted > _NOTE_EVERY and (self.run or self.running):
                say(f"{self.planned} projects until now; the agent plans the next one, or waits for a plan or an apply")
                noted = now
        return self.results_

    def _send(self) -> None:
        aws, stream = self.deployment.aws, {"logGroupName": self._group, "logStreamName": _STREAM}
        try:
            aws.call("logs", "create_log_stream", **stream)
        except AnswerError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise
        message = json.dumps({"event": "drift-request", "request": self.id})
        entry = {"timestamp": int(time.time() * 1000), "message": message}
        aws.call("logs", "put_log_events", logEvents=[entry], **stream)

    def _events(self, seconds: float) -> Iterator[list[_Event]]:
        """Everything that the agent has logged in the last `seconds`, and then what is new, at each call."""
        since, known = int((time.time() - seconds) * 1000), dict[tuple[int, str], None]()
        while True:
            wanted = {"startTime": since, "filterPattern": '{ $.event = "drift-*" }'}
            try:
                answer = self.deployment.aws.call("logs", "filter_log_events", logGroupName=self._group, **wanted)
            except AnswerError as error:
                if not error.is_absent:
                    raise
                raise FailedError(
                    f"the log group {self._group} doesn't exist, so this stack was deployed without drift detection",
                    "deploy the stack with atlantis:driftProjects, and run the command again",
                ) from None
            found = [(event["timestamp"], event["message"]) for event in answer["events"]]
            fresh = [entry for entry in found if entry not in known]
            known = dict.fromkeys(found)
            # CloudWatch Logs shows events late and not in order, and this machine's clock may differ.
            since = max([since, *(timestamp - _CLOCK_SKEW * 1000 for timestamp, _ in found)])
            yield [event for _, message in fresh if (event := _parsed(message))]

    def _read(self, event: _Event, *, show: bool) -> None:
        match event:
            case {"event": "drift-began", "run": str(run), "requests": [*requests]}:
                self.planned = 0
                self.run, self.running = (run, "") if self.id in requests else (self.run, run)
                if show and self.id in requests:
                    say("The detection has begun")
            case {"event": "drift-project", "run": str(run)} if run == self.run:
                self.planned += 1
                self.results_.append(event)
                say(f"{place(event)}: {event['result']}")
            case {"event": "drift-project"}:
                self.planned += 1
            case {"event": "drift-state-locked", "run": str(run)} if run == self.run:
                self.results_.append(event)
            case {"event": "drift-run", "run": str(run)}:
                self.running = ""
                if run == self.run:
                    self.ended = True
                    self.results_.append(event)
            case {"event": "drift-started"}:
                self.running = ""
                if self.run:
                    say("The task was replaced during the detection; the agent of the new one begins again")
                self.run, self.results_ = "", []
            case {"event": "drift-log-unreadable", "error": str(error)} if show:
                say(f"The agent can't read its log: {error}")
            case _:
                pass

    def _unanswered(self) -> FailedError:
        names = self.deployment.names
        return FailedError(
            f"the agent hasn't answered within {_UNANSWERED_SECONDS:.0f} seconds",
            f"check that a task runs (`aws ecs describe-services --cluster {names.base} --services {names.base}`), that its image and "
            f"its task definition are of this version, and its log (`aws logs tail {self._group}`)",
        )


def _parsed(message: str) -> _Event | None:
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


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
    lines = columns([_HEADER, *(_row(event) for event in projects)])
    lines += [f"{place(event)}: {_reason(event['error'])}" for event in projects if event["error"]]
    lines += [
        f"{place(event)}: the state is locked since {event['since']}; if nobody uses it, release it with `{event['command']}`"
        for event in by_name.get("drift-state-locked", ())
    ]
    for event in by_name.get("drift-run", ()):
        counts = ", ".join(f"{event[name]} {name}" for name in _ORDER)
        lines.append(f"{len(projects)} projects in {event['seconds']:.0f} s: {counts}")
    return "\n".join(lines)


def _row(event: Mapping[str, Any]) -> tuple[str, ...]:
    since = datetime.datetime.fromisoformat(event["since"]).astimezone(datetime.UTC)
    changes = str(event["summary"]).removeprefix("Plan: ").rstrip(".") or "-"
    return place(event), event["result"], changes, f"{since:%Y-%m-%d %H:%M}", event["issue"] or "-"


def _reason(error: str) -> str:
    """The line that says what is wrong: Terraform's first error, or the first line."""
    lines = [line.strip(" │╷╵\t") for line in error.splitlines()]
    found = next((line for line in lines if line.startswith("Error: ")), next(filter(None, lines), ""))
    return found if len(found) <= _LONGEST_REASON else f"{found[:_LONGEST_REASON]}..."


if __name__ == "__main__":
    sys.exit(main())
