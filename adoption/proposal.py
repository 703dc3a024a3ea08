"""A setting that the running stack needs in the stack file."""

import dataclasses
from typing import Any

from components.settings import AtlantisArgs
from components.settings.schema import settings_of

DEFAULTS = {declared.key: declared.default for declared in settings_of(AtlantisArgs)}


@dataclasses.dataclass(frozen=True)
class Proposal:
    """One setting, and why the running stack needs it."""

    key: str
    value: Any
    """None removes the setting from the stack file."""
    why: str
