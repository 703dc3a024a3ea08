"""What a detection of drift costs the agent itself, without a server and a GitHub that take time: `make bench`."""

import contextlib
import io
import json
import sys
import threading
import time
import tracemalloc
from collections.abc import Mapping
from typing import Any

from isolation.drift.rest import Rest
from tests.unit.isolation.drift_stand_ins import Atlantis, detection

PROJECTS = (50, 500)


class GitHub(Rest):
    """Has the issues that were opened, and counts calls."""

    def __init__(self) -> None:
        super().__init__("", str, "")
        self.calls = 0
        self._issues: list[dict[str, Any]] = []

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        self.calls += 1
        if method == "GET":
            page = int(path.rpartition("page=")[2])
            return self._issues[100 * (page - 1) : 100 * page]
        issue = {
            **(body or {}),
            "number": len(self._issues),
            "user": {"type": "Bot"},
            "html_url": "https://github.com/",
        }
        self._issues.append(issue)
        return issue


def main() -> None:
    """Print a line for the first run, which opens an issue for each project, and for the second one, which changes none."""
    drifted = {"has_drift": True, "drift": {"to_add": 1, "summary": "Plan: 1 to add, 0 to change, 0 to destroy."}}
    for projects in PROJECTS:
        names = [f"project-{number}" for number in range(projects)]
        github = GitHub()
        tested = detection(Atlantis(**dict.fromkeys(names, drifted)), *names, github=github)
        for run in ("first", "second"):
            github.calls = 0
            printed = io.StringIO()
            tracemalloc.start()
            began = time.perf_counter()
            with contextlib.redirect_stdout(printed):
                tested.run_once(threading.Event())
            seconds, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            lines = [json.loads(line) for line in printed.getvalue().splitlines()]
            assert sum(line["event"] == "drift-project" for line in lines) == projects
            sys.stdout.write(
                f"{projects} projects, {run} run: {seconds:.1f} s, {peak / 2**20:.1f} MB, {github.calls} calls of GitHub's API, "
                f"{len(printed.getvalue()) // 1024} KB of log\n"
            )


if __name__ == "__main__":
    main()
