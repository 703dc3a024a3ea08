"""What AWS has and the local AWS is told: the tables of `facts.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

# Each command needs them, and libyaml, which not every platform's package has, is ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FACTS: Final[Mapping[str, Any]] = yaml.load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - both are safe loaders
