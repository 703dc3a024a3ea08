"""The dashboard: every graph shows a metric of something that the stack has."""

import json
from typing import Any

import pytest

from components.names import PhysicalNames
from tests.unit.stacks import REDIS, stack

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = "arn:aws:sns:ap-northeast-2:123456789012:on-call"


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
