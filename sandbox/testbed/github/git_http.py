"""Runs ``git http-backend``, which is a CGI program, for fetches, and for pushes of the author."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs

_PATH = re.compile(
    r"/(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)
_PUSH = "git-receive-pack"


@dataclass(frozen=True)
class GitAnswer:
    """The backend's response: status, headers and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def is_git(path: str) -> bool:
    """Whether ``path`` belongs to git's smart HTTP protocol."""
    return _PATH.fullmatch(path) is not None


def pushes_to(url: SplitResult) -> str | None:
    """The repository ``owner/name`` to which a request pushes, or None for a fetch."""
    found = _PATH.fullmatch(url.path)
    pushes = found and (found["service"] == _PUSH or parse_qs(url.query).get("service") == [_PUSH])
    return found["repository"] if found and pushes else None


def serve(repositories: Path, method: str, url: SplitResult, headers: Mapping[str, str], body: bytes) -> GitAnswer:
    """Answer a request for ``/<owner>/<name>.git`` from the bare repositories below ``repositories``.

    The caller decides who may push. Only GitHub itself updates the references of pull requests.
    """
    found = _PATH.fullmatch(url.path)
    if found is None or not (repositories / f"{found['repository']}.git").is_dir():
        return GitAnswer(404, [], b"no such repository\n")
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "http.receivepack",
        "GIT_CONFIG_VALUE_0": str(pushes_to(url) is not None).lower(),
        "GIT_CONFIG_KEY_1": "receive.hideRefs",
        "GIT_CONFIG_VALUE_1": "refs/pull",
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/{found['repository']}.git/{found['service']}",
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    lines = (line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    answer_headers = [(name, value) for name, value in lines]
    status = next((int(value.split()[0]) for name, value in answer_headers if name == "Status"), 200)
    if done.returncode != 0:
        return GitAnswer(500, [], done.stderr)
    return GitAnswer(status, [(name, value) for name, value in answer_headers if name != "Status"], content)
