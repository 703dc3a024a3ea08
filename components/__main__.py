"""The component package as Pulumi's engine runs it: a plugin that creates `Atlantis` for programs in any language."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
from pulumi.errors import InputPropertyError
from pulumi.provider import main
from pulumi.provider.experimental.component import ComponentProvider

PACKAGE = "atlantis_on_fargate"
VERSION = "1.0.0"


def load() -> ModuleType:
    """Import this folder as the package `PACKAGE`, regardless of the folder's name in Pulumi's plugin directory."""
    here = Path(__file__).parent
    specification = importlib.util.spec_from_file_location(
        PACKAGE, here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert specification is not None  # noqa: S101 - the file exists
    assert specification.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(specification)
    sys.modules[PACKAGE] = module
    specification.loader.exec_module(module)
    return module


class AtlantisProvider(ComponentProvider):
    """The SDK's provider, which ignores a group of arguments that is an output as a whole, and can't read an output as a number."""

    def map_inputs(self, inputs: Any, component_def: Any) -> Any:
        """The inputs by their Python names.

        Raises:
            InputPropertyError: an output where the component needs a plain value.
        """
        reason = importlib.import_module(f"{PACKAGE}.settings.schema").PLAIN_ONLY
        for name, definition in component_def.inputs.items():
            if isinstance(inputs.get(name), pulumi.Output):
                raise InputPropertyError(name, reason)
            group, value = self.get_type_definition(definition) if definition.ref else None, inputs.get(name)
            for inner, setting in group.properties.items() if group and isinstance(value, Mapping) else ():
                if setting.plain and isinstance(value.get(inner), pulumi.Output):
                    raise InputPropertyError(f"{name}.{inner}", reason)
        try:
            return super().map_inputs(inputs, component_def)
        except InputPropertyError as error:
            # The SDK's reason has the value.
            hidden = importlib.import_module(f"{PACKAGE}.configuration.secret_names").redacted(error.reason)
            raise InputPropertyError(error.property_path, hidden) from None


def provider(package: ModuleType) -> AtlantisProvider:
    """The provider of ``package``, with the schema of its component."""
    return AtlantisProvider([package.Atlantis], "atlantis", None, VERSION)


if __name__ == "__main__":
    loaded = load()
    with importlib.import_module(f"{PACKAGE}.sdk_imports").quick_imports():
        served = provider(loaded)
    main(served, sys.argv[1:])
