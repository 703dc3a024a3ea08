"""Policies that are tried in place of a role's own: `make rehearse` writes them, the local AWS enforces them.

The local AWS still evaluates the role's own policies, for its log of decisions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.iam_evaluation.evaluator import Document

FILE = "trial-policies.json"
"""File in the local AWS' directory; without it, every role has its own policies."""

EVERYTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""Denies nothing, so that a run shows every call. Resource policies and boundaries still apply."""


OF_THE_SERVER = frozenset({"ecs:GetTaskProtection", "ecs:UpdateTaskProtection"})
"""Calls of the task itself, at any time, for which it always has its own policies."""


@dataclass(frozen=True)
class TrialPolicies:
    """The policies, by name, that are enforced for the sessions of each role, by the role's name."""

    roles: Mapping[str, Mapping[str, Document]]

    def write(self, directory: Path) -> None:
        """Enforce them from the next call on. ``directory`` is the local AWS'."""
        write_json(directory / FILE, self.roles)

    @staticmethod
    def remove(directory: Path) -> None:
        """Enforce the roles' own policies again."""
        (directory / FILE).unlink(missing_ok=True)

    @staticmethod
    def of_session(directory: Path, principal: str, action: str) -> Mapping[str, Document] | None:
        """The policies for a call of a role's session (its ARN), or None if the role has its own."""
        if action in OF_THE_SERVER:
            return None
        try:
            known = read_json(directory / FILE) or {}
        except json.JSONDecodeError as error:
            raise ValueError(f"{directory / FILE} isn't JSON; remove it") from error
        return next((policies for role, policies in known.items() if f":assumed-role/{role}/" in principal), None)
