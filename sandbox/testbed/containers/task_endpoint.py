"""The task's endpoint for its role's credentials, and for its own scale-in protection.

Fargate serves both at a link-local address, which only the task reaches and which isn't available outside a container. Here they
are on loopback, below random paths that only the task has.
"""

import datetime
import json
import secrets
import threading
from collections.abc import Callable
from typing import Any, Self

from botocore.exceptions import ClientError

from sandbox.testbed.containers.deployed_service import Credentials, DeployedService
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.loopback_server import Handler, LoopbackServer

# Fargate refreshes a task's credentials well before they expire.
_REFRESH_BEFORE = datetime.timedelta(minutes=10)
_Answer = tuple[int, dict[str, Any]]


class TaskEndpoint:
    """Serves the credentials of ``role`` to one task, in the format that the AWS SDKs expect.

    It also reads and sets the task's protection with the role's permissions, as the agent of ECS does.
    """

    def __init__(self, deployment: DeployedService, role: str, task: str) -> None:
        self._deployment, self._role, self._task = deployment, role, task
        self._lock = threading.Lock()
        self._current: Credentials | None = None
        credentials, agent = (f"/{name}/{secrets.token_urlsafe(24)}" for name in ("v2/credentials", "api"))
        state = f"{agent}/task-protection/v1/state"
        answers = {
            ("GET", credentials): self._document,
            ("GET", state): self._protection,
            ("PUT", state): self._protect,
        }
        self._server = LoopbackServer(_handler(answers))
        self.credentials_url, self.agent_url = self._server.url + credentials, self._server.url + agent
        """The values of ``AWS_CONTAINER_CREDENTIALS_FULL_URI`` and of ``ECS_AGENT_URI``."""

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.stop()

    def credentials(self) -> Credentials:
        """Return the task role's credentials, which are renewed if they expire within ten minutes."""
        with self._lock:
            if self._current is None or _ends_soon(self._current):
                self._current = self._deployment.assume(self._role, self._task)
            return self._current

    def _document(self, _body: bytes) -> _Answer:
        try:
            current = self.credentials()
        except TaskStartError as problem:
            return 500, {"code": "InternalServerError", "message": str(problem)}
        assert current.expires is not None  # noqa: S101 - a role's credentials expire
        return 200, {
            "RoleArn": self._role,
            "AccessKeyId": current.access_key,
            "SecretAccessKey": current.secret_key,
            "Token": current.token,
            "Expiration": f"{current.expires:%Y-%m-%dT%H:%M:%SZ}",
        }

    def _protection(self, _body: bytes) -> _Answer:
        return self._ask("get_task_protection")

    def _protect(self, body: bytes) -> _Answer:
        try:
            asked = json.loads(body)
        except ValueError:
            return 400, {}
        minutes = asked.get("ExpiresInMinutes")
        expires = {} if minutes is None else {"expiresInMinutes": minutes}
        return self._ask("update_task_protection", protectionEnabled=asked.get("ProtectionEnabled", False), **expires)

    def _ask(self, operation: str, **parameters: Any) -> _Answer:
        client = self._deployment.client("ecs", self.credentials())
        try:
            answer = getattr(client, operation)(cluster=self._deployment.cluster, tasks=[self._task], **parameters)
        except ClientError as problem:
            error = problem.response["Error"]
            document = {"Arn": self._task, "Code": error["Code"], "Message": error["Message"]}
            return problem.response["ResponseMetadata"]["HTTPStatusCode"], {"error": document}
        if answer["failures"]:
            failure = answer["failures"][0]
            return 200, {"failure": {"Arn": failure["arn"], "Detail": None, "Reason": failure["reason"]}}
        protected = answer["protectedTasks"][0]
        document = {"ProtectionEnabled": protected["protectionEnabled"], "TaskArn": protected["taskArn"]}
        if "expirationDate" in protected:
            document["ExpirationDate"] = f"{protected['expirationDate']:%Y-%m-%dT%H:%M:%SZ}"
        return 200, {"protection": document}


def _ends_soon(credentials: Credentials) -> bool:
    return (
        credentials.expires is not None and credentials.expires - datetime.datetime.now(datetime.UTC) < _REFRESH_BEFORE
    )


def _handler(answers: dict[tuple[str, str], Callable[[bytes], _Answer]]) -> type[Handler]:
    class Endpoint(Handler):
        def _serve(self) -> None:
            asked = self.command, self.path
            # In constant time, because a path is a secret of the task.
            found = [
                answer
                for known, answer in answers.items()
                if secrets.compare_digest(" ".join(known).encode(), " ".join(asked).encode())
            ]
            if not found:
                self.send_error(404)
                return
            status, document = found[0](self.body())
            content = json.dumps(document, separators=(",", ":")).encode()
            self.respond(status, content, [("Content-Type", "application/json")])

        do_GET = do_PUT = _serve

    return Endpoint
