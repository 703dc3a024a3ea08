"""Each row of the tables: faults and values are reported, and no mandatory policy speaks on what passes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evaluation import values
from evaluation.resources import Resource
from policies.catalogue import RULES
from tables.stores import STORES
from tests.policy.passing import PASSING
from tests.policy.rows import MANDATORY, Row, varied, written
from tests.policy.rows_documents import DOCUMENT_ROWS
from tests.policy.rows_encryption import ENCRYPTION_ROWS
from tests.policy.rows_identity import IDENTITY_ROWS
from tests.policy.rows_network import NETWORK_ROWS
from tests.policy.rows_operations import OPERATIONS_ROWS
from tests.policy.rows_public import PUBLIC_ROWS
from tests.policy.rows_single_task import SINGLE_TASK_ROWS
from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned

VALUES: tuple[Row, ...] = tuple(varied())
ROWS: tuple[Row, ...] = (
    *(*VALUES, *DOCUMENT_ROWS, *PUBLIC_ROWS, *ENCRYPTION_ROWS, *NETWORK_ROWS),
    *(*SINGLE_TASK_ROWS, *IDENTITY_ROWS, *OPERATIONS_ROWS),
    *(
        row
        for name in ("advisory", "claims", "encryption", "evasions", "external", "supporting")
        for row in written(name)
    ),
)
CHECKS = {(rule.name, check) for rule in RULES if rule.level == "mandatory" for check in rule.checks}
MESSAGES = Path(__file__).with_name("recorded") / "messages.txt"
RECORDED = frozenset(MESSAGES.read_text(encoding="utf-8").splitlines())


def messages_of(row: Row, findings: list[Finding]) -> set[str]:
    """The findings of the row's checks as the recording has them: without the policy's description, and only with a fingerprint."""
    texts = {each.message.partition("\n")[2] for each in findings if (each.policy, each.check) in row.checks}
    return {text for text in texts if " Finding " in text}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_check_reports_what_the_row_expects(row: Row) -> None:
    outcome, findings = row.outcome()
    assert outcome in row.expected, findings
    messages = messages_of(row, findings)
    assert all("Fix: " in message for message in messages)
    assert not messages - RECORDED, "new or changed: python -m tests.policy.record messages"


@pytest.mark.parametrize("row", PASSING, ids=lambda row: row.why.replace(" ", "-"))
def test_no_mandatory_policy_stops_a_passing_stack(row: Row) -> None:
    assert [each.message for each in row.alarms()] == []


def test_every_check_of_every_rule_has_a_row() -> None:
    tried = {pair for row in ROWS for pair in row.checks}
    declared = {(rule.name, check) for rule in RULES if not rule.fixes for check in rule.checks}
    # These two are about no property; they have separate tests below and in test_evaluation_report.py.
    assert declared - tried == {("evaluation-report", "report"), ("recovery", "protect")}
    assert tried <= declared


def test_every_mandatory_check_is_tried_in_several_ways() -> None:
    tried = Counter(pair for row in ROWS for pair in row.checks if row.expected == {"violation"})
    assert {pair for pair in CHECKS if tried[pair] < 2} == set()


def test_every_mandatory_check_has_passing_rows() -> None:
    near = Counter(pair for row in PASSING for pair in row.checks)
    assert set(near) <= CHECKS, "a passing row is near a check that no mandatory policy has"
    assert {pair for pair in CHECKS if not near[pair]} == set(), "add a passing row for the check"
    assert {policy for policy, _ in near} == MANDATORY


def test_every_row_of_the_table_of_stores_has_a_passing_row() -> None:
    kinds = {each.type for row in PASSING for each in row.resources}
    assert {store.type for store in STORES} <= {kind.split(":")[1] for kind in kinds}


def test_passing_rows_are_many_and_distinct() -> None:
    assert sum(len(row.resources) for row in PASSING) >= 150
    assert len({row.why for row in PASSING}) == len(PASSING)


@pytest.mark.parametrize("protect", [True, False])
def test_store_without_protect_is_reported_where_the_configuration_demands_it(protect: bool) -> None:
    key = Planned("aws:kms/key:Key", "key", {"enableKeyRotation": True}, protect=protect)
    found = Pack({"recovery": {"requireProtect": True}}).analyze_stack([key])
    assert [finding.check for finding in found if finding.policy == "recovery"] == ([] if protect else ["protect"])


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
    writer = next(row for row in VALUES if row.checks == (("single-task", "maximum-percent"),))
    service, *rest = writer.resources
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


@pytest.mark.parametrize(
    ("dependencies", "expected"), [({"block": []}, values.UNKNOWN), ({"block.inner": []}, None), ({}, None)]
)
def test_nested_unknown_value_is_the_authors_if_its_top_level_property_is_recorded(
    dependencies: dict[str, list[Any]], expected: Any
) -> None:
    source: Any = SimpleNamespace(
        resource_type="aws:x/y:X", props={}, urn="a", name="a", property_dependencies=dependencies
    )
    resource = Resource(source, "x/y")
    resource.properties = {"block": {"inner": values.UNKNOWN}}
    assert resource.stated("block.inner") is expected
