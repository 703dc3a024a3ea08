"""Drift detection in the stack: settings, containers, metrics and alarms."""

import json
from typing import Any

from tests.unit.isolated import containers_of, environment_of
from tests.unit.recording import REGION
from tests.unit.stacks import stack

DRIFT: dict[str, Any] = {
    "terraformIsolation": "tasks",
    "driftProjects": ["my-organization/network:vpc"],
    "alarmTopicArns": [f"arn:aws:sns:{REGION}:123456789012:alarms"],
}
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"


def secrets(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["valueFrom"] for entry in container.get("secrets", ())}


def test_the_apis_secret_is_generated_and_only_the_server_and_the_agent_have_it() -> None:
    found = containers_of(stack(**DRIFT))
    holders = {name for name, container in found.items() if "ATLANTIS_API_SECRET" in secrets(container)}
    assert holders == {"atlantis", "agent"}
    assert environment_of(found["atlantis"])["ATLANTIS_ENABLE_DRIFT_DETECTION"] == "true"
    assert not any("REMEDIATION" in name for container in found.values() for name in environment_of(container))
    assert secrets(found["agent"])["ATLANTIS_API_SECRET"].endswith(":api_secret::")
    assert secrets(found["agent"])["ATLANTIS_WEB_PASSWORD"].endswith(":web_password::")


def test_a_stack_without_drift_detection_has_none_of_it() -> None:
    graph = stack(terraformIsolation="tasks")
    assert not [name for name in graph.names(FILTER) if name.startswith("drift-")]
    assert "prod-atlantis-api" not in {r.inputs.get("name") for r in graph.all("aws:secretsmanager/secret:Secret")}
    agent = containers_of(graph)["agent"]
    assert "DRIFT_DETECTION" not in environment_of(agent)


def test_an_alarm_waits_for_two_days_without_a_good_daily_run() -> None:
    alarms = stack(**DRIFT, driftDailyAt="04:30").all("aws:cloudwatch/metricAlarm:MetricAlarm")
    (missing,) = [alarm.inputs for alarm in alarms if alarm.inputs["name"] == "atlantis-prod-drift-detection"]
    assert (missing["period"], missing["evaluationPeriods"]) == (3600, 48)


def test_only_the_agents_own_role_can_read_its_log() -> None:
    graph = stack(**DRIFT)
    role = graph.one("aws:iam/role:Role", "permissions-drift-role").inputs
    assert role["name"] == "atlantis-ecs-task-drift-prod"
    (trust,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert trust["Condition"]["ArnLike"]["aws:PrincipalArn"][0].endswith(":role/atlantis-ecs-task-prod")
    own = json.loads(graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-drift-log").inputs["policy"])["Statement"]
    group = f"arn:aws:logs:{REGION}:123456789012:log-group:/ecs/atlantis-prod-agent"
    assert own == [
        {"Sid": "ReadOwnLog", "Effect": "Allow", "Action": ["logs:FilterLogEvents"], "Resource": [group, f"{group}:*"]}
    ]
    agent = environment_of(containers_of(stack(**DRIFT))["agent"])
    assert (agent["DRIFT_LOG_GROUP"], agent["DRIFT_LOG_ROLE"]) == (
        "/ecs/atlantis-prod-agent",
        "arn:aws:iam::123456789012:role/atlantis-ecs-task-drift-prod",
    )
    assert "permissions-drift-role" not in stack(terraformIsolation="tasks").names("aws:iam/role:Role")


def test_plans_cant_write_to_the_log_that_the_metrics_come_from() -> None:
    policy = stack(**DRIFT).one("aws:iam/policy:Policy", "permissions-task-own-stack")
    (statement,) = policy.document()
    assert statement["Effect"] == "Deny"
    assert "logs:*" in statement["Action"]
    assert f"arn:aws:logs:{REGION}:123456789012:log-group:/ecs/atlantis-prod*" in statement["Resource"]
