"""Several stacks in one account: two environments in one region, and one environment in two regions."""

import shutil
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml

from sandbox.sandbox import Sandbox
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.harness import Scratch, last_changes

REGION, OTHER_REGION = "ap-northeast-2", "us-east-1"
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
    "prod-us": {
        "aws:region": OTHER_REGION,
        "atlantis:environment": "prod",
        "atlantis:regionalIamNames": True,
        "atlantis:url": "https://us.example.com",
    },
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sandbox]]:
    """The three stacks of this repository's program, deployed into one local AWS."""
    program = tmp_path_factory.mktemp("program")
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(CHECKOUT / name, program)
    (program / "components").symlink_to(CHECKOUT / "components")
    scratch = Scratch(tmp_path_factory.mktemp("account"), "three")
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


def test_three_stacks_of_one_account_share_no_resource(stacks: dict[str, Sandbox]) -> None:
    for one, other in combinations(stacks, 2):
        assert identities(stacks[one]) & identities(stacks[other]) == set()
    counts = {stack: len(identities(sandbox)) for stack, sandbox in stacks.items()}
    assert len(set(counts.values())) == 1, counts
    roles = {name for sandbox in stacks.values() for type_, name in identities(sandbox) if type_ == "aws:iam/role:Role"}
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
