"""A state for Terraform's backend `http`, which locks, and shows what is locked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StateServer:
    """Holds one state and its lock; `refuses_writes` answers them as a bucket answers the plan role."""

    def __init__(self) -> None:
        self.state: bytes = b""
        self.lock: dict[str, Any] | None = None
        self.locked = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/state"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def backend(self) -> str:
        addresses = "".join(f'    {name} = "{self.url}"\n' for name in ("address", "lock_address", "unlock_address"))
        return f'terraform {{\n  backend "http" {{\n{addresses}  }}\n}}\n'

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def _answer(self, code: int, content: bytes = b"") -> None:
                self.send_response(code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self._answer(200 if server.state else 404, server.state)

            def do_POST(self) -> None:
                server.state = self._body()
                self._answer(200)

            def do_LOCK(self) -> None:
                wanted = json.loads(self._body())
                if server.lock:
                    self._answer(423, json.dumps(server.lock).encode())
                else:
                    server.lock, server.locked = wanted, server.locked + 1
                    self._answer(200)

            def do_UNLOCK(self) -> None:
                self._body()
                server.lock = None
                self._answer(200)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's own name
                pass

        return Handler
