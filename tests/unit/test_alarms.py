"""Alarms: none without somebody to tell; with a topic one for each thing that stops the service, input by input."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, EXISTING_VPC, REGION
from tests.unit.stacks import stack

ROOT = Path(__file__).parents[2]
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
TOLD: dict[str, Any] = {"alarmTopicArns": [TOPIC]}


def test_each_alarm_and_the_dashboard_link_to_an_entry_of_the_on_call_chapter() -> None:
    drift = {"terraformIsolation": "tasks", "driftProjects": ["my-organization/network:vpc"]}
    url = "https://github.com/my-organization/atlantis/blob/main/docs"
    graph = stack(**TOLD, **drift, documentationUrl=f"{url}/")
    described = [alarm.inputs["alarmDescription"].rpartition(f". {url}/on-call.md#") for alarm in graph.all(ALARM)]
    assert len({text for text, _, _ in described}) == len(described) == 12
    entries = re.findall(r"^## (\S+)\n\n(.*?)(?=\n## |\Z)", (ROOT / "docs/on-call.md").read_text(), re.M | re.S)
    assert {entry for _, _, entry in described} == {entry for entry, _ in entries}
    assert [entry for entry, text in entries if not re.search(r"\*\*Page\*\*: .*\n```\n\S", text, re.S)] == []
    markdown = json.loads(graph.one(DASHBOARD).inputs["dashboardBody"])["widgets"][-1]["properties"]["markdown"]
    assert set(re.findall(r"\(\S+?/docs/on-call\.md#(\S+)\)", markdown)) == {entry for entry, _ in entries}
    assert stack(**TOLD).one(ALARM, "alarms-memory").inputs["alarmDescription"].endswith(". docs/on-call.md#memory")


def test_every_topic_is_told() -> None:
    topics = [f"{TOPIC}-{number}" for number in range(5)]
    for alarm in stack(alarmTopicArns=topics).all(ALARM):
        assert (alarm.inputs["alarmActions"], alarm.inputs["okActions"]) == (topics, topics)


@pytest.mark.parametrize("changes", [{}, TOLD | {"desiredCount": 0}, EXISTING_VPC], ids=["no topic", "no task", "vpc"])
def test_without_a_topic_or_a_task_there_is_none(changes: dict[str, Any]) -> None:
    graph = stack(**changes)
    assert graph.all(ALARM) + graph.all("atlantis:index:Alarms") == []
