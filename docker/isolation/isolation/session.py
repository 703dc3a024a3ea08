"""A command's credentials, in files of its user: an AWS session from the worker's agent, a token for modules from the server's."""

import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RENEW_BEFORE = 900
"""Seconds before the end of a session at which the next one is written."""


class SessionError(Exception):
    """The agent gives no session; the message says why."""


def ask(path: Path, question: dict[str, Any], patience: float = 30) -> dict[str, Any]:
    """The agent's answer to one question; waits `patience` seconds for an agent that starts."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(60)
                connection.connect(str(path))
                connection.sendall(json.dumps(question).encode() + b"\n")
                with connection.makefile("rb") as file:
                    answer = json.loads(file.readline())
            break
        except (OSError, ValueError) as problem:
            if time.monotonic() > deadline:
                raise SessionError(
                    f"the agent container gives no credentials at {path} ({problem}): its log stream has the reason"
                ) from problem
            time.sleep(0.2)
    if "error" in answer:
        raise SessionError(answer["error"])
    return answer


@dataclass
class Sessions:
    """The credentials of one command. `question` identifies the command and its pull request to the agent."""

    broker: Path
    folder: Path
    uid: int
    question: dict[str, Any]
    renew_at: float = 0

    def write(self) -> None:
        """Get a session and write it for the AWS SDKs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.parent.chmod(0o711)
        os.chown(self.folder, 0, self.uid)
        self.folder.chmod(0o750)
        answer = ask(self.broker, self.question)
        self._replace("session.json", json.dumps({"Version": 1, **answer["session"]}))
        self._replace("config", f"[default]\ncredential_process = cat {self.folder / 'session.json'}\n")
        self.renew_at = time.time() + max(answer["seconds"] - _RENEW_BEFORE, answer["seconds"] / 2, 1)

    def renew(self) -> str:
        """Write the next session if the current one ends soon; what is wrong if the agent gives none."""
        if time.time() < self.renew_at:
            return ""
        try:
            self.write()
        except SessionError as problem:
            self.renew_at = time.time() + 60
            return f"the session can't be renewed: {problem}"
        return ""

    def environment(self) -> dict[str, str]:
        """The variables with which the AWS SDKs find the session."""
        return {
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_EC2_METADATA_DISABLED": "true",
            # The SDK that backends of older Terraform versions use reads AWS_CONFIG_FILE only with it.
            "AWS_SDK_LOAD_CONFIG": "1",
        }

    def write_git(self, given: Mapping[str, str] | None) -> dict[str, str]:
        """Write a token that reads modules for git; the variables with which git uses it.

        Without a token, for example because the App can't read contents, modules have to be public.
        """
        if not given:
            return {}
        host = given["host"]
        self._replace("git", f"username=x-access-token\npassword={given['token']}\n")
        settings = {
            f"credential.https://{host}.helper": f"!cat {self.folder / 'git'} #",
            f"url.https://{host}/.insteadOf": f"ssh://git@{host}/",
        }
        pairs = [*settings.items(), (f"url.https://{host}/.insteadOf", f"git@{host}:")]
        return {
            "GIT_CONFIG_COUNT": str(len(pairs)),
            **{f"GIT_CONFIG_KEY_{at}": key for at, (key, _) in enumerate(pairs)},
            **{f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(pairs)},
        }

    def remove_git(self) -> None:
        """Remove the token, which only a download needs."""
        (self.folder / "git").unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _replace(self, name: str, content: str) -> None:
        temporary = self.folder / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
            os.fchown(file.fileno(), 0, self.uid)
            os.fchmod(file.fileno(), 0o640)
            file.write(content)
        temporary.replace(self.folder / name)
