"""Reads a stack's file, `Pulumi.<stack>.yaml`, without an engine."""

from pathlib import Path
from typing import Any

import yaml

from ..configuration import yaml_file
from ..configuration.secret_names import redacted


class StackFileError(Exception):
    """The stack file can't be used. The message names the file and the reason, and shows nothing of its content."""


def read_config(path: Path) -> dict[str, Any]:
    """The file's `config` mapping.

    Raises:
        StackFileError: the file is missing or isn't a stack file.
    """
    name = redacted(str(path)).rpartition("/")[2]
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(file.name[7:-5] for file in path.parent.glob("Pulumi.*.yaml"))) or "none"
        raise StackFileError(f"{name} does not exist; stacks with a file here: {known}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StackFileError(
            f"{name} can't be read: {error.strerror if isinstance(error, OSError) else 'it is not UTF-8'}"
        ) from None
    except yaml.YAMLError as error:
        raise StackFileError(f"{name} isn't YAML: {yaml_file.problem(error)}") from None
    config = document.get("config", {}) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise StackFileError(f"{name} has no `config` mapping")
    return config
