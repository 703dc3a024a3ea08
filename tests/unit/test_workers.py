"""terraformIsolation tasks: the server's task, the workers' tasks and services, and their network."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.isolated import ISOLATED, containers_of, environment_of
from tests.unit.recording import ACCOUNT
from tests.unit.stacks import stack

SERVICE = "aws:ecs/service:Service"
ROLES = ("plan", "apply")


@pytest.mark.parametrize("role", ROLES)
def test_an_executor_has_no_secret_no_port_and_only_the_capabilities_that_switch_users(role: str) -> None:
    executor = containers_of(stack(**ISOLATED), role)["executor"]
    assert not {"secrets", "portMappings"} & executor.keys()
    assert (executor["user"], executor["privileged"]) == ("0", False)
    docker = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
    left = set(docker.split()) - set(executor["linuxParameters"]["capabilities"]["drop"])
    assert left == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"}


@pytest.mark.parametrize("role", ROLES)
def test_the_agent_of_a_worker_has_the_roles_of_its_kind_and_no_secret(role: str) -> None:
    plan, apply = (f"arn:aws:iam::210987654321:role/shop-{kind}" for kind in ROLES)
    graph = stack(**ISOLATED | {"repositoryRoles": [f"my-organization/shop-*={plan} {apply}"]})
    agent = containers_of(graph, role)["agent"]
    assert json.loads(environment_of(agent)["ISOLATION_ROLES"]) == {
        "default": f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-{role}-prod",
        "patterns": [["my-organization/shop-*", plan if role == "plan" else apply]],
        "tag": "Repository",
    }
    assert not {"secrets", "portMappings"} & agent.keys()


def test_the_first_process_of_an_executor_has_no_address_of_ecs(tmp_path: Path) -> None:
    script = containers_of(stack(**ISOLATED), "plan")["executor"]["entryPoint"][2]
    program = tmp_path / "executor"
    program.write_text('#!/bin/sh\ntr "\\0" "\\n" </proc/$$/environ; echo "$@"\n')
    program.chmod(0o755)
    addresses = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "ECS_CONTAINER_METADATA_URI_V4", "ECS_AGENT_URI")
    done = subprocess.run(
        ["/bin/sh", "-c", script.replace("/opt/atlantis-isolation/bin", str(tmp_path)), "executor", "plan", "x"],
        env={"PATH": "/usr/bin:/bin", "KEPT": "1", **dict.fromkeys(addresses, "secret")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "KEPT=1" in done.stdout
    assert done.stdout.endswith("plan x\n")
    assert "secret" not in done.stdout


def test_without_the_server_there_are_no_workers_yet() -> None:
    graph = stack(**ISOLATED | {"desiredCount": 0}, planWorkers="2-10")
    assert {service.inputs["desiredCount"] for service in graph.all(SERVICE)} == {0}
    assert not graph.all("aws:appautoscaling/target:Target")
