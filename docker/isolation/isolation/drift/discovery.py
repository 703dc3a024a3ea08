"""The projects of a repository whose projects the settings don't name, so that each has a separate request.

Only the server knows how a repository's configuration, hooks and rules make projects. So the agent learns them from the answer to
a request for all projects, which locks them together, and asks for each one until files change that can decide on projects.
"""

import hashlib
import urllib.parse
from collections.abc import Sequence

from isolation.drift.configuration import Target
from isolation.drift.results import ProjectResult
from isolation.github import Rest

_BY_PATH = (".tf", ".tf.json", ".tofu", ".tofu.json", ".hcl")
"""The server finds directories by these files; what is in them doesn't matter."""
_BY_CONTENT = (".yaml", ".yml")
"""The repository's configuration, under whatever name the server reads it, and what hooks make it of."""


class Discovery:
    """What is known of the repositories without named projects, since the agent's start."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._layouts: dict[Target, str] = {}
        self._known: dict[Target, tuple[str, list[Target]]] = {}

    def targets(self, target: Target) -> list[Target]:
        """One target for each project, if they are known and no file has changed that decides on projects; else `target`.

        Raises:
            GithubError: GitHub doesn't show the branch's files. `target` itself is right then.
        """
        if target.directory or target.project:
            return [target]
        self._layouts.pop(target, None)
        self._layouts[target] = layout = self._layout(target.repository, target.branch)
        known, targets = self._known.get(target, ("", []))
        return targets if known == layout else [target]

    def learn(self, target: Target, results: Sequence[ProjectResult]) -> None:
        """Remember the projects of the answer to a request for all of them."""
        projects = [
            Target(result.repository, result.branch, project=result.project)
            if result.project
            else Target(result.repository, result.branch, directory=result.directory, workspace=result.workspace)
            for result in results
            if result.project or result.directory
        ]
        layout = self._layouts.get(target)
        if projects and layout is not None:
            self._known[target] = layout, projects

    def _layout(self, repository: str, branch: str) -> str:
        """A digest of the branch's files as far as they decide on projects."""
        quoted = urllib.parse.quote(branch, safe="")
        commit = self._rest.call("GET", f"/repos/{repository}/branches/{quoted}")["commit"]
        tree = self._rest.call("GET", f"/repos/{repository}/git/trees/{commit['sha']}?recursive=1")
        if tree["truncated"]:
            # Not all files are in it, so any commit may have changed them.
            return commit["sha"]
        parts = sorted(
            f"{entry['path']}\0{entry['sha'] if entry['path'].endswith(_BY_CONTENT) else ''}"
            for entry in tree["tree"]
            if entry["type"] == "blob" and entry["path"].endswith(_BY_PATH + _BY_CONTENT)
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
