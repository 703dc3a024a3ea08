"""Nothing is made twice and nothing is lost when a run is cut off or AWS fails half-way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2
from pulumi.runtime.proto.provider_pb2 import DiffResponse

from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.values import Properties, decode
from tests.sandbox.faulty_aws import FaultyAws
from tests.sandbox.providers.conftest import Start
from tests.sandbox.providers.examples import EXAMPLES, Ids
from tests.sandbox.providers.plugin import ROOT, Plugin, urn

EVERYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
VPC, KEY, TASK = "aws:ec2/vpc:Vpc", "aws:kms/key:Key", "aws:ecs/taskDefinition:TaskDefinition"


def _vpc(plugin: Plugin, name: str, cidr: str) -> Properties:
    return plugin.check(name, {"cidrBlock": cidr, "tags": {"Name": name}}).inputs


def _vpcs(aws: LocalAws, name: str) -> list[str]:
    found = aws.client("ec2").describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [name]}])["Vpcs"]
    return [vpc["VpcId"] for vpc in found]


def test_adopts_what_a_killed_run_made(start: Start, aws: LocalAws) -> None:
    name = urn(VPC, "killed")
    first = start()
    made = first.create(name, _vpc(first, name, "10.20.0.0/16"))
    first.process.kill()  # and the engine with it: its state does not have the VPC
    second = start()
    again = second.create(name, {**_vpc(second, name, "10.20.0.0/16"), "enableDnsHostnames": True})
    assert again.id == made.id
    assert again.outputs["enableDnsHostnames"] is True
    assert _vpcs(aws, name) == [made.id]


def test_removes_what_a_killed_run_made_otherwise(start: Start, aws: LocalAws) -> None:
    name = urn(VPC, "otherwise")
    first = start()
    made = first.create(name, _vpc(first, name, "10.21.0.0/16"))
    second = start()
    again = second.create(name, _vpc(second, name, "10.22.0.0/16"))
    assert again.id != made.id
    assert _vpcs(aws, name) == [again.id]


def test_a_replacement_is_not_taken_for_what_it_replaces(plugin: Plugin, aws: LocalAws) -> None:
    name = urn(VPC, "replaced")
    old = _vpc(plugin, name, "10.23.0.0/16")
    made = plugin.create(name, old)
    new = _vpc(plugin, name, "10.24.0.0/16")
    assert plugin.diff(name, made.id, made.outputs, old, new).replaces  # the engine knows the old one
    replacement = plugin.create(name, new)
    assert replacement.id != made.id
    assert sorted(_vpcs(aws, name)) == sorted([made.id, replacement.id])
    plugin.delete(name, made.id, made.outputs)
    # Cut off before the state was written: the new one is found again.
    assert plugin.create(name, new).id == replacement.id


def test_a_revision_is_not_registered_twice(plugin: Plugin, objects: Ids) -> None:
    name = urn(TASK, "twice")
    inputs = plugin.check(name, {**EXAMPLES[TASK].inputs(objects), "family": "twice"}).inputs
    made = plugin.create(name, inputs)
    plugin.read(name, made.id, inputs, made.outputs)  # confirmed
    changed = {**inputs, "memory": "3072"}
    second = plugin.create(name, changed)
    assert (made.outputs["revision"], second.outputs["revision"]) == (1, 2)
    plugin.diff(name, made.id, made.outputs, inputs, changed)  # of the old revision: says nothing of the new one
    assert plugin.create(name, changed).outputs["revision"] == 2


def test_what_is_gone_is_not_adopted(plugin: Plugin, aws: LocalAws) -> None:
    name = urn(VPC, "vanished")
    inputs = _vpc(plugin, name, "10.25.0.0/16")
    made = plugin.create(name, inputs)
    aws.client("ec2").delete_vpc(VpcId=made.id)
    assert plugin.create(name, inputs).id != made.id


def test_a_half_made_object_is_kept_and_repaired(start: Start, aws: LocalAws) -> None:
    name = urn(KEY, "half")
    with FaultyAws(aws.endpoint, share=0.0) as proxy:
        plugin = start(proxy.url, maxRetries=1)
        inputs = plugin.check(name, {"description": "half", "enableKeyRotation": True}).inputs
        made = _fail_after(proxy, 1, plugin, name, inputs)
        assert made.id
        assert made.reasons
        outputs, _ = decode(made.properties)
        assert outputs["description"] == "half"
        kms = aws.client("kms")
        assert not kms.get_key_rotation_status(KeyId=made.id)["KeyRotationEnabled"]

        proxy.share = 0.0
        assert plugin.diff(name, made.id, outputs, inputs, inputs).changes == DiffResponse.DIFF_NONE
        repaired = plugin.update(name, made.id, outputs, inputs, inputs)
        assert kms.get_key_rotation_status(KeyId=made.id)["KeyRotationEnabled"]
        assert repaired["arn"].endswith(made.id)
        plugin.delete(name, made.id, repaired)


def _fail_after(proxy: FaultyAws, calls: int, plugin: Plugin, name: str, inputs: Properties) -> Any:
    """Create while every call but the first `calls` fails; returns the half-made object."""
    passed = proxy.passed
    original = proxy.fault

    def fault() -> tuple[int, str, bytes] | None:
        proxy.share = 1.0 if proxy.passed >= passed + calls else 0.0
        return original()

    proxy.fault = fault
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(name, inputs)
    proxy.fault = original
    trailing: Any = error.value.trailing_metadata()  # pyright: ignore[reportAttributeAccessIssue]
    metadata = dict(trailing)
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return detail


def test_survives_throttling_and_server_faults(start: Start, aws: LocalAws, objects: Ids) -> None:
    with FaultyAws(aws.endpoint, share=0.25) as proxy:
        plugin = start(proxy.url)
        name = urn("aws:iam/role:Role", "throttled")
        inputs = plugin.check(name, {**EXAMPLES["aws:iam/role:Role"].inputs(objects), "name": "throttled"}).inputs
        made = plugin.create(name, inputs)
        assert plugin.read(name, made.id, inputs, made.outputs)[0] == made.id
        plugin.delete(name, made.id, made.outputs)
        assert proxy.failed > 0


def test_says_what_failed(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(urn("aws:iam/rolePolicy:RolePolicy", "x"), {"role": "nobody", "name": "x", "policy": EVERYTHING})
    details = str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
    assert "NoSuchEntity" in details
    assert "nobody" in details


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_quietly_on_a_signal(provider_state: Path, number: signal.Signals) -> None:
    plugin = Plugin("aws", provider_state)
    plugin.process.send_signal(number)
    assert plugin.process.wait(timeout=120) == 0
    assert plugin.process.stderr is not None
    assert plugin.process.stderr.read() == ""
    plugin.stop()


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "sandbox.testbed.providers", sys.argv[1], "127.0.0.1:1"], stdout=subprocess.PIPE)
print(child.pid, child.stdout.readline().decode(), flush=True)
time.sleep(600)
"""


def test_end_when_their_engine_is_killed() -> None:
    command = [sys.executable, "-c", PARENT, "aws,awsx,random"]
    engine = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    process = Path("/proc") / engine.stdout.readline().split()[0]
    assert process.exists()
    engine.kill()
    engine.wait()
    engine.stdout.close()
    deadline = time.monotonic() + 10
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not process.exists()
