"""Tables of tests in YAML files."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


def table(test: str, key: str, loader: type[yaml.CSafeLoader] = yaml.CSafeLoader) -> Any:
    """A table of the YAML file next to a test, which has the test's name."""
    return _loaded(Path(test).with_suffix(".yaml"), loader)[key]


@cache
def _loaded(file: Path, loader: type[yaml.CSafeLoader]) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a subclass of the safe one
