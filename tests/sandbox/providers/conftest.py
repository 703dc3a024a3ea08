"""One local AWS and one stand-in for all tests of the stand-ins."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.testbed import local_aws
from sandbox.testbed.engine import installation, plugins
from sandbox.testbed.local_aws import LocalAws
from tests.sandbox import objects as made
from tests.sandbox.providers.examples import Ids
from tests.sandbox.providers.plugin import Plugin

Start = Callable[..., Plugin]


@pytest.fixture(scope="session")
def provider_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State directory of the stand-ins and the local AWS."""
    return tmp_path_factory.mktemp("providers")


@pytest.fixture(scope="session")
def aws(provider_state: Path) -> Iterator[LocalAws]:
    """The local AWS."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    running = local_aws.start(provider_state, environment)
    yield running
    local_aws.stop(provider_state)


@pytest.fixture(scope="session")
def objects(aws: LocalAws) -> Ids:
    """Objects that the examples refer to."""
    ids = {"bucket": "atlantis-objects", "other_bucket": "atlantis-other-objects"}
    ids |= {"scaled": "service/objects/scaled", "log_group": "/objects"}
    made.make(aws.client, Path(__file__).with_name("objects.yaml"), ids)
    for name in ("load_balancer", "other_load_balancer"):
        ids[f"{name}_suffix"] = ids[name].partition("loadbalancer/")[2]
    return ids


def settings(endpoint: str, **more: object) -> dict[str, object]:
    """The provider's settings as the engine hands them over."""
    return {
        "region": "ap-northeast-2",
        "accessKey": "test",
        "secretKey": "test",
        "skipCredentialsValidation": "true",
        "skipMetadataApiCheck": "true",
        "s3UsePathStyle": "true",
        "endpoints": json.dumps([dict.fromkeys(local_aws.SERVICES, endpoint)]),
        **more,
    }


@pytest.fixture
def start(provider_state: Path, aws: LocalAws) -> Iterator[Start]:
    """Starts a separate aws stand-in; all end after the test."""
    started: list[Plugin] = []

    def begin(endpoint: str | None = None, *, state: Path = provider_state, **more: Any) -> Plugin:
        plugin = Plugin("aws", state)
        started.append(plugin)
        plugin.configure(settings(endpoint or aws.endpoint, **more))
        return plugin

    yield begin
    for plugin in started:
        plugin.stop()


@pytest.fixture(scope="session")
def plugin(provider_state: Path, aws: LocalAws) -> Iterator[Plugin]:
    """The aws plugin that most tests share."""
    plugins.download_official(installation.locate().executable)
    shared = Plugin("aws", provider_state)
    shared.configure(settings(aws.endpoint))
    yield shared
    shared.stop()
