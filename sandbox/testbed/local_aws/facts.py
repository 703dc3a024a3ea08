"""What AWS has and the local AWS is told: the tables of `facts.yaml`."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.testbed.yaml_files import table

FACTS: Final[Mapping[str, Any]] = table(__file__)
