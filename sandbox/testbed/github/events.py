"""Webhook events as GitHub sends them: payload, headers and signature."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.testbed.github.store import PullRequest, Store


def sign(body: bytes, secret: str) -> str:
    """The value of ``X-Hub-Signature-256`` for ``body``."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(event: str, body: bytes, secret: str | None) -> dict[str, str]:
    """The headers of a delivery; without ``secret`` it is not signed."""
    signature = {} if secret is None else {"X-Hub-Signature-256": sign(body, secret)}
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        **signature,
    }


def ping() -> bytes:
    """The event that GitHub sends when a webhook is set up."""
    return _body({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"events": ["pull_request"]}})


def repository(name: str, default_branch: str = "main") -> dict[str, Any]:
    """Return the repository ``owner/name`` as an object in events and API responses."""
    owner, _, short = name.partition("/")
    return {
        "id": 1,
        "name": short,
        "full_name": name,
        "owner": _user(owner),
        "html_url": f"https://github.com/{name}",
        "clone_url": f"https://github.com/{name}.git",
        "default_branch": default_branch,
        "private": True,
    }


def pull_request_object(store: Store, pull: PullRequest) -> dict[str, Any]:
    """Return a pull request as an object in events and API responses."""
    return {
        "id": pull.number,
        "number": pull.number,
        "state": pull.state,
        "title": pull.title,
        "draft": False,
        "merged": pull.merged,
        "user": _user(pull.author),
        "html_url": f"https://github.com/{pull.repository}/pull/{pull.number}",
        "head": _side(store, pull.repository, pull.branch),
        "base": _side(store, pull.repository, pull.base),
        "mergeable": store.merges_cleanly(pull),
        "mergeable_state": "clean" if store.merges_cleanly(pull) else "dirty",
        "labels": [],
    }


def pull_request(store: Store, pull: PullRequest, action: str = "opened") -> bytes:
    """A ``pull_request`` event."""
    return _body(
        {
            "action": action,
            "number": pull.number,
            "pull_request": pull_request_object(store, pull),
            "repository": repository(pull.repository, store.default_branch(pull.repository)),
            "sender": _user(pull.author),
        }
    )


def comment(pull: PullRequest, text: str, author: str = "sandbox-author") -> bytes:
    """An ``issue_comment`` event: ``author`` adds the comment ``text`` to the pull request."""
    return _body(
        {
            "action": "created",
            "issue": {
                "number": pull.number,
                "pull_request": {"url": f"https://api.github.com/repos/{pull.repository}/pulls/{pull.number}"},
                "user": _user(pull.author),
            },
            "comment": {"id": 1, "body": text, "user": _user(author)},
            "repository": repository(pull.repository, pull.base),
            "sender": _user(author),
        }
    )


def _side(store: Store, name: str, branch: str) -> dict[str, Any]:
    return {
        "ref": branch,
        "sha": store.head(name, branch),
        "repo": repository(name, store.default_branch(name)),
        "user": _user(name.partition("/")[0]),
    }


def _user(login: str) -> dict[str, Any]:
    return {"login": login, "id": 1, "type": "User"}


def _body(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload).encode()
