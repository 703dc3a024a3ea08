"""Each check of each rule, tried in six ways through the SDK's servicer: fine, broken, secret, absent, unknown, malformed."""

from dataclasses import replace
from typing import Any

import pytest

from policies.catalogue import RULES
from tests.policy.cases import Case, Outcome, changed
from tests.policy.cases_encryption import ENCRYPTION_CASES, ENCRYPTION_STACK_CASES
from tests.policy.cases_identity import ESCALATION_CASES, IDENTITY_CASES
from tests.policy.cases_network import NETWORK_CASES
from tests.policy.cases_operations import OPERATIONS_CASES, containers
from tests.policy.cases_single_task import SINGLE_TASK_CASES, writer
from tests.policy.servicer import UNKNOWN, Pack, Planned
from tests.policy.test_verdicts import VERDICTS

CASES: tuple[Case, ...] = (
    *ENCRYPTION_CASES,
    *ENCRYPTION_STACK_CASES,
    *NETWORK_CASES,
    *IDENTITY_CASES,
    *ESCALATION_CASES,
    *SINGLE_TASK_CASES,
    *OPERATIONS_CASES,
)


@pytest.mark.parametrize(
    ("case", "resources", "expected"),
    [
        pytest.param(case, resources, expected, id=f"{case.label}-{variant.replace(' ', '-')}")
        for case in CASES
        for variant, resources, expected in case.variants()
    ],
)
def test_check_says_what_it_must(case: Case, resources: tuple[Planned, ...], expected: Outcome) -> None:
    outcome, findings = case.outcome(resources)
    assert outcome == expected, findings
    for finding in findings:
        assert "Fix: " in finding.message or finding.policy == "evaluation-report"


def test_every_check_of_every_rule_has_a_case() -> None:
    tried = {(case.policy, case.check) for case in CASES}
    tried |= {(verdict.policy, verdict.check) for verdict in VERDICTS}
    declared = {(rule.name, check) for rule in RULES if not rule.fixes for check in rule.checks}
    # These two are about no property; they have tests of their own below and in test_evaluation_report.py.
    assert declared - tried == {("evaluation-report", "report"), ("recovery", "protect")}
    assert tried <= declared


@pytest.mark.parametrize("protect", [True, False])
def test_store_without_protect_is_reported_where_the_configuration_demands_it(protect: bool) -> None:
    key = Planned("aws:kms/key:Key", "key", {"enableKeyRotation": True}, protect=protect)
    found = Pack({"recovery": {"requireProtect": True}}).analyze_stack([key])
    assert [finding.check for finding in found if finding.policy == "recovery"] == ([] if protect else ["protect"])


@pytest.mark.parametrize(
    "containers",
    [
        {"environment": [{"name": "ATLANTIS_LOCKING_DB_TYPE", "value": "redis"}]},
        {"mountPoints": [{"sourceVolume": "data", "readOnly": True}]},
        {"mountPoints": []},
    ],
)
def test_single_task_lets_go_where_there_is_no_file_lock(containers: dict[str, Any]) -> None:
    stack = with_containers(**containers)
    assert not [finding for finding in Pack().analyze_stack(stack) if finding.policy == "single-task"]


def test_single_task_lets_go_of_a_service_that_handles_concurrent_writers() -> None:
    stack = with_containers()
    assert [finding.check for finding in Pack().analyze_stack(stack) if finding.policy == "single-task"] == [
        "desired-count"
    ]
    configured = Pack({"single-task": {"concurrentWriters": ["serv*"]}})
    assert not [finding for finding in configured.analyze_stack(stack) if finding.policy == "single-task"]


@pytest.mark.parametrize("default_tags", [{"tags": {"Owner": "platform"}}, '{"tags": {"Owner": "platform"}}'])
def test_default_tags_of_the_provider_count(default_tags: Any) -> None:
    store = Planned("aws:efs/fileSystem:FileSystem", "fs", {"tags": {"Environment": "prod"}})
    tagged = replace(store, provider={"defaultTags": default_tags})
    assert [found.check for found in Pack().analyze_stack([store]) if found.policy == "required-tags"] == ["tags"]
    assert not [found for found in Pack().analyze_stack([tagged]) if found.policy == "required-tags"]


def test_tags_of_an_auto_scaling_group_are_a_list() -> None:
    tags = [{"key": "Environment", "value": "prod"}, {"key": "Owner", "value": "platform"}]
    group = Planned("aws:autoscaling/group:Group", "group", {"tags": tags})
    assert not [found for found in Pack().analyze_stack([group]) if found.policy == "required-tags"]


def test_what_aws_will_choose_counts_as_left_out() -> None:
    chosen = Planned("aws:rds/instance:Instance", "database", {"backupRetentionPeriod": UNKNOWN})
    passed = replace(chosen, dependencies={"backupRetentionPeriod": ("elsewhere",)})
    assert "backup" in [found.check for found in Pack().analyze_stack([chosen]) if found.policy == "recovery"]
    assert "backup" not in [found.check for found in Pack().analyze_stack([passed]) if found.policy == "recovery"]


@pytest.mark.parametrize(("became", "expected"), [(False, ["at-rest"]), (True, []), (UNKNOWN, [])])
def test_what_became_of_a_replica_counts(became: Any, expected: list[str]) -> None:
    replica = Planned("aws:rds/instance:Instance", "replica", {"replicateSourceDb": "elsewhere"})
    pack = Pack()
    pack.analyze(replica)
    made = replace(replica, properties={**replica.properties, "storageEncrypted": became})
    found = [each for each in pack.analyze_stack([made]) if each.policy == "encryption-stack"]
    assert [each.check for each in found] == expected


def test_single_task_takes_what_aws_will_choose_as_left_out() -> None:
    service, *rest = writer()
    service = replace(
        service,
        properties={
            **service.properties,
            "deploymentConfiguration": {"strategy": UNKNOWN},
            "deploymentMaximumPercent": UNKNOWN,
        },
        dependencies={"taskDefinition": ("task",)},
    )
    found = [finding.check for finding in Pack().analyze_stack([service, *rest]) if finding.policy == "single-task"]
    assert found == ["maximum-percent"]


def with_containers(**containers_: Any) -> tuple[Planned, ...]:
    """A service of two tasks on EFS, with these keys of its container."""
    stack = changed(writer(definitions=containers(**containers_)), "service", "desiredCount", 2)
    return changed(stack, "task", "volumes[0].efsVolumeConfiguration.fileSystemId", "fs-1")
