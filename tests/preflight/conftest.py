"""A local AWS for the preflight's tests, emptied and prepared anew for each."""

import os
from collections.abc import Iterator

import pytest
import urllib3

from sandbox.testbed import local_aws
from tests.preflight.account import Account, prepare


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_aws.LocalAws]:
    state = tmp_path_factory.mktemp("preflight")
    yield local_aws.start(state, {"PATH": os.environ["PATH"], "HOME": str(state)})
    local_aws.stop(state)


@pytest.fixture
def account(aws: local_aws.LocalAws, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account in which every check passes."""
    assert urllib3.request("POST", f"{aws.endpoint}/_ministack/reset").status == 200
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return prepare(aws)
