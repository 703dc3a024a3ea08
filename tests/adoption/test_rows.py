"""Changes of a state, and what the adoption then reports: the changes in place, proposals, notes, problems and what is left.

The remedies that problems name are applied as they are written, until nothing is left.
"""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from adoption import files, report
from adoption.anatomy import AnatomyError
from adoption.plan import Plan
from adoption.task_inventory import KEPT
from tests.adoption.plans import adopted, plan, proposed, results
from tests.adoption.states import State, change, changed_state
from tests.tables import table

ROWS: Mapping[str, Mapping[str, Any]] = table(__file__, "rows")
REMEDIES: Mapping[str, Mapping[str, Any]] = table(__file__, "remedies")
_SETTING = re.compile(r"atlantis:(\w+) to (\S*[\w/])")


def plan_of(row: Mapping[str, Any]) -> Plan:
    return plan(changed_state(row), accepted=tuple(row.get("accepted", ())), **row.get("settings", {}))


def _assert_each(parts: list[str], texts: list[str]) -> None:
    """`texts` are as many as `parts`, and each has its part."""
    assert [part for part, text in zip(parts, texts, strict=True) if part not in text] == [], texts


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "refused" not in row])
def test_a_changed_state_is_adopted_or_has_its_problems(name: str) -> None:
    row, found = ROWS[name], plan_of(ROWS[name])
    _assert_each(row.get("problems", []), found.problems)
    for resource, expected in row.get("changes", {}).items():
        rows = {change.property: [change.old, change.new] for change in adopted(found, resource).changes}
        assert {key: rows.get(key) for key in expected or rows} == expected
    assert {key: proposed(found).get(key) for key in row.get("proposes", {})} == row.get("proposes", {})
    assert not {*row.get("no settings", ())} & found.settings.keys()
    for part in row.get("notes", ()):
        assert [note for note in found.notes if part in note], found.notes
    for part in row.get("no notes", ()):
        assert not [note for note in found.notes if part in note]
    section = files.section(found.adopted)
    assert {key: section["import"].get(key) for key in row.get("adopts", {})} == row.get("adopts", {})
    assert row.get("keeps", {}).items() <= section["keep"].items()
    assert {*row.get("new", ())} <= {wanted.name for wanted in found.pairing.new}
    left = {actual.address: advice for actual, advice in found.left}
    for address, part in row.get("left", {}).items():
        assert part in left[address]
        assert (address in found.to_forget) is not left[address].endswith("keep it")
    assert row.get("task", {}).items() <= results(found).items(), results(found)
    assert not {*row.get("no task", ())} & results(found).keys()
    assert [part for part in row.get("table", ()) if part not in report.describe(found)] == []


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "refused" in row])
def test_a_state_that_cannot_be_adopted_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises((AnatomyError, pulumi.RunError)) as refused:
        plan_of(ROWS[name])
    assert re.search(ROWS[name]["refused"], str(refused.value))


@pytest.mark.parametrize("row", table(__file__, "hosts"), ids=lambda row: row["proposes"]["vcsKind"])
def test_the_settings_of_a_server_for_another_host_are_proposed(row: Mapping[str, Any]) -> None:
    found = plan_of(row)
    keys = ("vcsKind", "vcsHost", "vcsUser", "vcsTokenSecretName", "webhookSecretName", "githubHostname")
    proposals = {key: value for key, value in proposed(found).items() if key in keys}
    same = {"vcsUser": "bot", "vcsTokenSecretName": "ci/host", "webhookSecretName": "ci/hook"}
    assert (proposals, found.problems) == (same | row["proposes"], [])
    parts = ("_USER", "_TOKEN", "_WEBHOOK", "HOSTNAME", "BASE_URL")
    assert {item.result for item in found.task if any(part in item.name for part in parts)} == {KEPT}


def _problems(state: State, settings: dict[str, Any], accepted: tuple[str, ...]) -> list[str]:
    try:
        return plan(state, accepted=accepted, **settings).problems
    except AnatomyError as refused:
        return [str(refused)]


def _apply(problem: str, state: State, settings: dict[str, Any]) -> tuple[str, ...]:
    """Do what the message says; the parts whose loss it accepts."""
    settings |= dict(_SETTING.findall(problem))
    for name in re.findall(r"Remove atlantis:(\w+)", problem):
        settings.pop(name, None)
    for text, remedy in REMEDIES.items():
        if text in problem:
            change(state, remedy)
            settings |= remedy.get("settings", {})
            if "settings" in remedy:
                return ()
    return tuple(name for names in re.findall(r'ACCEPT_LOST="([^"]*)"', problem) for name in names.split())


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "remedied" in row])
def test_what_the_messages_name_leads_to_an_adoption(name: str) -> None:
    state, settings = changed_state(ROWS[name]), dict(ROWS[name].get("settings", {}))
    accepted: tuple[str, ...] = ()
    found = _problems(state, settings, accepted)
    assert found
    for _ in range(4):
        before = found
        for problem in before:
            accepted += _apply(problem, state, settings)
        found = _problems(state, settings, accepted)
        assert not set(found) & set(before), "a remedy didn't help"
        if not found:
            return
    pytest.fail(f"still refused: {found}")
