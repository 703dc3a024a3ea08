"""A running Gitea, as process of a sandbox' state folder: its configuration, its certificate and its API."""

import getpass
import json
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.atlantis.agent import GITHUB_DIRECTORY
from sandbox.gitea import build
from sandbox.testbed import processes
from sandbox.testbed.certificates import issue
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_private
from sandbox.testbed.github import other_host
from sandbox.testbed.paths import private_directory
from sandbox.testbed.ports import free_port

HOST = "git.example.com"
"""The name under which the deployed server reaches it."""
_START_SECONDS = 120.0
_CONFIGURATION = """\
RUN_USER = {user}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = {folder}
[server]
PROTOCOL = https
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
DOMAIN = {host}
ROOT_URL = https://{host}/
PUBLIC_URL_DETECTION = never
LOCAL_ROOT_URL = https://127.0.0.1:{port}/
CERT_FILE = {chain}
KEY_FILE = {key}
STATIC_ROOT_PATH = {sources}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
INTERNAL_TOKEN = {token}
ALLOWED_HOST_LIST = loopback
[service]
DISABLE_REGISTRATION = true
[repository]
ROOT = {folder}/repositories
DEFAULT_BRANCH = main
[actions]
ENABLED = false
[log]
LEVEL = Warn
"""


class Gitea:
    """A new Gitea in the folder ``state`` of a sandbox, on loopback. The sandbox' server reaches it as ``HOST``."""

    def __init__(self, state: Path) -> None:
        # A run that was killed has left its users.
        processes.stop(state, "gitea")
        shutil.rmtree(state / "gitea", ignore_errors=True)
        self._state, self._folder = state, private_directory(state / "gitea")
        self._executable, self._port = build.executable(), free_port()
        certificates = issue(
            self._folder / "tls", (HOST, "127.0.0.1"), authority_name="Atlantis sandbox Gitea authority"
        )
        self._trusted = ssl.create_default_context(cafile=str(certificates.bundle))
        self._bundle = certificates.bundle
        configuration = _CONFIGURATION.format(
            user=getpass.getuser(),
            folder=self._folder,
            port=self._port,
            host=HOST,
            chain=certificates.chain,
            key=certificates.key,
            sources=build.sources(),
            secret=secrets.token_hex(32),
            token=secrets.token_hex(32),
        )
        write_private(self._folder / "app.ini", configuration)
        private_directory(self._folder / "home")

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the server, and wait until it answers."""
        self._environment = {**environment, "HOME": str(self._folder / "home"), "GITEA_WORK_DIR": str(self._folder)}
        processes.start(
            self._state,
            "gitea",
            [*self._command(), "web"],
            environment=self._environment,
            port=self._port,
            directory=self._folder,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.call("GET", "/version", "")
            except OSError:
                time.sleep(0.3)
            else:
                return
        raise SandboxError(f"Gitea doesn't answer; its log is {self._state / 'logs' / 'gitea.log'}")

    def connect(self, token: str) -> None:
        """Let the sandbox' server reach Gitea, with the token of its user."""
        other_host.write(private_directory(self._state / GITHUB_DIRECTORY), HOST, self._port, self._bundle, token)

    def user(self, name: str, *, admin: bool = False) -> str:
        """Create a user, and return an access token for it."""
        arguments = [
            "--username",
            name,
            "--email",
            f"{name}@example.com",
            "--random-password",
            "--must-change-password=false",
        ]
        arguments += ["--access-token", "--access-token-name=sandbox", "--access-token-scopes=all"]
        done = subprocess.run(
            [*self._command(), "admin", "user", "create", *arguments, *(["--admin"] if admin else [])],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SandboxError(f"Gitea can't create the user {name}: {done.stderr.strip()}")
        return done.stdout.rpartition(" ")[2].strip()

    def call(self, method: str, path: str, token: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer of Gitea's API; raises ``SandboxError`` for an error."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"token {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        url = f"https://127.0.0.1:{self._port}/api/v1{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self._trusted, timeout=60) as answer:  # noqa: S310 - on loopback
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise SandboxError(
                f"Gitea: {method} {path} -> {error.code} {error.read().decode(errors='replace')}"
            ) from error
        return json.loads(text) if text else None

    def _command(self) -> list[str]:
        return [str(self._executable), "--config", str(self._folder / "app.ini")]
