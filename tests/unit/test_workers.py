"""terraformIsolation tasks: the server's task, the workers' tasks and services, and their network."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.isolated import ISOLATED, containers_of, environment_of, mounts_of
from tests.unit.recording import ACCOUNT, refusal
from tests.unit.stacks import PRODUCTION, stack

DATA = "/home/atlantis/.atlantis"
TASK, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
KEY = {"name": "WORKERS_KEY", "valueFrom": "arn:aws:mock:ap-northeast-2:123456789012:secrets-workers:workers_key::"}
ROLES = ("plan", "apply")


def test_the_server_has_an_agent_and_each_worker_three_containers_that_end_it() -> None:
    graph = stack(**ISOLATED)
    assert list(containers_of(graph)) == ["atlantis", "agent"]
    assert list(containers_of(stack(**PRODUCTION))) == ["atlantis", "task-protection"]
    for role in ROLES:
        containers = containers_of(graph, role)
        assert list(containers) == ["executor", "agent", "tls"]
        assert {container["essential"] for container in containers.values()} == {True}
        assert not [name for name, container in containers.items() if "restartPolicy" in container]
        assert {container["readonlyRootFilesystem"] for container in containers.values()} == {True}
        assert not [name for name, container in containers.items() if {"cpu", "memory"} & container.keys()]


def test_the_server_and_its_agent_share_a_volume_of_the_task_and_no_terraform_runs_there() -> None:
    graph = stack(**ISOLATED)
    server, agent = (containers_of(graph)[name] for name in ("atlantis", "agent"))
    shared = {"/run/isolation/workers": ("workers", False)}
    assert mounts_of(server) == {DATA: ("atlantis-data", False)} | shared
    assert mounts_of(agent) == shared
    volumes = graph.one(TASK, "compute-task").inputs["volumes"]
    assert [volume["name"] for volume in volumes] == ["atlantis-data", "workers"]
    assert volumes[1] == {"name": "workers"}
    # ECS stops the server first.
    assert server["dependsOn"] == [{"containerName": "agent", "condition": "START"}]
    environment = environment_of(server)
    assert (environment["ATLANTIS_TF_DOWNLOAD"], environment["ATLANTIS_USE_TF_PLUGIN_CACHE"]) == ("false", "false")
    assert "WORKERS_KEY" not in json.dumps(server)


def test_the_agent_of_the_server_knows_the_services_and_has_the_app_and_the_key() -> None:
    graph = stack(**ISOLATED, planWorkerMemory=8192, workerWaitMinutes=30)
    agent = containers_of(graph)["agent"]
    assert json.loads(environment_of(agent)["WORKERS"]) == {
        "cluster": "atlantis-prod",
        "port": 4142,
        "wait_minutes": 30,
        "server_user": "1001:1000",
        "plan": {"service": "atlantis-prod-plan", "commands": 8},
        "apply": {"service": "atlantis-prod-apply", "commands": 4},
    }
    assert environment_of(agent)["ISOLATION_MODULE_REPOSITORIES"] == "modules more.modules"
    assert "ISOLATION_ROLES" not in environment_of(agent)
    app = ["ATLANTIS_GH_APP_ID", "ATLANTIS_GH_APP_INSTALLATION_ID", "ATLANTIS_GH_APP_KEY"]
    assert [secret["name"] for secret in agent["secrets"]] == [*app, "WORKERS_KEY"]
    assert agent["secrets"][-1] == KEY
    assert agent["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert agent["logConfiguration"]["options"]["awslogs-group"] == "/ecs/atlantis-prod-agent"


@pytest.mark.parametrize("role", ROLES)
def test_an_executor_has_no_secret_no_efs_no_port_and_only_the_capabilities_that_switch_users(role: str) -> None:
    executor = containers_of(stack(**ISOLATED), role)["executor"]
    assert mounts_of(executor) == {
        "/run/isolation/executor": ("executor", False),
        "/run/isolation/broker": ("broker", True),
        f"{DATA}/repos": ("work", False),
        "/tmp": ("tmp", False),  # noqa: S108
    }
    assert not {"secrets", "portMappings"} & executor.keys()
    assert (executor["user"], executor["privileged"]) == ("0", False)
    # A quarter of the 20 GiB that Fargate provides, and a command for each GiB of memory.
    shared = [role, "--commands", "4", "--largest-copy", str(5 << 30)]
    assert executor["command"] == [*shared, *(("--continues-minutes", "60") if role == "apply" else ())]
    assert executor["healthCheck"]["command"] == ["CMD", "/opt/atlantis-isolation/bin/check-executor"]
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
    assert agent["command"] == [role]
    assert agent["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert mounts_of(agent) == {
        "/run/isolation/broker": ("broker", False),
        "/run/isolation/executor": ("executor", True),
    }


@pytest.mark.parametrize("role", ROLES)
def test_only_the_tls_end_of_a_worker_has_the_key_and_the_port(role: str) -> None:
    tls = containers_of(stack(**ISOLATED), role)["tls"]
    assert tls["secrets"] == [KEY]
    assert tls["portMappings"] == [{"containerPort": 4142, "hostPort": 4142, "protocol": "tcp"}]
    assert tls["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert mounts_of(tls) == {"/run/isolation/executor": ("executor", True)}


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


def test_the_services_have_their_sizes_roles_networks_and_capacity() -> None:
    subnets = ["subnet-0000000000000001a", "subnet-0000000000000001b"]
    graph = stack(
        **ISOLATED,
        planWorkers="3",
        planWorkerCpu=2048,
        planWorkerMemory=4096,
        planWorkerEphemeralStorage=40,
        planWorkerCapacityProvider="FARGATE_SPOT",
        planWorkerSubnetIds=subnets,
    )
    plan, apply = (graph.one(SERVICE, f"compute-{role}-service").inputs for role in ROLES)
    assert (plan["name"], plan["desiredCount"], apply["name"], apply["desiredCount"]) == (
        *("atlantis-prod-plan", 3),
        *("atlantis-prod-apply", 1),
    )
    assert plan["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert plan["networkConfiguration"] == {
        "subnets": subnets,
        "securityGroups": ["network-plan-workers-id"],
        "assignPublicIp": False,
    }
    server = graph.one(SERVICE, "compute-service").inputs
    assert apply["networkConfiguration"]["subnets"] == server["networkConfiguration"]["subnets"]
    assert not apply["loadBalancers"]
    # New workers start before the old ones, which finish their commands first.
    assert (plan["deploymentMinimumHealthyPercent"], plan["deploymentMaximumPercent"]) == (100, 200)
    task = graph.one(TASK, "compute-plan-task").inputs
    assert (task["family"], task["cpu"], task["memory"]) == ("atlantis-prod-plan", "2048", "4096")
    assert task["ephemeralStorage"] == {"sizeInGib": 40}
    assert [volume["name"] for volume in task["volumes"]] == ["executor", "broker", "work", "tmp"]
    assert task["taskRoleArn"].endswith(":permissions-plan-worker-role")
    assert containers_of(graph, "plan")["executor"]["command"][-1] == str(10 << 30)


def test_pulumi_up_waits_for_the_deployment_of_each_service() -> None:
    assert stack(**ISOLATED).names("pulumi:index:Stash") == [
        "compute-apply-deployment",
        "compute-deployment",
        "compute-plan-deployment",
    ]


def test_a_range_of_workers_scales_with_their_busy_places_and_a_number_does_not() -> None:
    graph = stack(**ISOLATED, planWorkers="2-10")
    service = graph.one(SERVICE, "compute-plan-service")
    assert (service.inputs["desiredCount"], service.ignore_changes) == (2, ("desiredCount",))
    target = graph.one("aws:appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 10)
    assert target["resourceId"] == "service/atlantis-prod/atlantis-prod-plan"
    policy = graph.one("aws:appautoscaling/policy:Policy").inputs["targetTrackingScalingPolicyConfiguration"]
    metric = {"namespace": "Atlantis/atlantis-prod", "metricName": "BusyPercent", "statistic": "Average"}
    assert policy["customizedMetricSpecification"] == metric | {"dimensions": [{"name": "Workers", "value": "plan"}]}
    assert policy["targetValue"] == 70
    assert graph.one(SERVICE, "compute-apply-service").ignore_changes == ()


def test_without_the_server_there_are_no_workers_yet() -> None:
    graph = stack(**ISOLATED | {"desiredCount": 0}, planWorkers="2-10")
    assert {service.inputs["desiredCount"] for service in graph.all(SERVICE)} == {0}
    assert not graph.all("aws:appautoscaling/target:Target")


def test_repositories_with_other_roles_and_secrets_for_workflows_reach_the_commands() -> None:
    graph = stack(
        **ISOLATED, secretEnvironment=["TF_VAR_token=shared/github-app:app_id", "DD_API_KEY=shared/webhook:x"]
    )
    assert environment_of(containers_of(graph)["atlantis"])["ISOLATION_FORWARD"] == "DD_API_KEY TF_VAR_token"


def test_subnets_of_another_vpc_are_refused_before_anything_is_registered() -> None:
    message, registered = refusal(**ISOLATED, planWorkerSubnetIds=["subnet-00000000000000009"])
    assert "planWorkerSubnetIds: subnet-00000000000000009 is of" in " ".join(message.split())
    assert not [resource for resource in registered if resource.custom]
