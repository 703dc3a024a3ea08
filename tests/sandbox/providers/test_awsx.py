"""The stand-in for `awsx.ec2.Vpc`: its layout of subnets, its children, and what it refuses.

That it works under the real engine is shown by the stack's own tests, whose local stack makes its VPC with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.testbed.providers.awsx.layout import check, layout
from tests.sandbox.providers.plugin import ROOT
from tests.tables import table

PUBLIC_THEN_PRIVATE = [{"type": "Public"}, {"type": "Private"}]
ASKED = {
    "cidrBlock": "10.0.0.0/16",
    "numberOfAvailabilityZones": 2,
    "enableDnsHostnames": True,
    "natGateways": {"strategy": "Single"},
    "subnetStrategy": "Auto",
    "subnetSpecs": PUBLIC_THEN_PRIVATE,
}
"""What the program asks for."""


@pytest.mark.parametrize(("cidr_block", "zones", "types", "expected"), table(__file__, "layouts"))
def test_lays_subnets_out_as_awsx_does(
    *, cidr_block: str, zones: list[str], types: list[str], expected: dict[str, str]
) -> None:
    assert {subnet.name: subnet.cidr_block for subnet in layout("v", cidr_block, zones, types)} == expected


@pytest.mark.parametrize(("change", "path"), table(__file__, "refused"))
def test_refuses(*, change: dict[str, Any], path: str) -> None:
    assert [found for found, _ in check({**ASKED, **change})] == [path]


def test_accepts_what_the_program_asks_for() -> None:
    assert list(check(ASKED)) == []


def _children(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the component registers, in a separate process because the SDK's mocks are global."""
    command = [sys.executable, "-m", "tests.sandbox.providers.awsx_children", json.dumps(inputs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_makes_the_children_that_awsx_makes() -> None:
    seen = _children({**ASKED, "tags": {"Name": "atlantis", "team": "platform"}})
    made = {(kind.rpartition(":")[2], name): inputs for kind, name, inputs in seen["made"]}
    subnets = ["v-private-1", "v-private-2", "v-public-1", "v-public-2"]
    expected = {("Vpc", "v"), ("InternetGateway", "v"), ("Eip", "v-1"), ("NatGateway", "v-1")}
    for kind in ("Subnet", "RouteTable", "RouteTableAssociation", "Route"):
        expected |= {(kind, name) for name in subnets}
    assert made.keys() == expected
    assert seen["private"] == ["v-private-1-id", "v-private-2-id"]
    assert made["Vpc", "v"]["enableDnsHostnames"] is True
    assert made["Vpc", "v"]["tags"] == {"Name": "atlantis", "team": "platform"}
    assert made["Subnet", "v-public-2"] == {
        "vpcId": "v-id",
        "availabilityZone": "b",
        "cidrBlock": "10.0.128.0/18",
        "mapPublicIpOnLaunch": True,
        "assignIpv6AddressOnCreation": False,
        "tags": {"Name": "v-public-2", "SubnetType": "Public", "team": "platform"},
    }
    assert made["Route", "v-public-1"]["gatewayId"] == "v-id"
    assert {made["Route", name]["natGatewayId"] for name in ("v-private-1", "v-private-2")} == {"v-1-id"}
    assert made["NatGateway", "v-1"]["allocationId"] == "v-1-id"
    assert made["NatGateway", "v-1"]["subnetId"] == "v-public-1-id"
