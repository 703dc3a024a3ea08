"""An HTTP server on loopback whose answers a test decides."""

from email.message import Message

from sandbox.testbed.loopback_server import Handler, LoopbackServer


class Answering:
    """Calls `answer` for each request."""

    def __init__(self) -> None:
        answering = self

        class Own(Handler):
            def _answer(self) -> None:
                code, content = answering.answer(self.command, self.path, self.headers, self.body())
                self.send_response(code)
                # A null character stands for the rest of an answer that is cut off.
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content.split(b"\0")[0])

            do_GET = do_PUT = do_POST = do_LOCK = do_UNLOCK = _answer

        self._http = LoopbackServer(Own).start()
        self.port, self.url = self._http.server_port, self._http.url

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> tuple[int, bytes]:
        """The status and the content of an answer."""
        raise NotImplementedError

    def close(self) -> None:
        self._http.stop()
