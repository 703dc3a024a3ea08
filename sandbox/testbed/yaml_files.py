"""YAML files, with libyaml's loader if the platform's package of PyYAML has it: it is ten times as fast."""

from pathlib import Path
from typing import Any, Final

import yaml

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The fastest dumper of plain values."""


def read_yaml(path: Path) -> Any:
    """The document in ``path``."""
    return yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - both are safe loaders


def table(module: str) -> Any:
    """The YAML file next to a module (its ``__file__``), with the module's name."""
    return read_yaml(Path(module).with_suffix(".yaml"))
