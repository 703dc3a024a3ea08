"""The component package as Pulumi's engine runs it: a plugin that creates `Atlantis` for programs in any language."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from pulumi.provider.experimental import component_provider_host

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


if __name__ == "__main__":
    component_provider_host(name="atlantis", components=[load().Atlantis], version=VERSION)
