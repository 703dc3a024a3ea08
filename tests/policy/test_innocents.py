"""Innocent stacks: no mandatory policy stops them, in the preview that creates them or once they are deployed."""

from collections import Counter

import pytest

from tables.stores import STORES
from tests.policy.innocents import CHECKS, MANDATORY, Innocent
from tests.policy.innocents_encryption import ENCRYPTION_INNOCENTS
from tests.policy.innocents_network import NETWORK_INNOCENTS

INNOCENTS = (*ENCRYPTION_INNOCENTS, *NETWORK_INNOCENTS)


@pytest.mark.parametrize("innocent", INNOCENTS, ids=lambda innocent: innocent.label.replace(" ", "-"))
def test_no_mandatory_policy_stops_an_innocent_stack(innocent: Innocent) -> None:
    assert [each.message for each in innocent.alarms()] == []


def test_every_mandatory_check_has_innocent_twins() -> None:
    twins = Counter(pair for innocent in INNOCENTS for pair in innocent.near)
    assert set(twins) <= CHECKS, "an innocent is near a check that no mandatory policy has"
    assert {pair for pair in CHECKS if not twins[pair]} == set(), "add an innocent twin beside the check"
    assert {policy for policy, _ in twins} == MANDATORY


def test_every_row_of_the_table_of_stores_has_an_innocent_twin() -> None:
    kinds = {each.type for innocent in ENCRYPTION_INNOCENTS for each in innocent.resources}
    assert {store.type for store in STORES} <= {kind.split(":")[1] for kind in kinds}


def test_innocents_are_many_and_distinct() -> None:
    assert sum(len(innocent.resources) for innocent in INNOCENTS) >= 150
    assert len({innocent.label for innocent in INNOCENTS}) == len(INNOCENTS)
