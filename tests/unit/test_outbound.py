"""caCertificates and the proxies: the containers' files and variables, the way to the proxy, and what is refused."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.authorities import authority
from tests.unit.isolated import ISOLATED, containers_of, environment_of, mounts_of
from tests.unit.recording import Graph, refusal
from tests.unit.stacks import stack
from tests.unit.test_settings import parse

BUNDLE = "/run/certificates/ca-certificates.crt"
CERTIFICATES = dict.fromkeys(("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "SSL_CERT_FILE"), BUNDLE)
PROXY = "http://proxy.example.com:3128"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def trusting(**changes: Any) -> Graph:
    return stack(caCertificates=authority(), **changes)


@pytest.mark.parametrize("shape", [{}, ISOLATED], ids=["alone", "isolated"])
def test_every_container_that_reaches_other_networks_reads_the_certificates_and_waits_for_them(
    shape: dict[str, Any],
) -> None:
    graph = trusting(**shape)
    found = containers_of(graph)
    if shape:
        assert found.keys() == {"atlantis", "agent", "certificates"}
        found |= containers_of(graph, "plan")
    for name in found.keys() - {"certificates", "task-protection", "tls"}:
        assert mounts_of(found[name])["/run/certificates"] == ("certificates", True), name
        assert {"containerName": "certificates", "condition": "SUCCESS"} in found[name]["dependsOn"], name
        assert environment_of(found[name]).items() >= CERTIFICATES.items(), name
    assert not any("certificates" in str(each) for each in containers_of(stack(**shape)).values())


def test_the_certificates_are_once_in_the_task_and_their_container_is_hardened() -> None:
    graph = trusting(**ISOLATED)
    container = containers_of(graph)["certificates"]
    assert environment_of(container) == {"CA_CERTIFICATES": authority()}
    assert str(containers_of(graph)).count("BEGIN CERTIFICATE") == 1
    assert mounts_of(container) == {"/run/certificates": ("certificates", False)}
    assert (container["user"], container["readonlyRootFilesystem"], container["privileged"]) == ("0", True, False)
    assert container["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert container["essential"] is False
    assert "restartPolicy" not in container
    for task in graph.all("aws:ecs/taskDefinition:TaskDefinition"):
        assert {"name": "certificates"} in task.inputs["volumes"]


def test_an_extra_container_can_read_them_and_sets_its_own_variables() -> None:
    extra = [{"name": "metrics", "image": f"example/metrics@sha256:{'0a' * 32}"}]
    container = containers_of(trusting(extraContainers=extra))["metrics"]
    assert mounts_of(container) == {"/run/certificates": ("certificates", True)}
    assert container["dependsOn"] == [{"containerName": "certificates", "condition": "SUCCESS"}]
    assert "environment" not in container


@pytest.mark.parametrize("public", ["public\n", "without a line break", ""])
def test_the_container_adds_them_to_the_public_ones_or_ends_with_a_sentence(tmp_path: Path, public: str) -> None:
    container = containers_of(trusting())["certificates"]
    script = (
        container["command"][0]
        .replace("/etc/ssl/certs", str(tmp_path))
        .replace("/run/certificates", str(tmp_path / "run"))
    )
    (tmp_path / "run").mkdir()
    if public:
        (tmp_path / "ca-certificates.crt").write_text(public)
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={**environment_of(container), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if public:
        assert done.returncode == 0
        assert (tmp_path / "run" / "ca-certificates.crt").read_text() == f"{public}\n{authority()}"
    else:
        assert done.returncode == 1
        assert "caCertificates: the image has no " in done.stderr


def test_a_file_a_text_and_carriage_returns_give_the_same_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    two = f"{authority()}{authority('Another root')}"
    (tmp_path / "company.pem").write_bytes(f"# The company's\r\n{two}{authority()}".replace("\n", "\r\n").encode())
    for given in ("company.pem", f"subject=CN\n{two}", two.strip()):
        assert parse({"caCertificates": given}).outbound.ca_certificates == two


def test_a_task_definition_that_ecs_would_refuse_fails_before_anything_is_registered() -> None:
    variables = {f"V{number}": "v" * 2048 for number in range(40)}
    message, registered = refusal(environmentVariables=variables)
    assert "bytes, and ECS accepts 65536: atlantis " in message
    assert "caCertificates and extraContainers make it long" in message
    assert not [each for each in registered if each.type == "aws:ecs/taskDefinition:TaskDefinition"]


def proxied(shape: Mapping[str, Any], **changes: Any) -> Graph:
    return stack(**shape, httpsProxy=PROXY, **changes)


@pytest.mark.parametrize("shape", [{}, ISOLATED], ids=["alone", "isolated"])
def test_every_container_that_reaches_other_networks_has_the_proxy(shape: dict[str, Any]) -> None:
    graph = proxied(shape, httpProxy=PROXY)
    found = containers_of(graph) | (containers_of(graph, "apply") if shape else {})
    for name in found.keys() - {"task-protection", "tls"}:
        variables = environment_of(found[name])
        assert {variables[key] for key in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")} == {PROXY}, name
        assert variables["NO_PROXY"] == variables["no_proxy"], name
    assert not any("proxy" in str(each).lower() for each in containers_of(stack(**shape)).values())


def test_without_endpoints_only_the_tasks_own_addresses_bypass_the_proxy() -> None:
    variables = environment_of(containers_of(proxied({}, vpcEndpoints=[]))["atlantis"])
    assert "HTTP_PROXY" not in variables
    assert variables["NO_PROXY"].split(",")[-1] == "169.254.169.254"


@pytest.mark.parametrize(
    ("url", "port", "block"),
    [
        (PROXY, 3128, "0.0.0.0/0"),
        ("http://10.1.2.3:8080", 8080, "10.1.2.3/32"),
        ("http://proxy.example.com:443", None, None),
        ("http://localhost:3128", None, None),
        ("http://127.0.0.1:3128", None, None),
    ],
)
def test_the_security_group_lets_the_task_reach_its_proxy(url: str, port: int | None, block: str | None) -> None:
    graph, without = stack(httpsProxy=url, httpProxy=url), stack()
    added = [name for name in graph.names(EGRESS) if name not in without.names(EGRESS)]
    rules = [graph.one(EGRESS, name).inputs for name in added]
    assert [(rule["fromPort"], rule["toPort"], rule["cidrIpv4"]) for rule in rules] == (
        [(port, port, block)] if port else []
    )
