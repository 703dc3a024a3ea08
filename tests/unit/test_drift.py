"""Drift detection in the stack: settings, containers, metrics and alarms."""

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


def test_a_stack_without_drift_detection_has_none_of_it() -> None:
    graph = stack(terraformIsolation="tasks")
    assert not [name for name in graph.names(FILTER) if name.startswith("drift-")]
    assert "prod-atlantis-api" not in {r.inputs.get("name") for r in graph.all("aws:secretsmanager/secret:Secret")}
    assert "permissions-drift-role" not in graph.names("aws:iam/role:Role")
    agent = containers_of(graph)["agent"]
    assert "DRIFT_DETECTION" not in environment_of(agent)


def test_an_alarm_waits_for_two_days_without_a_good_daily_run() -> None:
    alarms = stack(**DRIFT, driftDailyAt="04:30").all("aws:cloudwatch/metricAlarm:MetricAlarm")
    (missing,) = [alarm.inputs for alarm in alarms if alarm.inputs["name"] == "atlantis-prod-drift-detection"]
    assert (missing["period"], missing["evaluationPeriods"]) == (3600, 48)
