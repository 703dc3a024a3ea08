"""The stack's shapes under the official AWS provider: converted from the engine's state, applied on a local AWS, planned again.

The provider must accept every argument, and the references must have no cycle. Each day, another shape is applied, and its second plan
must change nothing. Where the local AWS answers less than AWS does,
`sandbox/testbed/local_aws/completed_*.py` complete it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.conversion import configuration
from sandbox.conformance.elsewhere import applied
from sandbox.conformance.terraform import Terraform
from sandbox.sandbox import Sandbox
from sandbox.testbed import terraform_provider
from tests.needs import needs_provider
from tests.sandbox.existing_parts import PRIVATE, SHARED
from tests.sandbox.harness import WEB_ACL, Scratch

PROVIDER = terraform_provider.find(everywhere=True)
pytestmark = needs_provider(everywhere=True)

EVERYTHING = {
    "pack": None,
    "lockingDatabase": "redis",
    "ipAddressType": "dualstack",
    "webAclArn": WEB_ACL,
}
SHAPES: Mapping[str, tuple[str, dict[str, Any], int]] = {
    "everything on": ("prod", EVERYTHING, 80),
    "new VPC": ("local", {}, 80),
    "existing parts": ("local", SHARED, 60),
    "no load balancer": ("local", PRIVATE, 60),
}
"""Stack file, settings, and a number of resources that the stack has more than."""
ALL = os.environ.get("CONFORMANCE") == "all"
OF_TODAY = list(SHAPES)[date.today().toordinal() % len(SHAPES)]
"""The shape that is applied. `make conformance` applies all."""


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def deployed(shape: str, tmp_path: Path) -> Iterator[Sandbox]:
    stack, settings, _ = SHAPES[shape]
    scratch = Scratch(tmp_path / "engine", stack)
    yield scratch.deployed(**settings)
    scratch.stop()


def test_the_provider_accepts_the_stack_and_its_second_plan_changes_nothing(
    deployed: Sandbox, shape: str, tmp_path: Path
) -> None:
    assert PROVIDER
    terraform = Terraform(tmp_path / "terraform", PROVIDER, deployed.aws)
    converted = configuration(deployed.resources(), terraform.schema())
    assert sum(map(len, converted.values())) > SHAPES[shape][2]
    terraform.configure(converted)
    terraform.validate()
    if ALL or shape == OF_TODAY:
        with applied(deployed, PROVIDER, tmp_path / "elsewhere") as (elsewhere, _):
            assert [difference for change in elsewhere.plan() for difference in _differences(change)] == []


def _differences(change: Mapping[str, Any]) -> Iterator[str]:
    """Each attribute that would change, with both values; the actions where none can be named."""
    before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    for name in names or ["/".join(change["change"]["actions"])]:
        yield f"{change['address']} {name}: {before.get(name)!r} -> {after.get(name)!r}"
