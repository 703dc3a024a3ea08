"""One GitHub issue for each project that has drifted: opened, updated, and closed when the drift is gone."""

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from isolation.drift.results import ProjectResult, Result
from isolation.github import Rest, folded

LABEL = "atlantis-drift"
_PER_PAGE = 100
_LONGEST_PLAN = 50_000
"""Characters. An issue's body has at most 65,536."""
# The issues of earlier versions have no branch in the marker; their first sentence names it.
_MARKER = re.compile(r"<!-- atlantis-drift(?: (?P<branch>\S+))?: (?P<key>.*?) -->\s*(?:`(?P<named>[^`\s]+)`)?")


class Issues:
    """The issues of drift in the repositories of one installation.

    Args:
        rest: GitHub's REST API, with `issues: write`.
        atlantis: the URL of the server, for people.
    """

    def __init__(self, rest: Rest, atlantis: str) -> None:
        self._rest, self._atlantis = rest, atlantis

    def of(self, repository: str) -> "RepositoryIssues":
        """The issues of one repository, for one run."""
        return RepositoryIssues(self._rest, self._atlantis, repository)


class RepositoryIssues:
    """The open issues of one repository, which are read once, before the first result that concerns them."""

    def __init__(self, rest: Rest, atlantis: str, repository: str) -> None:
        self._rest, self._atlantis, self._repository = rest, atlantis, repository
        self._opened: dict[tuple[str, str], Mapping[str, Any]] | None = None

    def report(self, result: ProjectResult) -> str:
        """Bring the project's issue up to date.

        Returns:
            the issue's address; empty for a project that hasn't drifted.

        Raises:
            GithubError: GitHub refuses a call.
        """
        if result.result not in (Result.DRIFTED, Result.CLEAN):
            return ""
        if self._opened is None:
            self._opened = self._open()
        existing = self._opened.get((result.branch, result.key))
        if result.result is Result.DRIFTED:
            return self._show(result, existing)
        if existing is not None:
            self._close(existing)
        return ""

    def _open(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The open issues by branch and project key. Anybody can write the marker, so only issues of an App are considered."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        page = 1
        while True:
            query = urllib.parse.urlencode({"state": "open", "labels": LABEL, "per_page": _PER_PAGE, "page": page})
            issues = self._rest.call("GET", f"/repos/{self._repository}/issues?{query}")
            for issue in issues:
                marker = _MARKER.search(issue.get("body") or "")
                if marker and issue["user"]["type"] == "Bot":
                    found.setdefault((marker["branch"] or marker["named"] or "", marker["key"]), issue)
            if len(issues) < _PER_PAGE:
                return found
            page += 1

    def _show(self, result: ProjectResult, existing: Mapping[str, Any] | None) -> str:
        title, body = f"Drift in {_place(result)} on `{result.branch}`", self._body(result)
        path = f"/repos/{self._repository}/issues"
        if existing is None:
            issue = self._rest.call("POST", path, {"title": title, "body": body, "labels": [LABEL]})
            return str(issue["html_url"])
        if existing["body"] != body:
            self._rest.call("PATCH", f"{path}/{existing['number']}", {"title": title, "body": body})
        return str(existing["html_url"])

    def _close(self, issue: Mapping[str, Any]) -> None:
        path = f"/repos/{self._repository}/issues/{issue['number']}"
        # In this order: a call that fails is repeated by the next run, and comments would pile up.
        self._rest.call("PATCH", path, {"state": "closed", "state_reason": "completed"})
        self._rest.call("POST", f"{path}/comments", {"body": "The last detection found no drift."})

    def _body(self, result: ProjectResult) -> str:
        plan = f"\n{folded('Plan', result.plan[:_LONGEST_PLAN])}" if result.plan else ""
        where = f"-p {result.project}" if result.project else f"-d {result.directory} -w {result.workspace}"
        return f"""\
<!-- atlantis-drift {result.branch}: {result.key} -->
`{result.branch}` and the real resources of {_place(result)} differ:

> {result.summary}
{plan}
Two ways to remove the drift:

- **Keep the change**: open a pull request that adds it to the code. When its plan has no changes left, merge it.
- **Undo the change**: open a pull request that touches the project without changing its resources, comment
  `atlantis plan {where}`, check the plan, and comment `atlantis apply {where}` after the approval.

[Atlantis]({self._atlantis}) closes this issue when a detection finds no drift.
"""


def _place(result: ProjectResult) -> str:
    return f"project `{result.project}`" if result.project else f"`{result.directory}` (workspace `{result.workspace}`)"
