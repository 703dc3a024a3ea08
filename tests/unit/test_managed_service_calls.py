"""What the official Terraform provider asked of IAM for a small service, recorded in the sandbox, is allowed to the task role.

`recorded/managed_service.json` has each question of a plan, apply, change and destroy of sandbox/samples/fileflow once, those about the
state apart. Record it anew from `local-aws/iam-decisions.jsonl` of a sandbox when the sample changes:
`python -m tests.unit.test_managed_service_calls FILE`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from tests.needs import iam_evaluator
from tests.unit.recording import ACCOUNT
from tests.unit.stacks import BOUNDARY, PRODUCTION, stack

RECORDED = Path(__file__).parent / "recorded" / "managed_service.json"
OF_THE_STATE = ("dynamodb:", "kms:", "s3:")


def test_task_role_allows_what_the_provider_asks_for() -> None:
    graph = stack(**PRODUCTION, permissionsBoundaryArn=BOUNDARY)
    policies = {
        item.name: item.decoded["policy"]
        for item in graph.resources
        if item.type == "aws:iam/policy:Policy" and item.name.startswith("permissions-task-")
    }
    task = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis-ecs-task-prod/task", policies)
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert len({asked["action"] for asked in recorded}) > 60
    iam_evaluator()
    with Evaluator() as evaluator:
        denied = [
            (asked["action"], asked["resource"], decision.result, decision.denied_by)
            for asked in recorded
            if not (decision := evaluator.decide(task, asked["action"], asked["resource"], asked["keys"])).allowed
        ]
    assert denied == []


def _record(decisions: Path) -> None:
    found: dict[str, dict[str, Any]] = {}
    for line in decisions.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if ":assumed-role/atlantis-ecs-task-local/" not in item["principal"] or item["action"].startswith(OF_THE_STATE):
            continue
        keys = {
            key: BOUNDARY if key == "iam:PermissionsBoundary" else value
            for key, value in item["keys"].items()
            if not key.startswith("aws:Source")
        }
        asked = {"action": item["action"], "resource": item["resource"], "keys": keys}
        found.setdefault(json.dumps([asked["action"], sorted(keys)]), asked)
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(
        json.dumps(sorted(found.values(), key=lambda asked: asked["action"]), indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    _record(Path(sys.argv[1]))
