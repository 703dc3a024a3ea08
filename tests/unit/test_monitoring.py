"""Alarms and the dashboard: none without somebody to notify, and a graph for what an alarm watches."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.names import PhysicalNames
from tests.unit.isolated import containers_of, environment_of, statements
from tests.unit.recording import ACCOUNT, REGION
from tests.unit.stacks import REDIS, stack

ROOT = Path(__file__).parents[2]
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
ON_CALL: dict[str, Any] = {"alarmTopicArns": [TOPIC]}
DRIFT: dict[str, Any] = {"terraformIsolation": "tasks", "driftProjects": ["my-organization/network:vpc"]}


def test_each_alarm_and_the_dashboard_link_to_an_entry_of_the_on_call_chapter() -> None:
    url = "https://github.com/my-organization/atlantis/blob/main/docs"
    graph = stack(**ON_CALL, **DRIFT, documentationUrl=f"{url}/")
    described = [alarm.inputs["alarmDescription"].rpartition(f". {url}/on-call.md#") for alarm in graph.all(ALARM)]
    assert len({text for text, _, _ in described}) == len(described) == 12
    entries = re.findall(r"^## (\S+)\n\n(.*?)(?=\n## |\Z)", (ROOT / "docs/on-call.md").read_text(), re.M | re.S)
    assert {entry for _, _, entry in described} == {entry for entry, _ in entries}
    assert [entry for entry, text in entries if not re.search(r"\*\*Page\*\*: .*\n```\n\S", text, re.S)] == []
    markdown = json.loads(graph.one(DASHBOARD).inputs["dashboardBody"])["widgets"][-1]["properties"]["markdown"]
    assert set(re.findall(r"\(\S+?/docs/on-call\.md#(\S+)\)", markdown)) == {entry for entry, _ in entries}
    assert stack(**ON_CALL).one(ALARM, "alarms-memory").inputs["alarmDescription"].endswith(". docs/on-call.md#memory")


def test_without_a_task_there_is_none() -> None:
    graph = stack(**ON_CALL, desiredCount=0)
    assert graph.all(ALARM) + graph.all("atlantis:index:Alarms") == []


def graphs(**changes: object) -> list[dict[str, Any]]:
    """All widgets but the last one, the links."""
    return json.loads(stack(**changes).one(DASHBOARD).inputs["dashboardBody"])["widgets"][:-1]


def shown(**changes: object) -> dict[str, dict[str, str]]:
    """Dimensions by metric."""
    return {
        f"{namespace}/{name}": dict(zip(rest[::2], rest[1::2], strict=True))
        for widget in graphs(**changes)
        for namespace, name, *rest in widget["properties"]["metrics"]
    }


def test_what_an_alarm_watches_is_shown_with_the_same_dimensions() -> None:
    alarms = stack(alarmTopicArns=[TOPIC]).all(ALARM)
    watched = {
        f"{alarm.inputs['namespace']}/{alarm.inputs['metricName']}": alarm.inputs["dimensions"] for alarm in alarms
    }
    # Its days to expiry are of no use as a graph.
    del watched["AWS/CertificateManager/DaysToExpiry"]
    assert {metric: shown().get(metric) for metric in watched} == watched


def test_no_graph_covers_another() -> None:
    widgets = json.loads(stack(**REDIS).one(DASHBOARD).inputs["dashboardBody"])["widgets"]
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(places) == len(set(places)) == 12
    assert all(x in (0, 8, 16) and y % 6 == 0 for x, y in places)


@pytest.mark.parametrize(
    ("region", "partition", "begins"),
    [
        ("ap-northeast-2", "aws", "https://ap-northeast-2.console.aws.amazon.com/cloudwatch/"),
        ("cn-north-1", "aws-cn", "https://cn-north-1.console.amazonaws.cn/cloudwatch/"),
        ("us-gov-west-1", "aws-us-gov", "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/"),
    ],
)
def test_the_address_is_of_the_partition_s_console(region: str, partition: str, begins: str) -> None:
    names = PhysicalNames(environment="prod", account="123456789012", region=region, partition=partition)
    assert names.dashboard_url == f"{begins}home?region={region}#dashboards/dashboard/atlantis-prod-{region}"


def test_a_stack_without_drift_detection_has_none_of_it() -> None:
    graph = stack(terraformIsolation="tasks")
    assert not [
        name for name in graph.names("aws:cloudwatch/logMetricFilter:LogMetricFilter") if name.startswith("drift-")
    ]
    assert "prod-atlantis-api" not in {r.inputs.get("name") for r in graph.all("aws:secretsmanager/secret:Secret")}
    assert "permissions-drift-role" not in graph.names("aws:iam/role:Role")
    assert "AssumeDriftRole" not in str(statements(graph, "permissions-task-file-system"))
    agent = containers_of(graph)["agent"]
    assert "DRIFT_DETECTION" not in environment_of(agent)


def test_an_alarm_waits_for_two_days_without_a_good_daily_run() -> None:
    alarms = stack(**ON_CALL, **DRIFT, driftDailyAt="04:30").all(ALARM)
    (missing,) = [alarm.inputs for alarm in alarms if alarm.inputs["name"] == "atlantis-prod-drift-detection"]
    assert (missing["period"], missing["evaluationPeriods"]) == (3600, 48)
