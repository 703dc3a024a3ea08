"""The stand-in's HTTPS server, and the proxy that connects GitHub's host names to it."""

import json
import select
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sandbox.testbed.certificates import HOSTS, Certificates, issue
from sandbox.testbed.files import write_private
from sandbox.testbed.github import events, git_http, other_host
from sandbox.testbed.github.api import Api, Call, Happened
from sandbox.testbed.github.app import AUTHOR, Access
from sandbox.testbed.github.store import Store
from sandbox.testbed.loopback_server import Handler, LoopbackServer

_IDLE_SECONDS = 60


def proxy_handler(port: int, store: Store) -> type[Handler]:
    """Return a ``CONNECT`` handler that connects GitHub's host names to the loopback port ``port``.

    It refuses and records every other destination.
    """

    class Proxy(Handler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            github = self.path in {f"{host}:443" for host in HOSTS}
            found = port if github else other_host.port(store.directory, self.path)
            if found is None:
                store.record("refused", {"destination": self.path})
                self.send_error(403, "The sandbox allows connections only to GitHub's stand-in and the local AWS")
                return
            with socket.create_connection(("127.0.0.1", found)) as upstream:
                self.send_response(200, "Connection established")
                self.end_headers()
                _relay(self.connection, upstream)
            self.close_connection = True

    return Proxy


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    peers = {client: upstream, upstream: client}
    while True:
        readable, _, _ = select.select(list(peers), [], [], _IDLE_SECONDS)
        if not readable:
            return
        for source in readable:
            data = source.recv(65_536)
            if not data:
                return
            peers[source].sendall(data)


_LARGEST_BODY = 16 * 1024 * 1024


class GitHub:
    """A running stand-in: ``https://github.com`` and ``https://api.github.com`` for clients that use ``proxy_url``.

    The deployed task uses the host name in its settings (github.com), which doesn't resolve to loopback. The task is
    started with ``HTTPS_PROXY`` instead. The proxy connects the two host names to the stand-in and refuses every other
    destination.
    """

    def __init__(self, directory: Path, happened: Happened = lambda _event, _body: None) -> None:
        self.store = Store(directory)
        self.certificates: Certificates = issue(directory / "tls")
        with self.certificates.bundle.open("a", encoding="utf-8") as bundle:
            bundle.write(other_host.authority(directory))
        access = self._access = Access(self.store.registration)
        self._https = LoopbackServer(
            _handler(self.store, Api(self.store, access, happened), access, happened), self.certificates
        )
        self._proxy = LoopbackServer(proxy_handler(self._https.server_port, self.store))

    @property
    def proxy_url(self) -> str:
        """The value of ``HTTPS_PROXY`` for a client."""
        return self._proxy.url

    @property
    def author_token(self) -> str:
        """The token of the author of pull requests, who can read every repository and push to it."""
        return self._access.author_token

    def __enter__(self) -> Self:
        self._https.start()
        self._proxy.start()
        self._write_author()
        return self

    def _write_author(self) -> None:
        """Write git's configuration for the author: the proxy, the certificate authority, and a file with the token."""
        credentials = self.store.author_configuration.with_name("author.credentials")
        write_private(credentials, f"https://{AUTHOR}:{self.author_token}@{HOSTS[0]}\n")
        write_private(
            self.store.author_configuration,
            f'[http "https://{HOSTS[0]}"]\n\tproxy = {self.proxy_url}\n\tsslCAInfo = "{self.certificates.bundle}"\n'
            f'[credential "https://{HOSTS[0]}"]\n\thelper =\n\thelper = "store --file=\'{credentials}\'"\n',
        )

    def __exit__(self, *_exception: object) -> None:
        self._proxy.stop()
        self._https.stop()


def _handler(store: Store, api: Api, access: Access, happened: Happened) -> type[Handler]:
    class Server(Handler):
        protocol_version = "HTTP/1.1"
        server_version = "sandbox-github"

        def do_GET(self) -> None:
            self._serve(b"")

        def _serve_body(self) -> None:
            body = _body(self)
            if body is None:
                self.respond(413, b"too large\n", [("Content-Type", "text/plain")])
            else:
                self._serve(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = _serve_body

        def _serve(self, body: bytes) -> None:
            url = urlsplit(self.path)
            authorization = self.headers.get("Authorization", "")
            if self.headers.get("Host", "").partition(":")[0] == HOSTS[0] and git_http.is_git(url.path):
                may = access.is_author(authorization)
                may = may or (git_http.pushes_to(url) is None and access.has_token(authorization))
                self._serve_git(url, body, allowed=may)
                return
            answer = api.answer(Call(self.command, url.path, dict(parse_qsl(url.query)), authorization, body))
            self.respond(answer.status, json.dumps(answer.body).encode(), [("Content-Type", "application/json")])

        def _serve_git(self, url: SplitResult, body: bytes, *, allowed: bool) -> None:
            # git sends a request without credentials first, and repeats it with them after a 401 response.
            if allowed:
                pushed = git_http.pushes_to(url) if self.command == "POST" else None
                before = store.branches(pushed) if pushed and store.has_repository(pushed) else {}
                answer = git_http.serve(store.repositories, self.command, url, dict(self.headers), body)
                if pushed and before:
                    _announce_push(store, pushed, before, happened)
            else:
                answer = git_http.GitAnswer(401, [("WWW-Authenticate", 'Basic realm="GitHub"')], b"")
            expected = answer.status in {200, 401}
            entry = {"method": self.command, "path": url.path, "status": answer.status, "expected": expected}
            store.record("requests", entry)
            self.respond(answer.status, answer.body, answer.headers)

    return Server


def _announce_push(store: Store, repository: str, before: Mapping[str, str], happened: Happened) -> None:
    """Send the event of each open pull request whose branch was pushed."""
    for branch, commit in store.branches(repository).items():
        if before.get(branch) != commit:
            for pull in store.moved(repository, branch):
                happened("pull_request", events.pull_request(store, pull, "synchronize"))


def _body(handler: Handler) -> bytes | None:
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        parts: list[bytes] = []
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            if size + sum(map(len, parts)) > _LARGEST_BODY:
                return None
            parts.append(handler.rfile.read(size))
            handler.rfile.readline()
        handler.rfile.readline()
        return b"".join(parts)
    length = int(handler.headers.get("Content-Length", "0"))
    return handler.rfile.read(length) if length <= _LARGEST_BODY else None
