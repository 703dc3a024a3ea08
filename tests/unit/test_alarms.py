"""Alarms: none without somebody to tell; with a topic one for each thing that stops the service, input by input."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, EXISTING_VPC, LOCAL, REGION, arn_of, id_of
from tests.unit.stacks import PRODUCTION, TAGS, stack

ROOT = Path(__file__).parents[2]
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
TOLD: dict[str, Any] = {"alarmTopicArns": [TOPIC]}

LOAD_BALANCER = {"LoadBalancer": "app/atlantis-prod/50dc6c495c0c9188"}
TARGET_GROUP = LOAD_BALANCER | {"TargetGroup": "targetgroup/atlantis-prod-atlantis/73e2d6bc24d8a067"}

EXPECTED: dict[str, dict[str, Any]] = {
    "unreachable": {
        "namespace": "AWS/ApplicationELB",
        "metricName": "HealthyHostCount",
        "dimensions": TARGET_GROUP,
        "statistic": "Maximum",
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1,
        "period": 60,
        "evaluationPeriods": 5,
        "treatMissingData": "breaching",
    },
    "unanswered": {
        "namespace": "AWS/ApplicationELB",
        "metricName": "HTTPCode_ELB_5XX_Count",
        "dimensions": LOAD_BALANCER,
        "statistic": "Sum",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 0,
        "period": 300,
        "evaluationPeriods": 2,
        "treatMissingData": "notBreaching",
    },
    "errors": {
        "namespace": "AWS/ApplicationELB",
        "metricName": "HTTPCode_Target_5XX_Count",
        "dimensions": TARGET_GROUP,
        "statistic": "Sum",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 0,
        "period": 300,
        "evaluationPeriods": 2,
        "treatMissingData": "notBreaching",
    },
    "certificate": {
        "namespace": "AWS/CertificateManager",
        "metricName": "DaysToExpiry",
        "dimensions": {"CertificateArn": LOCAL["acmCertificateArn"]},
        "statistic": "Minimum",
        "comparisonOperator": "LessThanThreshold",
        "threshold": 20,
        "period": 86400,
        "evaluationPeriods": 1,
        "treatMissingData": "ignore",
    },
    "memory": {
        "namespace": "AWS/ECS",
        "metricName": "MemoryUtilization",
        "dimensions": {"ClusterName": "atlantis-prod", "ServiceName": "atlantis-prod"},
        "statistic": "Maximum",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 90,
        "period": 60,
        "evaluationPeriods": 3,
        "treatMissingData": "notBreaching",
    },
    "burst-credits": {
        "namespace": "AWS/EFS",
        "metricName": "BurstCreditBalance",
        "dimensions": {"FileSystemId": id_of("storage-efs")},
        "statistic": "Minimum",
        "comparisonOperator": "LessThanThreshold",
        "threshold": 188_743_680_000,
        "period": 300,
        "evaluationPeriods": 3,
        "treatMissingData": "ignore",
    },
}


def test_there_is_an_alarm_for_each_of_these_and_for_nothing_else() -> None:
    assert stack(**TOLD).names(ALARM) == sorted(f"alarms-{name}" for name in EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_alarm_watches_what_is_deployed_and_tells_the_topic_when_it_goes_off_and_when_it_ends(name: str) -> None:
    inputs = dict(stack(**TOLD).one(ALARM, f"alarms-{name}").inputs)
    description = inputs.pop("alarmDescription")
    assert inputs == EXPECTED[name] | {
        "name": f"atlantis-prod-{name}",
        "alarmActions": [TOPIC],
        "okActions": [TOPIC],
        "tags": TAGS,
    }
    assert 40 < len(description) <= 1024


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


def test_a_certificate_that_the_stack_issues_is_watched_too() -> None:
    alarm = stack(**PRODUCTION).one(ALARM, "alarms-certificate")
    assert alarm.inputs["dimensions"] == {"CertificateArn": arn_of("ingress-certificate")}


def test_every_topic_is_told() -> None:
    topics = [f"{TOPIC}-{number}" for number in range(5)]
    for alarm in stack(alarmTopicArns=topics).all(ALARM):
        assert (alarm.inputs["alarmActions"], alarm.inputs["okActions"]) == (topics, topics)


@pytest.mark.parametrize("changes", [{}, TOLD | {"desiredCount": 0}, EXISTING_VPC], ids=["no topic", "no task", "vpc"])
def test_without_a_topic_or_a_task_there_is_none(changes: dict[str, Any]) -> None:
    graph = stack(**changes)
    assert graph.all(ALARM) + graph.all("atlantis:index:Alarms") == []


def test_topics_change_nothing_else() -> None:
    without = {(resource.type, resource.name): resource.inputs for resource in stack().resources}
    told = {(resource.type, resource.name): resource.inputs for resource in stack(**TOLD).resources}
    assert {key: told[key] for key in without} == without
    assert {kind for kind, _ in told.keys() - without.keys()} == {ALARM, "atlantis:index:Alarms"}
