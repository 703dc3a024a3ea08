"""Two environments in one account and region. `test_several_places` has one environment in two regions."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sandbox.sandbox import Sandbox
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.harness import Scratch, last_changes

COMMON: dict[str, Any] = {
    "atlantis:url": "https://atlantis.example.com",
    "atlantis:allowedCidrBlocks": ["203.0.113.0/24"],
    "atlantis:hostedZoneId": "Z0123456789ABCDEFGHIJ",
    "atlantis:repoAllowlist": "github.com/example-organization/*",
    "atlantis:secretReaderArns": ["arn:aws:iam::123456789012:role/deployer"],
    "atlantis:managedNamePrefixes": ["app-"],
    "atlantis:deletionProtection": False,
}
STACKS: dict[str, dict[str, Any]] = {
    "prod": {},
    "dev": {"atlantis:repositoryName": "atlantis-dev", "atlantis:url": "https://dev.example.com"},
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sandbox]]:
    """The stacks of this repository's program, deployed into one local AWS."""
    program = tmp_path_factory.mktemp("program")
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(CHECKOUT / name, program)
    (program / "components").symlink_to(CHECKOUT / "components")
    scratch = Scratch(tmp_path_factory.mktemp("account"), "two")
    made = {}
    for stack, own in STACKS.items():
        (program / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": COMMON | own}), encoding="utf-8")
        made[stack] = Sandbox(
            stack, state=scratch.state, program=program, settings=own, policy_pack=None, run_atlantis=False
        )
        made[stack].up()
    yield made
    scratch.stop()


def identities(sandbox: Sandbox) -> set[tuple[str, str]]:
    """Type and ARN of each resource; region and ID of one without an ARN."""
    return {
        (item["type"], item["outputs"].get("arn") or f"{item['outputs'].get('region')} {item['id']}")
        for item in sandbox.resources()
        if item.get("custom") and item["type"].startswith("aws:")
    }


def test_two_stacks_of_one_account_share_no_resource(stacks: dict[str, Sandbox]) -> None:
    dev, prod = (identities(stacks[stack]) for stack in ("dev", "prod"))
    assert not dev & prod
    assert len(dev) == len(prod)
    roles = {name for type_, name in dev | prod if type_ == "aws:iam/role:Role"}
    found = {role["Arn"] for role in stacks["prod"].aws.client("iam").list_roles()["Roles"]}
    assert roles <= found


def test_the_others_change_nothing_of_the_first(stacks: dict[str, Sandbox]) -> None:
    before = last_changes(stacks["prod"])
    stacks["prod"].refresh()
    stacks["prod"].preview(expect_no_changes=True)
    assert last_changes(stacks["prod"]).keys() == before.keys()


def test_one_is_destroyed_while_the_others_stay(stacks: dict[str, Sandbox]) -> None:
    dev, prod = stacks["dev"], stacks["prod"]
    dev.down()
    assert [item["type"] for item in dev.resources() if item["type"].startswith("aws:")] == []
    prod.refresh()
    prod.preview(expect_no_changes=True)
