"""Plans of states, worked out as the command does."""

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

from adoption.changes import Adopted
from adoption.plan import Plan, make_plan
from tests.adoption.states import REGION, SETTINGS, State, small_state, write


def plan(state: State, *, accepted: tuple[str, ...] = (), **settings: Any) -> Plan:
    """The plan of `state` for a stack with the least settings and `settings`."""
    return _plan(json.dumps(state), json.dumps(settings), accepted)


@functools.cache
def _plan(state: str, settings: str, accepted: tuple[str, ...]) -> Plan:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), json.loads(state))
        return make_plan(path, "prod", SETTINGS | json.loads(settings), REGION, accepted)


def small_plan() -> Plan:
    return plan(small_state())


def adopted(found: Plan, name: str) -> Adopted:
    """What becomes of one logical name."""
    return next(item for item in found.adopted if item.pair.wanted.name == name)


def proposed(found: Plan) -> dict[str, Any]:
    """The proposed settings."""
    return {proposal.key: proposal.value for proposal in found.proposals}


def results(found: Plan) -> dict[str, str]:
    """What becomes of each part of the running task, and of each right of its role."""
    return {item.name: item.result for item in (*found.task, *found.rights)}
