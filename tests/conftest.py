"""Records the skipped tests of every run, and starts the IAM policy evaluator once for all tests that ask it."""

from collections.abc import Iterator

import pytest

from sandbox.testbed.iam_evaluation.evaluator import Evaluator
from tests.needs import iam_evaluator, pytest_runtest_logreport

__all__ = ["evaluator", "pytest_runtest_logreport"]


@pytest.fixture(scope="session")
def evaluator() -> Iterator[Evaluator]:
    iam_evaluator()
    with Evaluator() as started:
        yield started
