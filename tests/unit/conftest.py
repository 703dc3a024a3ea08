"""Settings and fixtures of the unit tests."""

import shutil

import pytest

from tests.needs import without


def pytest_configure(config: pytest.Config) -> None:
    # The SDK warns of its own superseded classes while it is imported.
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pulumi_aws")


@pytest.fixture(params=[["/bin/sh"], ["busybox", "sh"]], ids=["sh", "busybox"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    """The shells of both images."""
    program = shutil.which(request.param[0])
    if program is None:
        pytest.skip(without(request.param[0]))
    return [program, *request.param[1:]]
