"""Settings of the unit tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # The SDK warns of its own superseded classes while it is imported.
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pulumi_aws")
