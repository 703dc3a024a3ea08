"""The ECS agent endpoint in ``ECS_AGENT_URI``, with which a task reads and sets its own scale-in protection."""

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.exceptions import ClientError

from sandbox.testbed.containers.credentials import CredentialsEndpoint
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.secret_endpoint import JsonHandler

_STATE = "/task-protection/v1/state"


class AgentEndpoint:
    """Reads and sets the scale-in protection of one task with the task role's permissions, as the Fargate agent does.

    The endpoint listens on loopback, whereas Fargate's has a link-local address. Only the task knows its random path.
    """

    def __init__(self, deployment: DeployedService, credentials: CredentialsEndpoint, task: str) -> None:
        self._deployment = deployment
        self._credentials = credentials
        self._task = task
        self._path = f"/api/{secrets.token_urlsafe(24)}"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, name="ecs-agent", daemon=True).start()

    @property
    def url(self) -> str:
        """The value of ``ECS_AGENT_URI``."""
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, asked: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        """Return the status and the body; ``asked`` is the body of a PUT request, or None for a GET request."""
        task = {"cluster": self._deployment.cluster, "tasks": [self._task]}
        client = self._deployment.client("ecs", self._credentials.credentials())
        try:
            if asked is None:
                answer = client.get_task_protection(**task)
            else:
                minutes = asked.get("ExpiresInMinutes")
                expires = {} if minutes is None else {"expiresInMinutes": minutes}
                answer = client.update_task_protection(
                    **task, protectionEnabled=asked.get("ProtectionEnabled", False), **expires
                )
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

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(JsonHandler):
            def do_GET(self) -> None:  # noqa: N802 - the base class calls it by this name
                self._serve(None)

            def do_PUT(self) -> None:  # noqa: N802 - the base class calls it by this name
                try:
                    asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                except ValueError:
                    self.send_error(400)
                    return
                self._serve(asked)

            def _serve(self, asked: dict[str, Any] | None) -> None:
                if self.knows(endpoint._path + _STATE):
                    self.answer(*endpoint._answer(asked))

        return Handler
