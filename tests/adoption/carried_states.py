"""The states of `carried/`, which the official provider wrote: of the public Atlantis module, of older forms, and the original's."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adoption.plan import Plan, make_plan
from tests.adoption.states import ORIGINAL_SETTINGS, State, change, write
from tests.tables import table

FOLDER = Path(__file__).resolve().parent / "carried"
REGION = "ap-northeast-2"


@dataclass(frozen=True)
class Carried:
    """A state, and the result of its adoption, as `carried_states.yaml` has it."""

    name: str
    adopted: int
    renamed: list[str]
    proposes: Mapping[str, Any]
    notes: list[str]
    accepted: list[str] = field(default_factory=list)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.tfstate"

    def state(self) -> State:
        """The state as it is carried."""
        return json.loads(self.path.read_text(encoding="utf-8"))

    def adoptable(self, folder: Path) -> Path:
        """A file in `folder` with the state that can be adopted."""
        state = self.state()
        change(state, self.fixed)
        return write(folder, state)

    def plan(self, folder: Path | None = None) -> Plan:
        """The plan of the state that can be adopted, whose file stays in `folder`."""
        with tempfile.TemporaryDirectory() as temporary:
            return make_plan(
                self.adoptable(folder or Path(temporary)), "prod", ORIGINAL_SETTINGS, REGION, self.accepted
            )


BY_NAME = {name: Carried(name, **row) for name, row in table(__file__, "states").items()}
CARRIED = tuple(BY_NAME.values())
