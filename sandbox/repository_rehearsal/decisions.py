"""What IAM decided during one step of a rehearsal: the new lines of the local AWS' logs."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.testbed.iam_evaluation.trial_policies import OF_THE_SERVER

_DECISIONS, _UNSUPPORTED = "iam-decisions.jsonl", "unsupported-calls.jsonl"


@dataclass(frozen=True)
class Call:
    """One authorization that IAM decided on.

    Attributes:
        result: the decision by the role's own policies; ``Undecided`` if the evaluator doesn't know the action.
        by: ``policy: Sid`` of the statements that led to ``result``.
        tried: the decision by the policies that are tried, or an empty string.
        role: the name of the role whose session made the call.
        unsupplied: condition keys in the denying policies that the sandbox doesn't supply.
    """

    action: str
    resource: str
    keys: dict[str, Any] = field(hash=False)
    result: str
    by: tuple[str, ...]
    tried: str
    role: str = ""
    unsupplied: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the call was denied when it was made."""
        return (self.tried or self.result) not in ("Allowed", "Undecided")


class DecisionLog:
    """Reads the logs of the local AWS in ``directory`` from the moment of its creation on; ``roles`` are names."""

    def __init__(self, directory: Path, roles: Collection[str]) -> None:
        self._roles = frozenset(roles)
        self._files = {name: directory / name for name in (_DECISIONS, _UNSUPPORTED)}
        self._offsets = {name: file.stat().st_size if file.exists() else 0 for name, file in self._files.items()}

    def calls(self) -> list[Call]:
        """The decisions on sessions of the roles since the last call, in order."""
        return [
            Call(
                line["action"],
                line["resource"],
                line["keys"],
                line["result"],
                tuple(line["allowed_by"] if line["result"] == "Allowed" else line["denied_by"]),
                line.get("tried", ""),
                _role(line["principal"]),
                tuple(line.get("unsupplied_keys", ())),
            )
            for line in self._new(_DECISIONS)
            if _role(line["principal"]) in self._roles and line["action"] not in OF_THE_SERVER
        ]

    def unsupported(self) -> list[str]:
        """The actions since the last call that IAM allowed and the local AWS doesn't support."""
        return list(dict.fromkeys(line["action"] for line in self._new(_UNSUPPORTED)))

    def _new(self, name: str) -> Iterable[dict[str, Any]]:
        if not self._files[name].exists():
            return []
        with self._files[name].open("rb") as stream:
            stream.seek(self._offsets[name])
            whole = stream.read().rpartition(b"\n")[0]
        self._offsets[name] += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines()]


def _role(principal: str) -> str:
    """The role's name in the ARN of its session."""
    return principal.partition(":assumed-role/")[2].partition("/")[0]


def distinct(calls: Iterable[Call]) -> list[Call]:
    """Each action on each resource once, with the last decision on it."""
    return list({(call.action, call.resource): call for call in calls}.values())
