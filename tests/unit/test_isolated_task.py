"""terraformIsolation: the task's containers and volumes, and what stays as it is without it."""

import json
import subprocess
from pathlib import Path

import pytest

from isolation import paths
from tests.unit.isolated import ISOLATED, containers_of, environment_of, mounts_of, statements
from tests.unit.recording import ACCOUNT
from tests.unit.stacks import PRODUCTION, stack

DATA = "/home/atlantis/.atlantis"


def test_the_task_has_four_containers_and_without_the_setting_two() -> None:
    assert list(containers_of(stack(**ISOLATED))) == ["atlantis", "plan", "apply", "agent"]
    assert list(containers_of(stack(**PRODUCTION))) == ["atlantis", "task-protection"]


def test_the_volumes_are_the_tasks_own_besides_the_file_system() -> None:
    volumes = stack(**ISOLATED).one("aws:ecs/taskDefinition:TaskDefinition").inputs["volumes"]
    assert [volume["name"] for volume in volumes if "efsVolumeConfiguration" in volume] == ["atlantis-data"]
    assert [volume for volume in volumes if "efsVolumeConfiguration" not in volume] == [
        {"name": f"{role}-{part}"} for role in ("plan", "apply") for part in ("socket", "broker", "work", "tmp")
    ]


def test_the_server_has_the_sockets_read_only_and_nothing_else_of_the_executors() -> None:
    server = containers_of(stack(**ISOLATED))["atlantis"]
    assert mounts_of(server) == {
        DATA: ("atlantis-data", False),
        str(paths.executor_socket("plan").parent): ("plan-socket", True),
        str(paths.executor_socket("apply").parent): ("apply-socket", True),
    }
    assert server["dependsOn"] == [{"containerName": name, "condition": "START"} for name in ("plan", "apply", "agent")]
    environment = environment_of(server)
    assert (environment["ATLANTIS_TF_DOWNLOAD"], environment["ATLANTIS_USE_TF_PLUGIN_CACHE"]) == ("false", "false")


@pytest.mark.parametrize(("role", "memory"), [("plan", 2048), ("apply", 1228)])
def test_an_executor_has_no_secret_no_efs_and_only_the_capabilities_that_switch_users(role: str, memory: int) -> None:
    executor = containers_of(stack(**ISOLATED))[role]
    assert mounts_of(executor) == {
        f"/run/isolation/{role}": (f"{role}-socket", False),
        f"/run/isolation/{role}-broker": (f"{role}-broker", True),
        f"{DATA}/repos": (f"{role}-work", False),
        "/tmp": (f"{role}-tmp", False),  # noqa: S108
    }
    assert "secrets" not in executor
    assert "portMappings" not in executor
    assert "healthCheck" not in executor
    assert (executor["user"], executor["readonlyRootFilesystem"], executor["privileged"]) == ("0", True, False)
    assert executor["memory"] == memory
    # A quarter of the 20 GiB that Fargate provides.
    assert executor["command"] == [role, "--server-user", "1001:1000", "--largest-copy", str(5 << 30)]
    docker = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
    left = set(docker.split()) - set(executor["linuxParameters"]["capabilities"]["drop"])
    assert left == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"}


@pytest.mark.parametrize("cpu", [512, 1024])
def test_the_server_and_an_apply_have_more_cpu_than_a_plan_and_all_together_no_more_than_the_task(cpu: int) -> None:
    units = {name: item["cpu"] for name, item in containers_of(stack(**{**ISOLATED, "cpu": cpu})).items()}
    assert units["atlantis"] > units["apply"] > units["plan"] > units["agent"] > 2
    assert sum(units.values()) <= cpu


def test_the_copy_of_a_checkout_may_have_more_where_the_task_has_a_larger_disk() -> None:
    command = containers_of(stack(**{**ISOLATED, "ephemeralStorage": 40}))["plan"]["command"]
    assert command[-2:] == ["--largest-copy", str(10 << 30)]


def test_the_first_process_of_an_executor_has_no_address_of_ecs(tmp_path: Path) -> None:
    script = containers_of(stack(**ISOLATED))["plan"]["entryPoint"][2]
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


def test_the_agent_has_the_roles_the_app_and_no_capability() -> None:
    agent = containers_of(stack(**ISOLATED))["agent"]
    assert json.loads(environment_of(agent)["ISOLATION_ROLES"]) == {
        role: {
            "default": f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-{role}-prod",
            "patterns": [],
            "tag": "Repository",
        }
        for role in ("plan", "apply")
    }
    assert environment_of(agent)["ISOLATION_MODULE_REPOSITORIES"] == "modules more.modules"
    assert [secret["name"] for secret in agent["secrets"]] == [
        "ATLANTIS_GH_APP_ID",
        "ATLANTIS_GH_APP_INSTALLATION_ID",
        "ATLANTIS_GH_APP_KEY",
    ]
    assert agent["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert mounts_of(agent) == {
        f"/run/isolation/{role}-broker": (f"{role}-broker", False) for role in ("plan", "apply")
    }


def test_repositories_can_have_roles_of_their_own_which_the_agent_may_assume() -> None:
    plan, apply = (f"arn:aws:iam::210987654321:role/shop-{role}" for role in ("plan", "apply"))
    graph = stack(**ISOLATED | {"repositoryRoles": [f"my-organization/shop-*={plan} {apply}"]})
    roles = json.loads(environment_of(containers_of(graph)["agent"])["ISOLATION_ROLES"])
    assert roles["plan"]["patterns"] == [["my-organization/shop-*", plan]]
    assert roles["apply"]["patterns"] == [["my-organization/shop-*", apply]]
    assert statements(graph, "permissions-task-file-system")[-2]["Resource"][2:] == [plan, apply]


def test_secrets_for_workflows_go_to_the_commands_and_the_servers_stay() -> None:
    graph = stack(
        **ISOLATED, secretEnvironment=["TF_VAR_token=shared/github-app:app_id", "DD_API_KEY=shared/webhook:x"]
    )
    assert environment_of(containers_of(graph)["atlantis"])["ISOLATION_FORWARD"] == "DD_API_KEY TF_VAR_token"
