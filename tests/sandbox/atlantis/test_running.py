"""The real server behind the deployed load balancer: who gets in, what it says, and what must not be seen."""

import contextlib
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from sandbox.testbed import local_aws, processes
from sandbox.testbed.containers import bubblewrap, websocket
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github.store import Store
from sandbox.testbed.local_aws.listener_rules import Request
from tests.sandbox.atlantis.conftest import (
    eventually,
    fetch,
    files_without_business_with_secrets,
    open_websocket,
    seen_by,
    server_environment,
    server_process,
    status,
)
from tests.sandbox.atlantis.local_service import LocalService

_SECRET_VARIABLES = ("ATLANTIS_GH_APP_KEY", "ATLANTIS_GH_WEBHOOK_SECRET")


def test_the_page_and_everything_it_links_to_opens_at_the_browsers_address(running: LocalService) -> None:
    root = f"http://127.0.0.1:{status(running).proxy_port}"
    content = fetch(f"{root}/")[1].decode()
    assert "<title>atlantis</title>" in content
    linked = re.findall(r'(?:src|href)="(/static/[^"?]+)', content)
    assert len(linked) > 5
    for path in linked:
        assert fetch(root + path)[0] == 200, path


def test_a_websocket_reaches_the_server_by_way_of_the_deployed_rules(running: LocalService) -> None:
    root = f"http://127.0.0.1:{status(running).proxy_port}"
    code, answer = open_websocket(root, "/jobs/no-such-job/ws")
    with answer:
        assert (code, answer.readline()) == (500, b"invalid key: no-such-job\n")

    client = running.aws.client("elbv2")
    balancer = entrance(running.deployment)
    outside = Request("203.0.113.7", path="/jobs/no-such-job/ws", host=balancer.host)
    with pytest.raises(websocket.NotForwardedError, match="answers 403"):
        websocket.connect(client, balancer, outside)


def test_the_process_has_the_environment_of_the_task_definition_and_nothing_of_the_persons(
    running: LocalService,
) -> None:
    environment = server_environment(running)
    data = environment["ATLANTIS_DATA_DIR"]
    deployed = running.deployment.variables(running.first)
    mapped = {"ATLANTIS_DATA_DIR": data, "ATLANTIS_PORT": str(status(running).port)}
    assert {name: value for name, value in environment.items() if name in deployed} == deployed | mapped
    file_system = running.volume["efsVolumeConfiguration"]["fileSystemId"]
    volume = running.deployment.state / "efs" / file_system / "atlantis-data"
    assert volume.samefile(seen_by(server_process(running), data))
    # In a container, the data directory has its true path; the other two are for the long paths of this machine.
    contained = not bubblewrap.why_not()
    assert (data == deployed["ATLANTIS_DATA_DIR"]) == contained
    of_this_machine = set() if contained else {"PLUGIN_UNIX_SOCKET_DIR", "TMPDIR"}
    # The configuration names the machine's provider mirror, where it has one.
    assert environment.keys() - deployed.keys() - {"TF_CLI_CONFIG_FILE"} == of_this_machine | {
        "ATLANTIS_GH_APP_ID",
        "ATLANTIS_GH_APP_INSTALLATION_ID",
        "ATLANTIS_GH_APP_KEY",
        "ATLANTIS_GH_WEBHOOK_SECRET",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ENDPOINT_URL",
        "AWS_EXECUTION_ENV",
        "AWS_REGION",
        "ECS_AGENT_URI",
        "GIT_SSL_CAINFO",
        "HOME",
        "HTTPS_PROXY",
        "NO_PROXY",
        "PATH",
        "PWD",
        "SSL_CERT_FILE",
    }


def test_the_credentials_endpoint_gives_the_task_role_and_only_at_its_own_path(running: LocalService) -> None:
    url = server_environment(running)["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    document = json.loads(fetch(url)[1])
    assert document.keys() == {"RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert document["RoleArn"] == running.roles["task"]
    assert fetch(url[:-1])[0] == 404


def test_no_secret_is_in_arguments_logs_or_files_of_the_sandbox(running: LocalService, github: Store) -> None:
    assert github.registration.is_file()
    environment = server_environment(running)
    secrets = {environment[name] for name in _SECRET_VARIABLES} | {
        line for line in environment["ATLANTIS_GH_APP_KEY"].splitlines() if len(line) > 60
    }
    arguments = Path(f"/proc/{server_process(running).pid}/cmdline").read_bytes().decode()
    assert not [secret for secret in secrets if secret in arguments]
    state = running.deployment.state
    # A local AWS that stops writes down what it knows: Secrets Manager's own memory has the values, nothing else.
    local_aws.stop(state)
    files = files_without_business_with_secrets(state)
    leaks = [path for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    local_aws.start(state, clean_environment())
    assert any(path.name == f"{running.deployment.name}.log" for path in files)
    assert leaks == []


def test_everything_that_the_sandbox_serves_is_on_loopback(running: LocalService) -> None:
    started = [process.pid for process in processes.recorded(running.deployment.state) if process.alive]
    # In a container, the image's entry point is process 1, and the server is a process that it has started.
    pids = {pid for process in started for pid in (process, *processes.descendants(process))}
    listening = [address for pid in pids for address in _listening(pid)]
    assert len(listening) >= 6
    assert {address for address, _ in listening} == {"127.0.0.1"}
    assert status(running).port in {port for _, port in listening}


def test_a_target_that_the_local_aws_has_forgotten_is_registered_again(running: LocalService) -> None:
    client = running.aws.client("elbv2")
    found = client.describe_target_health(TargetGroupArn=running.target_group)["TargetHealthDescriptions"]
    agent = processes.find(running.deployment.state, f"task-agent-{running.deployment.name}")
    assert agent is not None
    # Stopped, or the agent could register the target before the request.
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        client.deregister_targets(TargetGroupArn=running.target_group, Targets=[item["Target"] for item in found])
        assert entrance(running.deployment).request("GET", "/healthz").status == 503
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    eventually("the target", lambda: entrance(running.deployment).request("GET", "/healthz").status == 200)


def test_the_task_outlives_a_local_aws_that_is_restarted(running: LocalService) -> None:
    before = status(running)
    state = running.deployment.state
    local_aws.stop(state)
    time.sleep(1.5)
    assert local_aws.start(state, clean_environment()).endpoint == running.deployment.endpoint
    eventually("the page", lambda: entrance(running.deployment).request("GET", "/healthz").status == 200)
    assert status(running).task == before.task


def _listening(pid: int) -> list[tuple[str, int]]:
    """The TCP addresses that process ``pid`` listens on, IPv6 ones as they stand in the table."""
    inodes = set()
    # A health check ends while this looks at it, and a connection is closed.
    with contextlib.suppress(FileNotFoundError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if found := re.fullmatch(r"socket:\[(\d+)]", str(link.readlink())):
                    inodes.add(found[1])
    addresses = []
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and fields[9] in inodes:
                host, _, port = fields[1].partition(":")
                readable = ".".join(str(byte) for byte in reversed(bytes.fromhex(host))) if table == "tcp" else host
                addresses.append((readable, int(port, 16)))
    return addresses
