"""terraformIsolation: the task's containers, volumes and roles, and what stays as it is without it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components import settings as settings_package
from components.compute.server_start import server_start
from components.configuration import repo_configuration
from components.configuration.server_steps import in_server
from isolation import paths
from tests.unit.recording import ACCOUNT, LOCAL, REGION, Graph, arn_of
from tests.unit.stacks import PRODUCTION, TASK_ROLE_SESSIONS, stack

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ISOLATED: dict[str, Any] = PRODUCTION | {
    "terraformIsolation": "containers",
    "moduleRepositories": ["modules", "more.modules"],
}
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/x"
DATA = "/home/atlantis/.atlantis"


def containers_of(graph: Graph) -> dict[str, dict[str, Any]]:
    definitions = json.loads(graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    return {definition["name"]: definition for definition in definitions}


def mounts_of(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {mount["containerPath"]: (mount["sourceVolume"], mount["readOnly"]) for mount in container["mountPoints"]}


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["environment"]}


def statements(graph: Graph, name: str) -> list[dict[str, Any]]:
    return graph.one(POLICY, name).decoded["policy"]["Statement"]


def attached(graph: Graph, role: str) -> list[str]:
    found = [graph.one(ATTACHMENT, name).inputs for name in graph.names(ATTACHMENT)]
    return sorted(inputs["policyArn"] for inputs in found if inputs["role"] == role)


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
    assert executor["command"] == [role, "--server-user", "1001:1000"]
    docker = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
    left = set(docker.split()) - set(executor["linuxParameters"]["capabilities"]["drop"])
    assert left == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"}


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
        role: {"default": f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-{role}-prod", "patterns": []}
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
    assert statements(graph, "permissions-task-file-system")[-1]["Resource"][2:] == [plan, apply]


def test_only_the_task_role_can_assume_the_roles_of_plans_and_applies() -> None:
    graph = stack(**ISOLATED)
    for role in ("plan", "apply"):
        made = graph.one(ROLE, f"permissions-{role}-role").decoded
        assert made["name"] == f"atlantis-ecs-task-{role}-prod"
        assert made["assumeRolePolicy"]["Statement"] == [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Condition": {"ArnLike": {"aws:PrincipalArn": TASK_ROLE_SESSIONS}},
            }
        ]
    assert not {"permissions-plan-role", "permissions-apply-role"} & set(stack(**PRODUCTION).names(ROLE))


def test_the_task_role_keeps_the_mount_its_protection_and_the_two_roles() -> None:
    graph = stack(**ISOLATED)
    assert attached(graph, "atlantis-ecs-task-prod") == [
        arn_of(f"permissions-task-{subject}") for subject in ("file-system", "own-stack")
    ]
    assert statements(graph, "permissions-task-file-system")[-1] == {
        "Sid": "AssumeTerraformRoles",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": [f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-{role}-prod" for role in ("plan", "apply")],
    }
    assert [statement["Sid"] for statement in statements(stack(**PRODUCTION), "permissions-task-file-system")] == [
        "MountThroughAccessPoint",
        "ProtectOwnTasks",
    ]


def test_the_apply_role_has_what_the_task_role_had_but_the_mount() -> None:
    before, after = stack(**PRODUCTION), stack(**ISOLATED)
    had = {policy for policy in attached(before, "atlantis-ecs-task-prod") if "file-system" not in policy}
    assert set(attached(after, "atlantis-ecs-task-apply-prod")) == had
    for subject in ("state", "containers", "security-groups", "load-balancers", "roles", "logs-and-secrets", "read"):
        assert statements(before, f"permissions-task-{subject}") == statements(after, f"permissions-task-{subject}")


def test_a_plan_can_write_nothing_but_the_states_lock() -> None:
    graph = stack(**ISOLATED)
    assert attached(graph, "atlantis-ecs-task-plan-prod") == sorted(
        [
            arn_of("permissions-plan-locks"),
            arn_of("permissions-plan-managed"),
            arn_of("permissions-plan-state"),
            arn_of("permissions-task-own-stack"),
            arn_of("permissions-task-read"),
        ]
    )
    names = [f"permissions-{name}" for name in ("plan-managed", "plan-state", "plan-locks", "task-read")]
    found = [statement for name in names for statement in statements(graph, name) if statement["Effect"] == "Allow"]
    verbs = ("BatchCheck", "BatchGet", "Describe", "Get", "List")
    writing = {
        statement["Sid"]: statement
        for statement in found
        if any(not action.partition(":")[2].startswith(verbs) for action in statement["Action"])
    }
    assert {sid: statement["Action"] for sid, statement in writing.items()} == {
        "LockStateFiles": ["s3:DeleteObject", "s3:PutObject"],
        "UseStateKeys": ["kms:Decrypt", "kms:GenerateDataKey"],
        "LockState": ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"],
    }
    assert all(resource.endswith("/*.tflock") for resource in writing["LockStateFiles"]["Resource"])
    managed = statements(graph, "permissions-plan-managed")
    assert len({statement["Sid"] for statement in managed}) == len(managed)
    assert len(json.dumps(managed, separators=(",", ":"))) < 6144


def test_secrets_for_workflows_go_to_the_commands_and_the_servers_stay() -> None:
    graph = stack(
        **ISOLATED, secretEnvironment=["TF_VAR_token=shared/github-app:app_id", "DD_API_KEY=shared/webhook:x"]
    )
    assert environment_of(containers_of(graph)["atlantis"])["ISOLATION_FORWARD"] == "DD_API_KEY TF_VAR_token"


def start(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the isolated start up to the server, which reports its environment."""
    programs = folder / "programs"
    (programs / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("bin", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    shutil.copy(shutil.which("true") or "", folder / "bin" / "atlantis")
    # It gets the environment that the server gets, and takes the configuration in the server's place.
    entry_point = folder / "bin" / "docker-entrypoint.sh"
    entry_point.write_text('#!/bin/sh\ntr "\\0" "\\n" </proc/$$/environ; cat "$TMPDIR"/*/server.yaml\n')
    entry_point.chmod(0o755)
    script = server_start([], isolated=True)["entryPoint"]
    return subprocess.run(
        ["/bin/sh", "-c", script[2].replace("/opt/atlantis-isolation", str(programs)), "server-start"],
        env={
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "ATLANTIS_DATA_DIR": str(folder / "data"),
            "TMPDIR": str(folder / "tmp"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def check_executors(folder: Path, code: int) -> None:
    program = folder / "programs" / "bin" / "check-executors"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)


def test_the_server_starts_with_the_shims_first_and_without_the_addresses_and_programs_of_before(
    tmp_path: Path,
) -> None:
    check_executors(tmp_path, 0)
    (tmp_path / "data" / "bin").mkdir(parents=True)
    (tmp_path / "data" / "bin" / "terraform1.5.7").write_text("planted")
    (tmp_path / "data" / "repos").mkdir()
    done = start(
        tmp_path, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/secret", ECS_AGENT_URI="http://secret", GIVEN="a\nb"
    )
    environment = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert environment["PATH"].startswith(f"{tmp_path}/programs/shims:{tmp_path}/programs/bin:")
    assert {"PATH", "GIVEN", "ATLANTIS_DATA_DIR", "TMPDIR"} <= set(environment["ISOLATION_SERVER_NAMES"].split())
    assert "secret" not in done.stdout
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["repos"]


def test_the_server_does_not_start_when_the_executors_do_not_answer(tmp_path: Path) -> None:
    check_executors(tmp_path, 1)
    assert (start(tmp_path).returncode, start(tmp_path).stdout) == (1, "")


def test_an_image_without_the_programs_says_which_image_it_needs(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 1
    assert "build the image of docker/" in done.stderr


STEPS = {
    "repos": [
        {
            "id": "/.*/",
            "pre_workflow_hooks": [{"run": "make generate"}],
            "post_workflow_hooks": [{"run": "run-in-plan -- x"}],
        }
    ],
    "workflows": {
        "custom": {
            "plan": {
                "steps": [
                    "init",
                    {"run": "terraform fmt -check"},
                    {"run": {"command": "terragrunt plan"}},
                    {"env": {"name": "X", "command": "cat x"}},
                    {"env": {"name": "Y", "value": "1"}},
                    {"multienv": "./make-environment"},
                    {"plan": {"extra_args": ["-lock=false"]}},
                ]
            },
            "apply": {"steps": [{"run": "run-in-apply --plan-file $PLANFILE -- terragrunt apply $PLANFILE"}, "apply"]},
        }
    },
}


@pytest.mark.parametrize(
    "command",
    [
        "run-in-plan -- make; make",
        "run-in-plan -- make && make",
        "run-in-plan -- make | ./filter",
        'run-in-plan -- "$(./name)"',
        "terraform output `./name`",
        "echo x\n./script",
        "terraform show >file",
        "run-in-planner",
    ],
)
def test_a_command_of_which_only_a_part_is_handed_over_is_named(command: str) -> None:
    assert list(in_server({"workflows": {"w": {"plan": {"steps": [{"run": command}]}}}})) == [
        f"workflow w, plan: {command}"
    ]


def test_the_example_runs_nothing_in_the_servers_container_and_weakens_no_rule() -> None:
    content = repo_configuration.load("examples/isolated.yaml")
    assert list(repo_configuration.problems(content)) == []
    assert list(repo_configuration.weaker(content)) == []
    assert list(in_server(content)) == []
    assert stack(**ISOLATED | {"repoConfigFile": "examples/isolated.yaml"})


def test_a_step_that_runs_in_the_servers_container_is_named() -> None:
    assert list(in_server(STEPS)) == [
        "repos /.*/, pre_workflow_hooks: make generate",
        "workflow custom, plan: terragrunt plan",
        "workflow custom, plan: cat x",
        "workflow custom, plan: ./make-environment",
    ]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"terraformIsolation": "other"}, "none, containers"),
        ({"repositoryRoles": [f"o/r={ROLE_ARN} {ROLE_ARN}"]}, "applies only with terraformIsolation containers"),
        ({"terraformIsolation": "containers", "repositoryRoles": [f"o/r={ROLE_ARN}"]}, "plan role and the apply role"),
        ({"moduleRepositories": ["modules"]}, "applies only with terraformIsolation containers"),
        ({"terraformIsolation": "containers", "moduleRepositories": ["owner/modules"]}, "without its owner"),
        ({"terraformIsolation": "containers", "memory": 1024, "cpu": 512}, "must be at least 2048"),
        ({"terraformIsolation": "containers", "flags": "tf-download: true"}, "would run in the server's container"),
        ({"terraformIsolation": "containers", "flags": "use-tf-plugin-cache: true"}, "shared by the commands of all"),
        ({"terraformIsolation": "containers", "flags": "enable-external-stores: true"}, "no AWS credentials"),
    ],
)
def test_settings_that_undo_the_isolation_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = dict(settings)
    if flags := given.pop("flags", None):
        (tmp_path / "server.yaml").write_text(f"{flags}\n")
        given["serverConfigFile"] = "server.yaml"
    with pytest.raises(settings_package.SettingsError, match=reason):
        settings_package.parse({**LOCAL, **given}, stack="prod", region=REGION)
