"""A stack that an earlier version deployed: the program as it stands upgrades it, and replaces nothing."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.harness import Scratch

RECORDED = Path(__file__).parent / "upgrades"
"""States of the local stack, each named after the commit that deployed it; generated values are overwritten."""
OF_THE_SANDBOX = {
    "hosted zone Z0123456789ABCDEFGHIJ": "Z7391Z2FL7IF5A",
    "state key arn:aws:kms:ap-northeast-2:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9": "6b2c1576-e50d-4509-8d8e-7bd4086be42e",
}
"""The substitutes whose ids were generated in the sandbox of the recorded state."""


def previewed(scratch: Scratch, state: str, settings: Any, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What a preview plans on a recorded state, in a separate sandbox."""
    sandbox = scratch.sandbox(pack=None, **settings)
    sandbox._start()
    substitutes = json.loads((scratch.state / "existing-resources.json").read_text(encoding="utf-8"))
    for of, generated in OF_THE_SANDBOX.items():
        assert generated in state
        state = state.replace(generated, substitutes[of])
    document = json.loads(state)
    salt = yaml.safe_load(sandbox.workspace.stack_file(scratch.stack).read_text(encoding="utf-8"))["encryptionsalt"]
    document["deployment"]["secrets_providers"] = {"type": "passphrase", "state": {"salt": salt}}
    file = scratch.base / "state.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    sandbox._stack.ask("stack", "import", "--file", str(file))
    capfd.readouterr()
    sandbox._stack.run("preview", "--json", lock=None)
    return json.loads(capfd.readouterr().out)


@pytest.mark.parametrize(
    ("commit", "settings", "changed"),
    [
        ("bffaefc", {}, ({"atlantis"}, set())),
        # The last version that ran Terraform in containers of the server's task, whose role now has no rights left to deny.
        (
            "151057a",
            {"terraformIsolation": "tasks"},
            ({"compute-plan-service", "compute-apply-service"}, {"permissions-task-own-stack-attachment"}),
        ),
    ],
)
def test_a_stack_of_an_earlier_version_upgrades_without_a_replacement(
    commit: str,
    settings: dict[str, str],
    changed: tuple[set[str], set[str]],
    scratch: Scratch,
    capfd: pytest.CaptureFixture[str],
):
    """``changed``: some of what is created, and all that is deleted."""
    state = gzip.decompress((RECORDED / f"{commit}.json.gz").read_bytes()).decode()
    existing = {resource["urn"].rsplit("::", 1)[-1] for resource in json.loads(state)["deployment"]["resources"]}

    planned = previewed(scratch, state, settings, capfd)

    named: dict[str, set[str]] = {}
    for step in planned["steps"]:
        named.setdefault(step["op"], set()).add(step["urn"].rsplit("::", 1)[-1])
    # ECS has no change of a task definition, only another revision.
    assert {name for op, names in named.items() if "replace" in op for name in names} <= {"compute-task"}
    assert set(planned["changeSummary"]) <= {"same", "update", "create", "replace", "delete"}
    assert named.get("delete", set()) == changed[1]
    assert changed[0] <= named["create"]
    assert not named["create"] & existing
    assert planned["changeSummary"]["same"] > len(existing) / 2
