"""Writes a least-privilege role's policies as JSON, as a Pulumi program in Python, and as Terraform."""

import json
import pprint
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.repository_rehearsal.least_privilege_role import Statement
from sandbox.testbed.files import write_private


def write(
    directory: Path, name: str, policies: Mapping[str, Mapping[str, Any]], reasons: Sequence[Statement]
) -> list[Path]:
    """Write ``policies`` below ``directory`` in the three forms, with the reason of each wildcard, and return the files."""
    notes = [
        f"Rehearsed{number}: {', '.join(statement.resources)}: {statement.reason}"
        for number, statement in enumerate(reasons, 1)
        if statement.reason
    ]
    forms = {
        f"{name}.json": json.dumps(policies, indent=2) + "\n",
        f"{name}.reasons.txt": "\n".join(notes) + "\n",
        f"{name}.py": _pulumi(policies, notes),
        f"{name}.tf": _terraform(policies, notes),
    }
    for file, text in forms.items():
        write_private(directory / file, text, mode=0o644)
    return [directory / file for file in forms]


def _pulumi(policies: Mapping[str, Mapping[str, Any]], notes: Sequence[str]) -> str:
    lines = [
        '"""The least-privilege role of a rehearsed repository."""',
        "",
        "import json",
        "",
        "import pulumi_aws as aws",
        "",
    ]
    lines += [f"# {note}" for note in notes]
    for name, document in policies.items():
        text = pprint.pformat(document, width=110, sort_dicts=False)
        lines += ["", f'aws.iam.Policy("{name}", policy=json.dumps({text}))']
    return "\n".join(lines) + "\n"


def _terraform(policies: Mapping[str, Mapping[str, Any]], notes: Sequence[str]) -> str:
    lines = ["# The least-privilege role of a rehearsed repository.", *(f"# {note}" for note in notes)]
    for name, document in policies.items():
        # JSON is an expression of Terraform's language, in which only ${ and %{ have another meaning.
        text = json.dumps(document, indent=2).replace("${", "$${").replace("%{", "%%{")
        lines += [
            "",
            f'resource "aws_iam_policy" "{name}" {{',
            f'  name   = "{name}"',
            f"  policy = jsonencode({text})",
            "}",
        ]
    return "\n".join(lines) + "\n"
