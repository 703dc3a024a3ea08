"""Checks whether the stack is already deployed: importing other resources would replace its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from adoption.plan import Plan

SECONDS = 60


def problems(plan: Plan, project: Path) -> list[str]:
    """Resources of the deployed stack that conflict with the adoption; empty without the CLI or without a stack."""
    if shutil.which("pulumi") is None:
        return []
    answer = subprocess.run(
        ["pulumi", "stack", "export", "--stack", plan.stack, "--non-interactive"],
        cwd=project,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if answer.returncode != 0:
        # The CLI isn't logged in, or the stack doesn't exist yet, as is usual before an adoption.
        *_, last = ["no answer", *answer.stderr.strip().splitlines()]
        plan.notes.append(f"The engine knows no deployed stack {plan.stack}: {last}")
        return []
    resources = json.loads(answer.stdout).get("deployment", {}).get("resources") or []
    return list(in_the_way(plan, resources))


def in_the_way(plan: Plan, resources: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A problem for each resource of a deployed stack whose ID isn't that of the resource to adopt."""
    known = {
        (resource["type"], resource["urn"].rpartition("::")[2]): {resource.get("id"), resource.get("importID")}
        for resource in resources
    }
    for adopted in plan.adopted:
        pair = adopted.pair
        ids = known.get((pair.wanted.type, pair.wanted.name))
        if ids and not ids & {pair.import_id, pair.actual.id, pair.actual.get("arn")}:
            mine = next(iter(ids - {None}), "?")
            yield (
                f"The stack {plan.stack} is deployed already: its {pair.wanted.name} is {mine}, and importing {pair.import_id} would "
                f"replace it. Adopt with a stack that was never deployed, or destroy this one first"
            )
