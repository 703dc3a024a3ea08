"""Compute: cluster, task definition, service and log, input by input."""

import json
from typing import Any

import pytest

from components.compute.server_start import server_start
from components.configuration import checkout
from components.configuration.comment_arguments import blocked
from components.configuration.repo_configuration import default
from tests.unit.recording import EXISTING_VPC, Graph, arn_of
from tests.unit.stacks import BARE, PRODUCTION, TAGS, stack

TASK, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
REPOSITORY_URL = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/atlantis"


def container_of(graph: Graph) -> dict[str, Any]:
    server, protection = json.loads(graph.one(TASK).inputs["containerDefinitions"])
    assert protection["name"] == "task-protection"
    return server


def environment_of(graph: Graph) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container_of(graph)["environment"]}


def test_the_container_is_atlantis_with_its_settings_secrets_and_data() -> None:
    app, webhook = arn_of("secrets-github-app"), arn_of("secrets-webhook")
    assert container_of(stack()) == {
        "name": "atlantis",
        "image": f"{REPOSITORY_URL}:v0.47.1",
        **server_start(["ATLANTIS_REPO_CONFIG_JSON", *(secret["name"] for secret in container_of(stack())["secrets"])]),
        "essential": True,
        "user": "100:1000",
        "privileged": False,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "readonlyRootFilesystem": False,
        "portMappings": [{"containerPort": 4141, "hostPort": 4141, "protocol": "tcp"}],
        "environment": [
            {"name": "ATLANTIS_ATLANTIS_URL", "value": "https://atlantis.example.com"},
            {"name": "ATLANTIS_BLOCKED_EXTRA_ARGS", "value": blocked([])},
            {"name": "ATLANTIS_CHECKOUT_STRATEGY", "value": "merge"},
            {"name": "ATLANTIS_DATA_DIR", "value": "/home/atlantis/.atlantis"},
            {"name": "ATLANTIS_FAIL_ON_PRE_WORKFLOW_HOOK_ERROR", "value": "true"},
            {"name": "ATLANTIS_GH_HOSTNAME", "value": "github.com"},
            {"name": "ATLANTIS_LOG_LEVEL", "value": "info"},
            {"name": "ATLANTIS_PORT", "value": "4141"},
            {"name": "ATLANTIS_REPO_ALLOWLIST", "value": "github.com/my-organization/*"},
            {"name": "ATLANTIS_REPO_CONFIG_JSON", "value": json.dumps(checkout.with_commit_check(default("main", [])))},
            {"name": "ATLANTIS_WEBSOCKET_CHECK_ORIGIN", "value": "true"},
            {"name": "ATLANTIS_WEB_BASIC_AUTH", "value": "true"},
            {"name": "ATLANTIS_WEB_USERNAME", "value": "atlantis"},
            {"name": "ATLANTIS_WRITE_GIT_CREDS", "value": "true"},
            *({"name": name, "value": value} for name, value in sorted(checkout.environment().items())),
        ],
        "secrets": [
            {"name": "ATLANTIS_GH_APP_ID", "valueFrom": f"{app}:app_id::"},
            {"name": "ATLANTIS_GH_APP_INSTALLATION_ID", "valueFrom": f"{app}:installation_id::"},
            {"name": "ATLANTIS_GH_APP_KEY", "valueFrom": f"{app}:private_key::"},
            {"name": "ATLANTIS_GH_WEBHOOK_SECRET", "valueFrom": f"{webhook}:webhook_secret::"},
            {"name": "ATLANTIS_WEB_PASSWORD", "valueFrom": f"{arn_of('secrets-web-password')}:web_password::"},
        ],
        "mountPoints": [
            {"sourceVolume": "atlantis-data", "containerPath": "/home/atlantis/.atlantis", "readOnly": False}
        ],
        "stopTimeout": 120,
        "ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/atlantis-prod",
                "awslogs-region": "ap-northeast-2",
                "awslogs-stream-prefix": "atlantis",
            },
        },
    }


def test_the_server_s_rules_demand_approval_and_let_no_repository_override_them() -> None:
    # Atlantis ignores keys that it doesn't know: a typo here would drop a protection silently.
    demanded = ["approved", "mergeable", "undiverged"]
    assert json.loads(environment_of(stack())["ATLANTIS_REPO_CONFIG_JSON"]) == {
        "repos": [
            {
                "id": "/.*/",
                "pre_workflow_hooks": [
                    {
                        "run": 'eval "$CHECK_COMMIT"',
                        "description": "committed files",
                        "commands": "autoplan, plan, apply, approve_policies, import, state, version",
                    }
                ],
            },
            {
                "id": "/.*/",
                "branch": "/^main$/",
                "plan_requirements": [],
                "apply_requirements": demanded,
                "import_requirements": demanded,
                "allowed_overrides": [],
                "allow_custom_workflows": False,
            },
        ]
    }


@pytest.mark.parametrize(
    "changes", [{}, PRODUCTION, BARE, {"lockingDatabase": "redis"}], ids=["default", "production", "bare", "redis"]
)
def test_the_server_s_start_takes_every_secret_over_and_nothing_else_sees_one(changes: dict[str, Any]) -> None:
    container = container_of(stack(**changes))
    handed_over = ["ATLANTIS_REPO_CONFIG_JSON", *(secret["name"] for secret in container["secrets"])]
    assert container["command"] == sorted(handed_over)
    # ECS would run it with the secrets in its environment, where a plan can read them.
    assert "healthCheck" not in container
    assert "pidMode" not in stack(**changes).one(TASK).inputs


def test_what_a_plan_requires_is_a_setting() -> None:
    rules = json.loads(environment_of(stack(planRequirements=["approved"]))["ATLANTIS_REPO_CONFIG_JSON"])["repos"][-1]
    assert (rules["plan_requirements"], rules["allowed_overrides"]) == (["approved"], [])


def test_port_and_user_are_settings_of_mapping_and_environment_alike() -> None:
    container = container_of(stack(**PRODUCTION))
    assert container["user"] == "1001:1000"
    assert container["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
    assert environment_of(stack(**PRODUCTION))["ATLANTIS_PORT"] == "8080"


def test_size_architecture_and_image_are_settings() -> None:
    graph = stack(**BARE)
    inputs = graph.one(TASK).inputs
    assert (inputs["cpu"], inputs["memory"]) == ("512", "1024")
    assert inputs["runtimePlatform"] == {"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"}
    assert container_of(graph)["image"] == "ghcr.io/runatlantis/atlantis:v0.48.0"


def test_an_image_tag_names_an_image_of_the_stack_s_own_repository() -> None:
    assert container_of(stack(imageTag="v0.50.0"))["image"] == f"{REPOSITORY_URL}:v0.50.0"


def test_host_log_level_and_allowlist_are_settings() -> None:
    environment = environment_of(stack(**BARE))
    assert environment["ATLANTIS_GH_HOSTNAME"] == "github.example.org"
    assert environment["ATLANTIS_LOG_LEVEL"] == "debug"
    assert environment["ATLANTIS_REPO_ALLOWLIST"] == "github.example.org/platform/*"


def test_the_service_runs_one_task_in_the_private_subnets_and_never_two() -> None:
    assert stack().one(SERVICE).inputs == {
        "name": "atlantis-prod",
        "cluster": arn_of("compute-cluster"),
        "taskDefinition": arn_of("compute-task"),
        "desiredCount": 1,
        "deploymentMinimumHealthyPercent": 0,
        "deploymentMaximumPercent": 100,
        "deploymentController": {"type": "ECS"},
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "availabilityZoneRebalancing": "DISABLED",
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        "forceNewDeployment": True,
        "platformVersion": "LATEST",
        "networkConfiguration": {
            "subnets": ["subnet-private-1", "subnet-private-2"],
            "securityGroups": ["network-ecs-tasks-id"],
            "assignPublicIp": False,
        },
        "loadBalancers": [
            {"targetGroupArn": arn_of("ingress-targets"), "containerName": "atlantis", "containerPort": 4141}
        ],
        "healthCheckGracePeriodSeconds": 60,
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": False,
        "tags": TAGS,
    }


def test_in_a_vpc_that_exists_the_service_runs_in_the_named_subnets() -> None:
    inputs = stack(**PRODUCTION).one(SERVICE).inputs
    assert inputs["networkConfiguration"] == {
        "subnets": EXISTING_VPC["privateSubnetIds"],
        "securityGroups": ["network-ecs-tasks-id"],
        "assignPublicIp": False,
    }
    assert inputs["loadBalancers"][0]["containerPort"] == 8080


@pytest.mark.parametrize("changes", [{}, PRODUCTION, BARE], ids=["default", "production", "bare"])
def test_nothing_scales_the_service(changes: dict[str, Any]) -> None:
    assert [resource.type for resource in stack(**changes).resources if "scaling" in resource.type.lower()] == []
