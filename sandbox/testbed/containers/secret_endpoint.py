"""A JSON endpoint on loopback whose path only one task knows; on Fargate, only the task can reach its endpoints."""

import json
import secrets
from http.server import BaseHTTPRequestHandler
from typing import Any


class JsonHandler(BaseHTTPRequestHandler):
    """Answers requests in JSON and doesn't log their paths."""

    def knows(self, path: str) -> bool:
        """Whether the request is for ``path``; any other request is answered with 404."""
        if secrets.compare_digest(self.path.encode(), path.encode()):
            return True
        self.send_error(404)
        return False

    def answer(self, status: int, document: dict[str, Any]) -> None:
        """Send ``document``."""
        body = json.dumps(document, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing, because the path is a secret of the task."""
