"""An HTTP server on loopback whose answers a test decides."""

import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler

from sandbox.testbed.loopback_server import LoopbackServer


class Answering:
    """Calls `answer` for each request."""

    def __init__(self) -> None:
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                code, content = answering.answer(self.command, self.path, self.headers, body)
                self.send_response(code)
                # A null character stands for the rest of an answer that is cut off.
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content.split(b"\0")[0])

            do_GET = do_PUT = do_POST = do_LOCK = do_UNLOCK = _answer  # noqa: N815 the base class's own names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's own name
                pass

        self._http = LoopbackServer(Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> tuple[int, bytes]:
        """The status and the content of an answer."""
        raise NotImplementedError

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
