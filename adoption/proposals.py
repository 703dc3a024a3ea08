"""The settings that must change in the stack file so that the program matches the running stack."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from adoption.anatomy import Anatomy
from adoption.proposal import DEFAULTS, Proposal
from adoption.running_settings import running_settings
from adoption.running_vcs import SETTINGS
from components.settings import SettingsError, parse


def propose(anatomy: Anatomy, given: Mapping[str, Any], stack: str) -> tuple[list[Proposal], list[str]]:
    """The settings to change, and a sentence for each difference that no setting covers.

    `given` contains the stack file's settings by key (without the namespace). A value that the settings don't accept is
    reported, not proposed.
    """
    notes: list[str] = []
    present = {**DEFAULTS, "environment": stack, **given}
    proposals = [
        proposal
        for proposal in (_with_given(found, given) for found in running_settings(anatomy, notes, given.get("vcsKind")))
        if not _equal(present[proposal.key], proposal.value) and (proposal.value is not None or proposal.key in given)
    ]
    while refused := _refused(proposals, given, stack, anatomy.region):
        dropped = {*refused, *(SETTINGS if refused.keys() & set(SETTINGS) else ())}
        proposals = [proposal for proposal in proposals if proposal.key not in dropped]
        notes += [
            f"The running stack's value is not accepted, so the stack file's stays. {refused[key]}" for key in refused
        ]
    return proposals, notes


MERGED = ("extraContainers", "serverSecrets", "secretEnvironment", "environmentVariables")
"""Lists and mappings to which the stack file can add what the running task doesn't have."""


def _with_given(proposal: Proposal, given: Mapping[str, Any]) -> Proposal:
    """The proposal with the items of the stack file, which take precedence."""
    if proposal.key not in MERGED:
        return proposal
    if isinstance(proposal.value, Mapping):
        return dataclasses.replace(proposal, value={**proposal.value, **(given.get(proposal.key) or {})})
    own = list(given.get(proposal.key) or [])
    names = {_name(item) for item in own}
    return dataclasses.replace(proposal, value=[*own, *(item for item in proposal.value if _name(item) not in names)])


def _name(item: Any) -> str:
    """The name of a container, or of the variable or flag of a reference to a secret."""
    return str(item.get("name")) if isinstance(item, Mapping) else str(item).partition("=")[0]


def apply(given: Mapping[str, Any], proposals: list[Proposal]) -> dict[str, Any]:
    """`given` with the proposals applied."""
    changed = {**given, **{proposal.key: proposal.value for proposal in proposals}}
    return {key: value for key, value in changed.items() if value is not None}


def _equal(given: Any, proposed: Any) -> bool:
    if isinstance(given, Mapping) and isinstance(proposed, Mapping):
        return given == proposed
    if isinstance(given, list | tuple) or isinstance(proposed, list):
        return sorted(map(str, given or [])) == sorted(map(str, proposed or []))
    return str(given) == str(proposed) or (not given and not proposed)


def _refused(proposals: list[Proposal], given: Mapping[str, Any], stack: str, region: str) -> dict[str, str]:
    """Keys of the proposals that fail validation, each with the error."""
    proposed = {proposal.key for proposal in proposals if proposal.value is not None}
    try:
        parse(apply(given, proposals), stack=stack, region=region)
    except SettingsError as error:
        found = {re.split(r"\W", problem, maxsplit=1)[0]: problem for problem in error.problems}
        return {key: problem for key, problem in found.items() if key in proposed}
    return {}
