"""Credentials of the task's two roles, and the loopback endpoint that serves the task role's to the container."""

import datetime
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from botocore.exceptions import ClientError

from sandbox.testbed.containers.deployed_service import Credentials, DeployedService, refusal
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.secret_endpoint import JsonHandler

# Fargate refreshes a task's credentials well before they expire.
_REFRESH_BEFORE = datetime.timedelta(minutes=10)


def assume(deployment: DeployedService, role: str, task: str) -> Credentials:
    """Assume ``role`` for ``task``, as the ECS service does; raises ``TaskStartError`` if the role can't be assumed."""
    try:
        answer = deployment.client("sts").assume_role(RoleArn=role, RoleSessionName=task)["Credentials"]
    except ClientError as problem:
        raise TaskStartError(
            [
                f"ECS can't assume {role} ({refusal(problem)}): the role must exist and its trust policy must allow "
                "ecs-tasks.amazonaws.com"
            ]
        ) from problem
    return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"])


class CredentialsEndpoint:
    """Serves the task role's credentials to one task on loopback, in the format that the AWS SDKs expect.

    Fargate serves them at a link-local address, with the path in ``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI``. That
    address isn't available outside a container, so the task gets the whole URL in
    ``AWS_CONTAINER_CREDENTIALS_FULL_URI``.
    """

    def __init__(self, deployment: DeployedService, role: str, task: str) -> None:
        self._deployment = deployment
        self._role = role
        self._task = task
        self._path = f"/v2/credentials/{secrets.token_urlsafe(24)}"
        self._lock = threading.Lock()
        self._current: Credentials | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="task-credentials", daemon=True)

    @property
    def url(self) -> str:
        """The value of ``AWS_CONTAINER_CREDENTIALS_FULL_URI``; only the task knows its path."""
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def credentials(self) -> Credentials:
        """Return the task role's credentials, which are renewed if they expire within ten minutes."""
        with self._lock:
            current = self._current
            if current is None or _ends_soon(current):
                current = self._current = assume(self._deployment, self._role, self._task)
            return current

    def _document(self) -> dict[str, str]:
        current = self.credentials()
        assert current.token is not None  # noqa: S101 - a role's credentials have a session token
        assert current.expires is not None  # noqa: S101 - a role's credentials expire
        return {
            "RoleArn": self._role,
            "AccessKeyId": current.access_key,
            "SecretAccessKey": current.secret_key,
            "Token": current.token,
            "Expiration": current.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(JsonHandler):
            def do_GET(self) -> None:  # noqa: N802 - the base class calls it by this name
                if not self.knows(endpoint._path):
                    return
                try:
                    self.answer(200, endpoint._document())
                except TaskStartError as problem:
                    self.answer(500, {"code": "InternalServerError", "message": str(problem)})

        return Handler


def _ends_soon(credentials: Credentials) -> bool:
    return (
        credentials.expires is not None and credentials.expires - datetime.datetime.now(datetime.UTC) < _REFRESH_BEFORE
    )
