"""One process for several provider resources of the engine, each with a connection and separate settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.aws import table
from sandbox.testbed.providers.passwords import RandomPackage
from sandbox.testbed.providers.values import Properties
from tests.sandbox.providers.conftest import Start, settings
from tests.sandbox.providers.plugin import ROOT, Plugin, urn

GROUP = "aws:cloudwatch/logGroup:LogGroup"


def _region(plugin: Plugin) -> Properties:
    return plugin.invoke("aws:index/getRegion:getRegion", {})[0]["region"]


def test_each_connection_has_the_settings_that_it_was_configured_with(start: Start, aws: LocalAws) -> None:
    first = start()
    with first.connection() as second:
        second.configure(settings(aws.endpoint, region="us-east-1"))

        assert (_region(first), _region(second)) == ("ap-northeast-2", "us-east-1")
        made = [each.create(urn(GROUP, "each"), {"name": "each"}) for each in (first, second)]

    assert [group.outputs["arn"].split(":")[3] for group in made] == ["ap-northeast-2", "us-east-1"]


def test_a_connection_that_comes_back_finds_its_settings_where_there_is_no_choice(start: Start, aws: LocalAws) -> None:
    first = start()
    with first.connection() as again:
        assert _region(again) == "ap-northeast-2"
    with first.connection() as second:
        second.configure(settings(aws.endpoint, region="us-east-1"))
    with first.connection() as unknown, pytest.raises(grpc.RpcError, match="before it configured the provider"):
        unknown.create(urn(GROUP, "unknown"), {"name": "unknown"})


def test_providers_that_the_engine_attaches_to_end_with_their_lifeline(provider_state: Path) -> None:
    lifeline, held = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.testbed.providers", "aws,awsx,random", f"--lifeline={lifeline}"],
        cwd=ROOT,
        env={**os.environ, "ATLANTIS_SANDBOX_STATE": str(provider_state)},
        stdout=subprocess.PIPE,
        pass_fds=[lifeline],
    )
    os.close(lifeline)
    assert process.stdout is not None
    assert int(process.stdout.readline())
    assert process.poll() is None

    os.close(held)

    assert process.wait(10) == 0
    process.stdout.close()


def test_first_calls_that_come_together_find_every_schema_without_a_cache(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sandbox.providers.cold_schemas", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    rows = len({**table.RESOURCES, **table.FUNCTIONS})
    assert done.stdout.split() == [str(len(RandomPackage.resources)), str(rows), str(rows)]
    assert sorted(file.name.split("-")[1] for file in tmp_path.iterdir()) == ["aws", "random"]
