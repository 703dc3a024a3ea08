"""A company's network on the real server: a proxy that inspects TLS, its authority, and extra containers."""

import contextlib
import json
import select
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.compute import outbound
from components.compute.container import awslogs
from components.compute.task_definition import extra_container
from components.names import PhysicalNames
from components.settings.extra_containers import ExtraContainerArgs
from components.settings.outbound import OutboundArgs
from sandbox.atlantis.lifecycle import bring_up
from sandbox.testbed.certificates import HOSTS, Certificates, issue
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.bubblewrap import ContainerUser
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.store import Store
from sandbox.testbed.loopback_server import Handler, LoopbackServer
from tests.needs import needs_containers
from tests.sandbox.atlantis.conftest import eventually, server_environment, server_process, status
from tests.sandbox.atlantis.local_service import GROUP, OWNER, LocalService
from tests.sandbox.atlantis.pull_requests import RESOURCE, open_with_files, send

pytestmark = needs_containers()

_DIGEST = "sha256:" + "0a" * 32
_SECRET = "throw-away-" + "s" * 30


class Inspection:
    """A proxy on loopback that ends TLS with certificates of its own authority, as companies' do, and goes on through another proxy."""

    def __init__(self, certificates: Certificates, upstream: str, trusted: Path) -> None:
        self.requests: list[str] = []
        """The first line of each request that it has seen."""
        self._inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._inside.load_cert_chain(certificates.chain, certificates.key)
        self._outside = ssl.create_default_context(cafile=str(trusted))
        for context in (self._inside, self._outside):
            # A connection of TLS 1.3 can be readable without data for the other side.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._upstream = ("127.0.0.1", int(upstream.rpartition(":")[2]))

    def serve(self, client: socket.socket, host: str) -> None:
        """Relay a client's connection to ``host``; it ends in the handshake if the client doesn't trust the authority."""
        with self._inside.wrap_socket(client, server_side=True) as near, self._connect(host) as far:
            _relay(near, far, self._seen)

    def _connect(self, host: str) -> ssl.SSLSocket:
        connection = socket.create_connection(self._upstream)
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        return self._outside.wrap_socket(connection, server_hostname=host)

    def _seen(self, data: bytes) -> None:
        if b" HTTP/1.1\r\n" in data:
            self.requests.append(data.split(b" HTTP/1.1\r\n")[0].decode())


def _relay(near: ssl.SSLSocket, far: ssl.SSLSocket, seen: Callable[[bytes], None]) -> None:
    """Copy both ways in one thread, because a TLS connection must not be used by two at once; ``seen`` gets what ``near`` sends."""
    peers = {near: far, far: near}
    with contextlib.suppress(OSError):
        while ready := [each for each in peers if each.pending()] or select.select(list(peers), [], [], 60)[0]:
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                if source is near:
                    seen(data)
                peers[source].sendall(data)


def _handler(inspection: Inspection) -> type[Handler]:
    class Proxy(Handler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            self.send_response(200, "Connection established")
            self.end_headers()
            self.close_connection = True
            inspection.serve(self.connection, self.path.partition(":")[0])

    return Proxy


def _in_server(local: LocalService, script: str) -> "subprocess.CompletedProcess[str]":
    """Run ``script`` as a plan does: in the server's container, as its user, with its environment."""
    words = bubblewrap.enter(server_process(local).pid, ContainerUser(100, 1000), ["/bin/sh", "-c", script])
    return subprocess.run(words, env=server_environment(local), capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("company"), HOSTS, "Company authority")


@pytest.fixture(scope="module")
def proxy(local: LocalService, company: Certificates) -> Iterator[tuple[Inspection, OutboundArgs]]:
    """The proxy, behind which is the stand-in of GitHub, and the settings for it."""
    bring_up(local.deployment, clean_environment())
    inspection = Inspection(
        company, server_environment(local)["HTTPS_PROXY"], local.deployment.state / "github" / "tls" / "trusted.pem"
    )
    own = "-----BEGIN" + company.chain.read_text().rpartition("-----BEGIN")[2]
    with LoopbackServer(_handler(inspection)) as server:
        yield inspection, OutboundArgs(ca_certificates=own, https_proxy=server.url)


def _run(local: LocalService, settings: OutboundArgs) -> None:
    """Run the task with what the stack makes of ``settings``."""
    names = PhysicalNames(environment="local", account=local.aws.account, region=local.aws.region, partition="aws")

    def configure(container: dict[str, Any]) -> None:
        variables = outbound.environment(settings, names, [])
        container["environment"] += [{"name": name, "value": value} for name, value in variables.items()]
        container["mountPoints"] += outbound.mounts(settings)
        container["dependsOn"] = outbound.dependencies(settings)

    others: Sequence[Mapping[str, object]] = []
    if certificates := settings.ca_certificates:
        image = local.container["image"]
        others = [outbound.container(certificates, image=image, log_group=GROUP, region=local.aws.region)]
    local.deploy(local.register(configure, others=others, volumes=[dict(each) for each in outbound.volumes(settings)]))
    bring_up(local.deployment, clean_environment())


def test_with_its_authority_the_server_git_and_curl_reach_github_through_it_and_a_plan_can_not_change_the_file(
    local: LocalService, proxy: tuple[Inspection, OutboundArgs]
) -> None:
    inspection, settings = proxy
    _run(local, settings)
    assert any(
        request.startswith("POST /app/installations/") or "access_tokens" in request for request in inspection.requests
    )

    github = Store(local.deployment.state / "github")
    send(local, github, open_with_files(github, "proxied", {"main.tf": RESOURCE}))
    fetched = f"GET /{OWNER}/proxied.git/info/refs?service=git-upload-pack"
    eventually("git's request", lambda: fetched in inspection.requests)

    # 22 is an answer of 400 or more, 60 a certificate that isn't trusted.
    assert _in_server(local, "curl -fsS https://api.github.com/nothing").returncode == 22
    assert "GET /nothing" in inspection.requests
    alone = _in_server(
        local, "CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt curl -fsS https://api.github.com/nothing"
    )
    assert alone.returncode == 60

    changed = _in_server(local, f"echo mine >>{outbound.BUNDLE} || rm {outbound.BUNDLE}")
    assert changed.returncode != 0
    assert "Read-only file system" in changed.stderr


def test_an_own_container_runs_and_keeps_its_secret_and_one_that_can_not_run_is_named(running: LocalService) -> None:
    secret = running.aws.client("secretsmanager").create_secret(
        Name="metrics", SecretString=json.dumps({"key": _SECRET})
    )["ARN"]
    running.allow_reading(secret)
    script = (
        'echo "$(id -u) $(printf %s "$API_KEY" | wc -c)"; ls -d /usr/local/bin/atlantis; touch /tmp/x; exec sleep 600'
    )
    own = [
        ExtraContainerArgs(
            name="sidecar",
            image=f"public.ecr.aws/docker/library/busybox@{_DIGEST}",
            entry_point=["/bin/sh", "-c"],
            command=[script],
            secrets={"API_KEY": f"{secret}:key::"},
        ),
        ExtraContainerArgs(name="metrics", image=f"public.ecr.aws/example/metrics:1.2@{_DIGEST}"),
    ]
    others = [extra_container(each, OutboundArgs(), awslogs(GROUP, running.aws.region, each.name)) for each in own]
    running.deploy(running.register(others=others))
    bring_up(running.deployment, clean_environment())

    log = running.deployment.state / "logs" / f"{running.deployment.name}.sidecar.log"
    said = str(eventually("its output", lambda: "Read-only" in log.read_text() and log.read_text()))
    assert said.splitlines()[-3].split() == ["65534", str(len(_SECRET))]
    assert "/usr/local/bin/atlantis': No such file" in said
    stream = f"sidecar/sidecar/{status(running).task}"
    logs = running.aws.client("logs")
    eventually("its stream", lambda: logs.get_log_events(logGroupName=GROUP, logStreamName=stream)["events"])

    (left,) = status(running).not_run
    assert left.startswith("metrics: the sandbox doesn't have the programs of public.ecr.aws/example/metrics")
    assert any("the container isn't run: metrics" in event for event in status(running).events)

    seen = _in_server(running, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; echo the end")
    assert "the end" in seen.stdout
    assert "ATLANTIS_PORT" in seen.stdout
    assert _SECRET not in seen.stdout
    assert "sleep" not in seen.stdout


# Last: the deployment fails, and the agent with the proxy's way to GitHub ends.
def test_without_its_authority_the_server_refuses_a_proxy_that_inspects_tls(
    local: LocalService, proxy: tuple[Inspection, OutboundArgs]
) -> None:
    inspection, settings = proxy
    before = list(inspection.requests)
    with pytest.raises(SandboxError, match="certificate signed by unknown authority"):
        _run(local, OutboundArgs(https_proxy=settings.https_proxy))
    assert inspection.requests == before
