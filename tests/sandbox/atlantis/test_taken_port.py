"""A process that a plan left behind ends the real server and takes its port: for how long it answers instead of the server."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.compute.server_start import server_start
from sandbox.atlantis import build, image_tools
from sandbox.testbed.ports import free_port
from tests.needs import needs
from tests.sandbox.atlantis.conftest import eventually

pytestmark = needs("terraform")

_SECRETS = ("ATLANTIS_GH_TOKEN", "ATLANTIS_GH_WEBHOOK_SECRET")
_NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]
_SHUTDOWN_SECONDS = 5
"""The server closes its port, waits so long for connections, and exits (`server.Start` in Atlantis' source)."""

# It holds a connection, for which the server waits, and then stops the server, if it can.
_LEFT_BEHIND = """
import os, signal, socket, sys, time
address, log = ("127.0.0.1", int(sys.argv[1])), open(sys.argv[2], "w", buffering=1)
while True:
    try:
        held = socket.create_connection(address)
        break
    except OSError:
        time.sleep(0.05)
time.sleep(1)
for name in filter(str.isdigit, os.listdir("/proc")):
    if open(f"/proc/{name}/cmdline").read().split("\\0")[1:2] == ["server"]:
        server = int(name)
held.sendall(b"POST /events HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 9\\r\\n\\r\\n")
time.sleep(0.5)
os.kill(server, signal.SIGTERM)
taken = socket.socket()
taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
while True:
    try:
        taken.bind(address)
        break
    except OSError:
        time.sleep(0.001)
taken.listen()
os.kill(server, signal.SIGSTOP)
print("taken", file=log)
while True:
    connection, _ = taken.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nX-Taken: yes\\r\\nContent-Length: 0\\r\\n\\r\\n")
    connection.close()
"""


def _answers(port: int) -> bool:
    """Whether the process that was left behind answers a health check."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            return b"X-Taken" in connection.recv(4096)
    except OSError:
        return False


@pytest.mark.parametrize("in_front", [False, True], ids=["the server is process 1", "an init is process 1"])
def test_a_port_that_a_plan_took_ends_with_the_server_where_the_server_is_process_1(
    tmp_path: Path, in_front: bool
) -> None:
    if subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no user namespaces")
    port = free_port()
    (tmp_path / "image").mkdir()
    image_tools.write_image(tmp_path / "image", build.executable())
    (tmp_path / "left.py").write_text(_LEFT_BEHIND, encoding="utf-8")
    environment = {
        "PATH": f"{tmp_path / 'image'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "ATLANTIS_ATLANTIS_URL": "https://atlantis.example.com",
        "ATLANTIS_DATA_DIR": str(tmp_path / "data"),
        "ATLANTIS_GH_USER": "sandbox",
        "ATLANTIS_PORT": str(port),
        "ATLANTIS_REPO_ALLOWLIST": "github.com/example-organisation/*",
        **dict.fromkeys(_SECRETS, "throw-away"),
    }
    start = server_start(_SECRETS)
    server = [*start["entryPoint"], *start["command"]]
    left = f'"{sys.executable}" "{tmp_path}/left.py" {port} "{tmp_path}/log" &'
    run = '"$@" & wait $!' if in_front else 'exec "$@"'
    with (tmp_path / "output").open("wb") as output:
        container = subprocess.Popen(
            [*_NAMESPACE, "sh", "-c", f"{left} {run}", "container", *server],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually("the taken port", lambda: (tmp_path / "log").exists() and "taken" in (tmp_path / "log").read_text())
        assert _answers(port)
        deadline = time.monotonic() + _SHUTDOWN_SECONDS + 5
        while _answers(port) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert _answers(port) is in_front
        if in_front:
            assert container.poll() is None
        else:
            container.wait(_SHUTDOWN_SECONDS)
    finally:
        container.kill()
        container.wait()
