"""Facts about IAM and the services that follow from no service model: the tables of `facts.yaml`."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.testbed.yaml_files import table

FACTS: Final[Mapping[str, Any]] = table(__file__)
