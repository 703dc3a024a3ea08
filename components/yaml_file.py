"""A YAML file that a setting names, relative to the program's directory."""

from pathlib import Path
from typing import Any

import yaml


class YamlFileError(ValueError):
    """A file that is not what its setting takes; the message says why."""


def read(path: str) -> Any:
    """The content of the file `path`; None for an empty one.

    Raises:
        YamlFileError: there is no such file, or it is no YAML.
    """
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise YamlFileError(f"can't be read: {' '.join(str(error).split())}") from None
