"""Headless Chromium, as tests use it: its command line, and a session that is driven through a pipe.

The pipe carries the Chrome DevTools Protocol: JSON messages, each ended by a zero byte, that Chromium reads from file
descriptor 3 and writes to 4 (``--remote-debugging-pipe``).
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["CHROMIUM", "HEIGHT", "WIDTH", "Browser", "browse", "opened", "trusting"]

CHROMIUM = shutil.which("chromium")
WIDTH, HEIGHT = 1100, 720
_SECONDS = 60.0


def browse(profile: Path, url: str, *options: str) -> str:
    """Open ``url``, and return what the options print."""
    command = [*_command(profile), *options, url]
    environment = _environment(profile)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout


def trusting(certificates: Sequence[Path]) -> str:
    """The option by which Chromium trusts these certificates (PEM), and nothing else next to the public authorities."""
    keys = [
        x509.load_pem_x509_certificate(path.read_bytes())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for path in certificates
    ]
    hashes = (base64.b64encode(hashlib.sha256(key).digest()).decode() for key in keys)
    return f"--ignore-certificate-errors-spki-list={','.join(hashes)}"


class Browser:
    """One tab of a running Chromium."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def go(self, url: str) -> None:
        """Begin to open ``url``."""
        self._call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self._call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, address: str) -> str:
        """Wait for a page whose address begins so to be whole; its HTML."""
        deadline = time.monotonic() + _SECONDS
        seen = ""
        while time.monotonic() < deadline:
            seen, state, html = self.evaluate(
                "[location.href, document.readyState, document.documentElement.outerHTML]"
            ) or (seen, "", "")
            if seen.startswith(address) and state == "complete":
                return html
            time.sleep(0.1)
        raise TimeoutError(f"the browser is at {seen} and not at {address} after {_SECONDS:g} s")

    def cookies(self, url: str) -> dict[str, dict[str, Any]]:
        """The cookies that it would send to ``url``, by name, those that scripts can't see too."""
        return {item["name"]: item for item in self._call("Network.getCookies", urls=[url])["cookies"]}

    def set_cookie(self, cookie: Mapping[str, Any], value: str) -> None:
        """Give a cookie of ``cookies`` another value."""
        kept = {name: cookie[name] for name in ("name", "domain", "path", "secure", "httpOnly", "expires")}
        self._call("Network.setCookie", **kept, value=value)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                # A page that is being replaced has no result.
                return answer.get("result") or {"result": {}}

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            chunk = os.read(self._receive, 1 << 16)
            if not chunk:
                raise RuntimeError("Chromium has ended")
            self._unread += chunk
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)


@contextmanager
def opened(profile: Path, *options: str) -> Iterator[Browser]:
    """A running Chromium, closed at the end."""
    profile.mkdir(parents=True, exist_ok=True)
    from_us, to_chromium = os.pipe()
    from_chromium, to_us = os.pipe()
    # Out of the way of the two numbers that Chromium expects.
    inherited = [_above(descriptor) for descriptor in (from_us, to_us)]

    def place() -> None:
        for number, descriptor in zip((3, 4), inherited, strict=True):
            os.dup2(descriptor, number)

    with (profile / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [*_command(profile), *options, "--remote-debugging-pipe"],
            env=_environment(profile),
            stdout=log,
            stderr=log,
            close_fds=False,
            preexec_fn=place,  # noqa: PLW1509 - nothing else hands a process descriptors by number
        )
    for descriptor in inherited:
        os.close(descriptor)
    try:
        yield Browser(to_chromium, from_chromium)
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(to_chromium)
        os.close(from_chromium)


def _above(descriptor: int) -> int:

    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


def _command(profile: Path) -> list[str]:
    assert CHROMIUM is not None
    return [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={profile}",
        f"--window-size={WIDTH},{HEIGHT}",
    ]


def _environment(profile: Path) -> dict[str, str]:
    # Crash reports and caches go to HOME, whatever the profile.
    return {**os.environ, "HOME": str(profile)}
