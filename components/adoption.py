"""Applies `adoption.yaml` to the program: the resources to import instead of create, and the properties to keep.

A single resource transform does this, so components need no code for it. A stack without a section has no transform.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml

FILE = Path(__file__).resolve().parents[1] / "adoption.yaml"
FILE_VARIABLE = "ATLANTIS_ADOPTION_FILE"
"""Sets the path of another file. A sandbox has its own, because import IDs of the real file are of another account."""


def register(stack: str) -> None:
    """Import the resources of `stack` that the file lists, and ignore changes of the properties to keep.

    Raises:
        pulumi.RunError: the file is invalid.
    """
    path = _file()
    section = _section(path, stack)
    imports, keeps = _mapping(path, section, "import"), _mapping(path, section, "keep")
    if not imports and not keeps:
        return

    def adopt(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        # A component can have the same name as one of its resources.
        if not args.custom or not args.type_.startswith("aws:") or args.name not in imports.keys() | keeps.keys():
            return None
        options = args.opts
        if args.name in imports:
            options.import_ = str(imports[args.name])
        if args.name in keeps:
            options.ignore_changes = [*(options.ignore_changes or []), *keeps[args.name]]
        return pulumi.ResourceTransformResult(props=args.props, opts=options)

    pulumi.runtime.register_resource_transform(adopt)


def import_ids(stack: str) -> frozenset[str]:
    """The import IDs of the resources that `stack` adopts.

    Raises:
        pulumi.RunError: the file is invalid.
    """
    path = _file()
    return frozenset(_mapping(path, _section(path, stack), "import").values())


def _file() -> Path:
    return Path(os.environ.get(FILE_VARIABLE) or FILE)


def _section(path: Path, stack: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise pulumi.RunError(f"{path} can't be read, and nothing was changed: {error}") from None
    if document is None:
        return {}
    section = document.get(stack, {}) if isinstance(document, dict) else None
    if not isinstance(section, dict) or section.keys() - {"import", "keep"}:
        raise pulumi.RunError(
            f"{path.name} is damaged, and nothing was changed: each stack has `import` and `keep`, mappings by logical name. "
            f"Write it again with `make adopt STATE=... STACK={stack} WRITE=1`"
        )
    return section


def _mapping(path: Path, section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = section.get(key) or {}
    well_formed = isinstance(found, dict) and all(
        isinstance(value, str) if key == "import" else isinstance(value, list) for value in found.values()
    )
    if not well_formed:
        what = "an import id" if key == "import" else "a list of properties"
        raise pulumi.RunError(
            f"{path.name} is damaged, and nothing was changed: `{key}` maps each logical name to {what}"
        )
    return found
