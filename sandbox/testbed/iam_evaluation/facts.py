"""Facts about IAM and the services that follow from no service model: the tables of `facts.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

FACTS: Final[Mapping[str, Any]] = yaml.load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
)
