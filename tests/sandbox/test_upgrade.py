"""A stack that an earlier version deployed: the program as it stands upgrades it, and replaces nothing."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.harness import Ground

RECORDED = sorted((Path(__file__).parent / "upgrades").glob("*.json.gz"))
"""States of the local stack, each named after the commit that deployed it; generated values are overwritten."""
OF_THE_SANDBOX = {
    "hosted zone Z0123456789ABCDEFGHIJ": "Z7391Z2FL7IF5A",
    "state key arn:aws:kms:ap-northeast-2:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9": "6b2c1576-e50d-4509-8d8e-7bd4086be42e",
}
"""The substitutes whose ids were generated in the sandbox of the recorded state."""


def previewed(ground: Ground, state: str, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What a preview plans on a recorded state, in a separate sandbox."""
    sandbox = ground.sandbox(pack=None)
    sandbox._start()
    substitutes = json.loads((ground.state / "existing-resources.json").read_text(encoding="utf-8"))
    for of, generated in OF_THE_SANDBOX.items():
        assert generated in state
        state = state.replace(generated, substitutes[of])
    document = json.loads(state)
    salt = yaml.safe_load(sandbox.workspace.stack_file(ground.stack).read_text(encoding="utf-8"))["encryptionsalt"]
    document["deployment"]["secrets_providers"] = {"type": "passphrase", "state": {"salt": salt}}
    file = ground.base / "state.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    sandbox._stack.ask("stack", "import", "--file", str(file))
    capfd.readouterr()
    sandbox._stack.run("preview", "--json", lock=None)
    return json.loads(capfd.readouterr().out)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.name.split(".")[0])
def test_a_stack_of_an_earlier_version_upgrades_without_a_replacement(
    recorded: Path, ground: Ground, capfd: pytest.CaptureFixture[str]
):
    state = gzip.decompress(recorded.read_bytes()).decode()
    existing = {resource["urn"].rsplit("::", 1)[-1] for resource in json.loads(state)["deployment"]["resources"]}

    planned = previewed(ground, state, capfd)

    # ECS has no change of a task definition, only another revision.
    replaced = {step["urn"].rsplit("::", 1)[-1] for step in planned["steps"] if "replace" in step["op"]}
    assert replaced <= {"compute-task"}
    assert set(planned["changeSummary"]) <= {"same", "update", "create", "replace"}
    created = {step["urn"].rsplit("::", 1)[-1] for step in planned["steps"] if step["op"] == "create"}
    assert created & existing == set()
    assert "atlantis" in created
    assert planned["changeSummary"]["same"] > len(existing) / 2
