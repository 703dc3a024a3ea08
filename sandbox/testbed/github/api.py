"""The calls of GitHub's REST API that Atlantis makes. Any other call gets a 404 and is recorded as unexpected."""

import base64
import datetime
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.app import Access
from sandbox.testbed.github.events import pull_request, pull_request_object, repository
from sandbox.testbed.github.store import PullRequest, Store


def tree(git_directory: Path, commit: str) -> list[dict[str, str]] | None:
    """The entries of a commit's whole tree: path, type and hash; None if there is no such commit."""
    listing = subprocess.run(
        ["git", "ls-tree", "-r", "-t", "-z", commit], cwd=git_directory, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        return None
    fields = (entry.split("\t", 1) for entry in listing.stdout.split("\0") if entry)
    return [{"path": path, "type": head.split()[1], "sha": head.split()[2]} for head, path in fields]


_DOCUMENTATION = "https://docs.github.com/rest"
# The valid states of a commit status, from the reference of "Create a commit status".
_STATES = frozenset({"error", "failure", "pending", "success"})
_LONGEST_COMMENT = 65_536
_APP_SLUG = "atlantis-sandbox"
_BOT = f"{_APP_SLUG}[bot]"


@dataclass(frozen=True)
class Call:
    """One request: ``path`` without query."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One response; ``expected`` is False for a call that Atlantis should not have made."""

    status: int
    body: Any
    expected: bool = True


Happened = Callable[[str, bytes], None]
"""Receives the name and the payload of an event."""
_Handler = Callable[["Api", Call, dict[str, str]], Answer]


class Api:
    """Answers calls from the data of a ``Store``; ``Access`` authenticates the callers."""

    def __init__(self, store: Store, access: Access, happened: Happened) -> None:
        self._store = store
        self._access = access
        self._happened = happened

    def answer(self, call: Call) -> Answer:
        """Find the route of ``call``, authenticate the caller, and answer; the call is recorded without credentials."""
        answer = self._answer(call)
        self._store.record(
            "requests",
            {"method": call.method, "path": call.path, "status": answer.status, "expected": answer.expected},
        )
        return answer

    def _answer(self, call: Call) -> Answer:
        for method, pattern, by_app, needs, handler in _ROUTES:
            found = pattern.fullmatch(call.path)
            if method != call.method or found is None:
                continue
            if not (self._access.is_app(call.authorization) if by_app else self._is_known(call.authorization)):
                return _refusal(401, "Bad credentials")
            if needs and not self._access.permits(call.authorization, *needs):
                return _refusal(403, "Resource not accessible by integration")
            try:
                return handler(self, call, found.groupdict())
            except (ValueError, KeyError) as problem:
                return _refusal(422, f"Validation Failed: {problem}")
        return _refusal(404, "Not Found: the sandbox's stand-in for GitHub doesn't support this call")

    def _is_known(self, authorization: str) -> bool:
        return self._access.has_token(authorization) or self._access.is_author(authorization)

    def access_token(self, call: Call, names: dict[str, str]) -> Answer:
        """``POST /app/installations/{installation}/access_tokens``."""
        if not self._access.is_installation(names["installation"]):
            return _refusal(404, "Not Found: the App has no such installation")
        asked = json.loads(call.body or b"{}") or {}  # Atlantis sends `null`
        return Answer(201, self._access.hand_out_token(asked.get("permissions") or {}))

    def app(self, _call: Call, names: dict[str, str]) -> Answer:
        """``GET /apps/{slug}``: Atlantis reads the App's ID and name at its start if ``gh-app-slug`` is set.

        The sandbox has one App. It takes the slug of the configuration, because a sample can't know the reader's App.
        """
        slug = names["slug"]
        return Answer(200, {"id": 1, "slug": slug, "name": slug, "owner": {"login": "sandbox"}})

    def repository(self, _call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}``."""
        if not self._store.has_repository(names["repository"]):
            return _refusal(404, "Not Found")
        return Answer(200, repository(names["repository"], self._store.default_branch(names["repository"])))

    def pull(self, _call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/pulls/{number}``."""
        pull = self._pull(names)
        return _refusal(404, "Not Found") if pull is None else Answer(200, pull_request_object(self._store, pull))

    def merge(self, call: Call, names: dict[str, str]) -> Answer:
        """``PUT /repos/{owner}/{repo}/pulls/{number}/merge``, with a merge commit."""
        pull = self._pull(names)
        if pull is None:
            return _refusal(404, "Not Found")
        wanted = json.loads(call.body or b"{}")
        if wanted.get("sha") not in {None, self._store.head(pull.repository, pull.branch)}:
            return _refusal(409, "Head branch was modified. Review and try the merge again.")
        if pull.state != "open" or not self._store.merges_cleanly(pull):
            return _refusal(405, "Pull Request is not mergeable")
        merged = self._store.merge(pull)
        self._happened("pull_request", pull_request(self._store, merged, "closed"))
        sha = self._store.head(pull.repository, pull.base)
        return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})

    def files(self, _call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/pulls/{number}/files``."""
        pull = self._pull(names)
        return _refusal(404, "Not Found") if pull is None else Answer(200, self._store.changed_files(pull))

    def reviews(self, _call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/pulls/{number}/reviews``."""
        pull = self._pull(names)
        if pull is None:
            return _refusal(404, "Not Found")
        return Answer(
            200,
            [
                {"id": number, "state": "APPROVED", "user": {"login": login}, "submitted_at": "2026-01-01T00:00:00Z"}
                for number, login in enumerate(pull.approved_by, 1)
            ],
        )

    def contents(self, call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/contents/{path}``; 404 for a missing file is an expected answer."""
        content = self._store.content(names["repository"], names["file"], call.query.get("ref", "HEAD"))
        if content is None:
            return Answer(404, {"message": "Not Found", "documentation_url": _DOCUMENTATION})
        encoded = base64.b64encode(content).decode()
        return Answer(
            200,
            {"type": "file", "encoding": "base64", "size": len(content), "path": names["file"], "content": encoded},
        )

    def branch(self, _call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/branches/{branch}``."""
        try:
            return Answer(200, {"commit": {"sha": self._store.head(names["repository"], unquote(names["branch"]))}})
        except SandboxError:
            return _refusal(404, "Branch not found")

    def tree(self, call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/git/trees/{commit}?recursive=1``."""
        if call.query.get("recursive") != "1":
            return _refusal(404, "Not Found: the sandbox's stand-in for GitHub has only recursive trees")
        found = tree(self._store.git_directory(names["repository"]), names["commit"])
        return _refusal(404, "Not Found") if found is None else Answer(200, {"tree": found, "truncated": False})

    def issues(self, call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/issues``, without the pull requests that GitHub lists there too."""
        return Answer(200, self._store.issues.listing(names["repository"], call.query))

    def create_issue(self, call: Call, names: dict[str, str]) -> Answer:
        """``POST /repos/{owner}/{repo}/issues``."""
        first = 1 + max(self._store.numbers(names["repository"]), default=0)
        return Answer(201, self._store.issues.create(names["repository"], json.loads(call.body), first=first))

    def update_issue(self, call: Call, names: dict[str, str]) -> Answer:
        """``PATCH /repos/{owner}/{repo}/issues/{number}``."""
        changed = self._store.issues.update(names["repository"], int(names["number"]), json.loads(call.body))
        return _refusal(404, "Not Found") if changed is None else Answer(200, changed)

    def comments(self, call: Call, names: dict[str, str]) -> Answer:
        """``GET /repos/{owner}/{repo}/issues/{number}/comments``; only comments of the App are recorded."""
        found = [
            {"id": entry["id"], "node_id": f"IC_{entry['id']}", "body": entry["body"], "user": {"login": _BOT}}
            for entry in self._store.recorded("comments")
            if (entry["repository"], entry["number"]) == (names["repository"], int(names["number"]))
            and entry["updated_at"] >= call.query.get("since", "")
        ]
        return Answer(200, found)

    def create_comment(self, call: Call, names: dict[str, str]) -> Answer:
        """``POST /repos/{owner}/{repo}/issues/{number}/comments``."""
        body = str(json.loads(call.body)["body"])
        if not body or len(body) > _LONGEST_COMMENT:
            return _refusal(422, f"Validation Failed: a comment has 1 to {_LONGEST_COMMENT} characters")
        entry = {"repository": names["repository"], "number": int(names["number"]), "body": body}
        now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        return Answer(201, {"id": self._store.record("comments", entry | {"updated_at": now}), "body": body})

    def react(self, call: Call, names: dict[str, str]) -> Answer:
        """``POST /repos/{owner}/{repo}/issues/comments/{id}/reactions``."""
        content = str(json.loads(call.body)["content"])
        entry = {"repository": names["repository"], "comment": int(names["comment"]), "content": content}
        return Answer(201, {"id": self._store.record("reactions", entry), "content": content})

    def create_status(self, call: Call, names: dict[str, str]) -> Answer:
        """``POST /repos/{owner}/{repo}/statuses/{sha}``."""
        status = json.loads(call.body)
        if status["state"] not in _STATES:
            return _refusal(422, f"Validation Failed: state is one of {', '.join(sorted(_STATES))}")
        entry = {"repository": names["repository"], "sha": names["sha"]} | {
            key: status.get(key) for key in ("state", "context", "description", "target_url")
        }
        return Answer(201, {"id": self._store.record("statuses", entry), "state": status["state"]})

    def _pull(self, names: dict[str, str]) -> PullRequest | None:
        return self._store.pull_request(names["repository"], int(names["number"]))


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"message": message, "documentation_url": _DOCUMENTATION}, expected=False)


def _route(
    method: str, path: str, handler: _Handler, *, by_app: bool = False, needs: tuple[str, str] | None = None
) -> tuple[str, re.Pattern[str], bool, tuple[str, str] | None, _Handler]:
    """``needs``: a permission and its level, for calls that other clients than Atlantis make with tokens of fewer permissions."""
    repository_path = path.replace("{repository}", r"/repos/(?P<repository>[\w.-]+/[\w.-]+)")
    return method, re.compile(repository_path), by_app, needs, handler


_ROUTES = (
    _route("POST", r"/app/installations/(?P<installation>\d+)/access_tokens", Api.access_token, by_app=True),
    _route("GET", r"/apps/(?P<slug>[a-z0-9-]+)", Api.app),
    _route("GET", r"{repository}", Api.repository),
    _route("GET", r"{repository}/pulls/(?P<number>\d+)", Api.pull),
    _route("PUT", r"{repository}/pulls/(?P<number>\d+)/merge", Api.merge),
    _route("GET", r"{repository}/pulls/(?P<number>\d+)/files", Api.files),
    _route("GET", r"{repository}/pulls/(?P<number>\d+)/reviews", Api.reviews),
    _route("GET", r"{repository}/contents/(?P<file>.+)", Api.contents),
    _route("GET", r"{repository}/branches/(?P<branch>[^/]+)", Api.branch, needs=("contents", "read")),
    _route("GET", r"{repository}/git/trees/(?P<commit>[0-9a-f]{40})", Api.tree, needs=("contents", "read")),
    _route("GET", r"{repository}/issues", Api.issues, needs=("issues", "read")),
    _route("POST", r"{repository}/issues", Api.create_issue, needs=("issues", "write")),
    _route("PATCH", r"{repository}/issues/(?P<number>\d+)", Api.update_issue, needs=("issues", "write")),
    _route("GET", r"{repository}/issues/(?P<number>\d+)/comments", Api.comments),
    _route("POST", r"{repository}/issues/(?P<number>\d+)/comments", Api.create_comment),
    _route("POST", r"{repository}/issues/comments/(?P<comment>\d+)/reactions", Api.react),
    _route("POST", r"{repository}/statuses/(?P<sha>[0-9a-f]{40})", Api.create_status),
)
