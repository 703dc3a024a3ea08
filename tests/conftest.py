"""Records the skipped tests of every run."""

from tests.needs import pytest_runtest_logreport

__all__ = ["pytest_runtest_logreport"]
