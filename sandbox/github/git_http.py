"""Runs ``git http-backend``, which is a CGI program, for fetches only."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult

__all__ = ["GitAnswer", "is_git", "serve"]

_PATH = re.compile(r"/(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack)")


@dataclass(frozen=True)
class GitAnswer:
    """The backend's response: status, headers and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def is_git(path: str) -> bool:
    """Whether ``path`` belongs to a fetch with git's smart HTTP protocol."""
    return _PATH.fullmatch(path) is not None


def serve(repositories: Path, method: str, url: SplitResult, headers: Mapping[str, str], body: bytes) -> GitAnswer:
    """Answer a fetch of ``/<owner>/<name>.git`` from the bare repositories below ``repositories``."""
    found = _PATH.fullmatch(url.path)
    if found is None or not (repositories / f"{found['repository']}.git").is_dir():
        return GitAnswer(404, [], b"no such repository\n")
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.receivepack",
        "GIT_CONFIG_VALUE_0": "false",
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
