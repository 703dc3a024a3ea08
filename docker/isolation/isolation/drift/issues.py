"""One GitHub issue for each project that has drifted: opened, updated, and closed when the drift is gone."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isolation.drift.results import ProjectResult, Result

__all__ = ["LABEL", "IssueError", "Issues"]

LABEL = "atlantis-drift"
_TIMEOUT = 30
_PER_PAGE = 100
_LONGEST_PLAN = 50_000
"""Characters. An issue's body has at most 65,536."""
# The issues of earlier versions have no branch in the marker; their first sentence names it.
_MARKER = re.compile(r"<!-- atlantis-drift(?: (?P<branch>\S+))?: (?P<key>.*?) -->\s*(?:`(?P<named>[^`\s]+)`)?")


class IssueError(Exception):
    """GitHub doesn't take the issue; the message says why."""


class Issues:
    """The issues of drift in the repositories of one installation.

    Args:
        api: the address of GitHub's REST API.
        token: returns a token with `issues: write`.
        atlantis: the URL of the server, for people.
    """

    def __init__(self, api: str, token: Callable[[], str], atlantis: str) -> None:
        self._api, self._token, self._atlantis = api, token, atlantis

    def report(self, repository: str, results: Sequence[ProjectResult]) -> dict[tuple[str, str], str]:
        """Bring the repository's issues up to date with one run.

        Returns:
            the issue's address by branch and project key, for every project that has drifted.

        Raises:
            IssueError: GitHub refuses a call. Projects that were reported before it stay so.
        """
        decided = [result for result in results if result.result in (Result.DRIFTED, Result.CLEAN)]
        if not decided:
            return {}
        open_issues = self._open(repository)
        addresses = {}
        for result in decided:
            identity = result.branch, result.key
            existing = open_issues.get(identity)
            if result.result is Result.DRIFTED:
                addresses[identity] = self._show(repository, result, existing)
            elif existing is not None:
                self._close(repository, existing)
        return addresses

    def _open(self, repository: str) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The open issues by branch and project key. Anybody can write the marker, so only issues of an App are considered."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        page = 1
        while True:
            query = urllib.parse.urlencode({"state": "open", "labels": LABEL, "per_page": _PER_PAGE, "page": page})
            issues = self._call("GET", f"/repos/{repository}/issues?{query}")
            for issue in issues:
                marker = _MARKER.search(issue.get("body") or "")
                if marker and issue["user"]["type"] == "Bot":
                    found.setdefault((marker["branch"] or marker["named"] or "", marker["key"]), issue)
            if len(issues) < _PER_PAGE:
                return found
            page += 1

    def _show(self, repository: str, result: ProjectResult, existing: Mapping[str, Any] | None) -> str:
        title, body = f"Drift in {_place(result)} on `{result.branch}`", self._body(result)
        if existing is None:
            issue = self._call("POST", f"/repos/{repository}/issues", {"title": title, "body": body, "labels": [LABEL]})
            return str(issue["html_url"])
        if existing["body"] != body:
            self._call("PATCH", f"/repos/{repository}/issues/{existing['number']}", {"title": title, "body": body})
        return str(existing["html_url"])

    def _close(self, repository: str, issue: Mapping[str, Any]) -> None:
        path = f"/repos/{repository}/issues/{issue['number']}"
        self._call("POST", f"{path}/comments", {"body": "The last detection found no drift."})
        self._call("PATCH", path, {"state": "closed", "state_reason": "completed"})

    def _body(self, result: ProjectResult) -> str:
        plan = "\n<details><summary>Plan</summary>\n\n{0}\n{1}\n{0}\n\n</details>\n"
        shown = result.plan[:_LONGEST_PLAN]
        # A fence longer than any in the text, so that the plan can't end it.
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
        where = f"-p {result.project}" if result.project else f"-d {result.directory} -w {result.workspace}"
        return f"""\
<!-- atlantis-drift {result.branch}: {result.key} -->
`{result.branch}` and the real resources of {_place(result)} differ:

> {result.summary}
{plan.format(fence, shown) if shown else ""}
Two ways to remove the drift:

- **Keep the change**: open a pull request that adds it to the code. When its plan has no changes left, merge it.
- **Undo the change**: open a pull request that touches the project without changing its resources, comment
  `atlantis plan {where}`, check the plan, and comment `atlantis apply {where}` after the approval.

[Atlantis]({self._atlantis}) closes this issue when a detection finds no drift.
"""

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
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
            way_out = "; grant the App `issues: write`" if problem.code in (403, 404) else ""
            raise IssueError(
                f"{method} {path.partition('?')[0]}: GitHub answered {problem.code}{way_out}: {reason}"
            ) from problem
        except (OSError, ValueError) as problem:
            raise IssueError(f"{method} {path.partition('?')[0]}: {problem}") from problem


def _place(result: ProjectResult) -> str:
    return f"project `{result.project}`" if result.project else f"`{result.directory}` (workspace `{result.workspace}`)"
