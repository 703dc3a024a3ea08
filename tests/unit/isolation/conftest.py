"""The containers of a task, where this machine can separate users; elsewhere the tests are skipped, and say so."""

from collections.abc import Iterator

import pytest

from tests.unit.isolation.containers import Containers, can_separate


@pytest.fixture
def containers() -> Iterator[Containers]:
    if not can_separate():
        pytest.skip("needs root, mount namespaces and stunnel, to run commands as other users")
    with Containers("--grace", "2") as made:
        yield made
