"""The stand-ins' table: each type has an example, and an inventory lists each."""

import pytest

from sandbox.testbed.providers.aws import table
from tests.sandbox.providers.examples import EXAMPLES
from tests.tables import table as yaml_table


@pytest.mark.parametrize("token", sorted(table.RESOURCES.keys() | EXAMPLES.keys()))
def test_a_type_has_an_entry_and_an_example(token: str) -> None:
    assert (token in table.RESOURCES, token in EXAMPLES) == (True, True)


PARTS = set(yaml_table(__file__, "parts"))


def test_an_inventory_lists_every_type_but_parts_of_others() -> None:
    unlisted = {token for token, entry in table.RESOURCES.items() if entry.listing is None}
    assert {token for token in unlisted if not token.startswith("aws:s3/bucket")} == PARTS
    assert "aws:s3/bucket:Bucket" not in unlisted
