"""extraContainers: what they are in the task definition, what they may read, and what Terraform may not."""

import json
from typing import Any

from components import settings
from components.settings.extra_containers import STACKS_OWN
from tests.unit.authorities import authority
from tests.unit.isolated import ISOLATED, containers_of, statements
from tests.unit.recording import ACCOUNT, REGION, Graph
from tests.unit.stacks import PRODUCTION, arn, stack
from tests.unit.test_settings import problems

DIGEST = "sha256:" + "0a" * 32
SECRET = arn("secretsmanager", "secret:metrics/key-AbCdEf")
PARAMETER = arn("ssm", "parameter/metrics/url")
METRICS: dict[str, Any] = {
    "name": "metrics",
    "image": f"public.ecr.aws/example/metrics:1.2@{DIGEST}",
    "command": ["--interval", "60", "--interval"],
    "entryPoint": ["/metrics"],
    "environment": {"SITE": "eu", "LINES": "one\ntwo"},
    "secrets": {"API_KEY": f"{SECRET}:key::", "ENDPOINT": PARAMETER},
    "user": "1000:1000",
    "cpu": 64,
    "memory": 128,
}
LEAST: dict[str, Any] = {"name": "sleeper", "image": f"busybox@{DIGEST}"}
EXTRA: dict[str, Any] = {"extraContainers": [METRICS, LEAST]}


def log(name: str) -> dict[str, Any]:
    options = {"awslogs-group": "/ecs/atlantis-prod", "awslogs-region": REGION, "awslogs-stream-prefix": name}
    return {"logDriver": "awslogs", "options": options}


HARDENED: dict[str, Any] = {
    "essential": False,
    "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    "privileged": False,
    "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
    "readonlyRootFilesystem": True,
    "stopTimeout": 30,
}


def test_a_container_is_what_its_object_says_and_is_hardened() -> None:
    found = containers_of(stack(**EXTRA))
    assert found["metrics"] == HARDENED | {
        "name": "metrics",
        "image": METRICS["image"],
        "cpu": 64,
        "memory": 128,
        "user": "1000:1000",
        "entryPoint": ["/metrics"],
        "command": ["--interval", "60", "--interval"],
        "environment": [{"name": "LINES", "value": "one\ntwo"}, {"name": "SITE", "value": "eu"}],
        "secrets": [
            {"name": "API_KEY", "valueFrom": f"{SECRET}:key::"},
            {"name": "ENDPOINT", "valueFrom": PARAMETER},
        ],
        "logConfiguration": log("metrics"),
    }
    assert found["sleeper"] == HARDENED | {
        "name": "sleeper",
        "image": LEAST["image"],
        "cpu": 128,
        "memory": 256,
        "user": "65534:65534",
        "logConfiguration": log("sleeper"),
    }


def test_the_stacks_containers_keep_the_cpu_that_is_left_and_have_none_without_extra_ones() -> None:
    server, protection = (containers_of(stack(**EXTRA))[name] for name in ("atlantis", "task-protection"))
    assert (server["cpu"], protection["cpu"]) == (2048 - 64 - 128 - 16, 16)
    assert not any("cpu" in each or "memory" in each for each in containers_of(stack()).values())


def test_with_workers_the_agent_has_a_quarter_of_what_is_left_and_the_workers_have_no_extra_container() -> None:
    graph = stack(**ISOLATED, **EXTRA)
    found = containers_of(graph)
    assert (found["agent"]["cpu"], found["atlantis"]["cpu"]) == (464, 1392)
    assert list(containers_of(graph, "plan")) == ["executor", "agent", "tls"]


def test_the_names_of_the_stacks_own_containers_are_known() -> None:
    graphs = [stack(**ISOLATED, caCertificates=authority()), stack(**PRODUCTION)]
    assert {name for graph in graphs for name in containers_of(graph)} == set(STACKS_OWN)


def execution(graph: Graph) -> dict[str, dict[str, Any]]:
    document = graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()
    return {each["Sid"]: each for each in document}


def test_the_execution_role_reads_exactly_their_secrets() -> None:
    extra, without = execution(stack(**EXTRA)), execution(stack())
    assert {sid: extra[sid] for sid in without} == without
    assert extra["ReadContainerSecrets"]["Action"] == ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    assert extra["ReadContainerSecrets"]["Resource"] == [SECRET, PARAMETER]
    for sid, service, key in (
        ("DecryptContainerSecrets", "secretsmanager", "SecretARN"),
        ("DecryptContainerParameters", "ssm", "PARAMETER_ARN"),
    ):
        assert extra[sid]["Action"] == ["kms:Decrypt"]
        assert extra[sid]["Condition"]["StringEquals"] == {
            "kms:ViaService": f"{service}.{REGION}.amazonaws.com",
            f"kms:EncryptionContext:{key}": [SECRET, PARAMETER],
        }
    assert extra.keys() - without.keys() == {
        "ReadContainerSecrets",
        "DecryptContainerSecrets",
        "DecryptContainerParameters",
    }


def test_terraform_is_denied_them() -> None:
    (denied,) = statements(stack(**EXTRA), "permissions-task-own-stack")
    assert {SECRET, PARAMETER} <= set(denied["Resource"])
    assert {"secretsmanager:*", "ssm:*"} <= set(denied["Action"])


def test_a_parameter_needs_the_endpoint_of_a_new_vpc() -> None:
    assert "network-endpoint-ssm" in stack(**EXTRA).names("aws:ec2/vpcEndpoint:VpcEndpoint")
    secret = LEAST | {"secrets": {"KEY": SECRET}}
    assert "network-endpoint-ssm" not in stack(extraContainers=[secret]).names("aws:ec2/vpcEndpoint:VpcEndpoint")


def test_a_container_as_root_is_warned_about() -> None:
    told = stack(extraContainers=[LEAST | {"user": "0:0"}]).warnings
    assert any("extraContainers: sleeper runs as root" in warning for warning in told)
    assert not any("runs as root" in warning for warning in stack(**EXTRA).warnings)


def test_a_missing_key_and_what_is_no_object_are_refused() -> None:
    assert problems({"extraContainers": [{"name": "sleeper"}]}) == ["extraContainers: item 1 (sleeper) has no image"]
    assert "item 2 must be an object with the keys name, image" in problems({"extraContainers": [LEAST, "busybox"]})[0]
    assert "must be a list" in problems({"extraContainers": json.dumps(LEAST)})[0]
    six = [LEAST | {"name": f"a{number}"} for number in range(6)]
    assert problems({"extraContainers": six}) == ["extraContainers: must have at most 5 items, not 6"]


def test_no_message_shows_what_may_be_a_secret() -> None:
    secret = LEAST | {"environment": {"TOKEN": "hunter2"}}
    for wrong in (secret, secret | {"cpu": "x"}, secret | {"colour": "blue"}):
        (problem,) = problems({"extraContainers": [wrong]})
        assert "hunter2" not in problem


def test_the_stack_file_has_them_as_yaml_or_as_the_engine_passes_it() -> None:
    for given in ([METRICS], json.dumps([METRICS])):
        (found,) = settings.parse(
            {
                "url": "https://atlantis.example.com",
                "allowedCidrBlocks": ["203.0.113.0/24"],
                "repoAllowlist": "github.com/x/*",
                "acmCertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
                "secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:role/deployer"],
                "extraContainers": given,
            },
            stack="prod",
            region=REGION,
        ).task.extra_containers
        assert (found.name, found.entry_point, found.memory) == ("metrics", ("/metrics",), 128)
