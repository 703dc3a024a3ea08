"""docs/aws.md, followed from a fresh clone with other ranges and a new stack name, up to its first preview."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.clone import Clone, clone

GUIDE = (CHECKOUT / "docs" / "aws.md").read_text(encoding="utf-8")
STACK, RANGE = "dev", "198.51.100.128/25"
REPLACED = {
    # Needs AWS or the network: the sandbox replaces the account, and the packages and plugins are installed.
    "pulumi login 's3": "pulumi login file://$BACKEND",
    "pulumi stack init dev": "pulumi stack init dev",
    "pulumi install && ": "true",
    "make preflight": "true",
    "pulumi preview --stack dev --policy-pack policy --policy-pack-config policy/config/dev.json": "make preview STACK=dev",
}
"""What a line of the guide is replaced with, by its beginning. Other lines run as they are."""


def _commands() -> list[str]:
    """The lines of the code blocks up to the first deployment, for the new stack."""
    before = GUIDE.split("## 3. ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", before, re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\bprod\b", STACK, line) for block in blocks for line in block.splitlines()]
    return [next((new for old, new in REPLACED.items() if line.startswith(old)), line) for line in lines]


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Clone]:
    made = clone(tmp_path, STACK)
    yield made
    made.scratch.stop()


def _configure(copied: Clone) -> None:
    """What the guide says in prose: copy the stack file, and replace the examples."""
    edit = f"sed -e '/203.0.113.0/d' -e 's|198.51.100.32/28|{RANGE}|' Pulumi.prod.yaml > Pulumi.{STACK}.yaml"
    assert copied.run(edit).returncode == 0


def test_the_guide_leads_to_a_preview_that_the_pack_passes(copied: Clone) -> None:
    _configure(copied)
    early = copied.run(f"make preview STACK={STACK}")
    assert early.returncode != 0
    assert "policy/config/dev.json doesn't exist" in early.stderr
    assert "Nothing was deployed. Fix: make policy-config STACK=dev" in early.stderr
    assert "Local AWS" not in early.stderr

    commands = _commands()
    assert commands[-1] == "make preview STACK=dev"
    preview = ""
    for command in commands:
        ran = copied.run(command)
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        preview = ran.stdout

    assert RANGE in copied.run(f"cat policy/config/{STACK}.json").stdout
    assert "to create" in preview
    assert "mandatory" not in preview


def test_every_deployment_of_the_guide_runs_the_pack() -> None:
    lines = re.findall(r"^pulumi (?:up|preview) .*$", GUIDE, re.MULTILINE)
    assert len(lines) >= 3
    pack = "--policy-pack policy --policy-pack-config policy/config/prod.json"
    assert [line for line in lines if pack not in line] == []
