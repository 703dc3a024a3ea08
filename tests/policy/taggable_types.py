"""Makes ``policy/tables/taggable_types.txt`` from the installed AWS SDK: ``python -m tests.policy.taggable_types``.

The pack itself must not import the SDK (0.7 s at the start of every preview), so it carries the list as a data file.
"""

import importlib.metadata
import importlib.util
import re
from functools import cache
from pathlib import Path

TARGET = Path(__file__).parents[2] / "policy" / "tables" / "taggable_types.txt"

_RESOURCE = re.compile(r"^class \w+\(pulumi\.CustomResource\):", re.MULTILINE)
_TOKEN = re.compile(r'^@pulumi\.type_token\("aws:([\w/]+):\w+"\)', re.MULTILINE)
_TAGS_INPUT = re.compile(r"def tags\(self\)")


@cache
def sources() -> dict[str, Path]:
    """The module of each resource type, by its name as ``efs/fileSystem``."""
    package = importlib.util.find_spec("pulumi_aws")
    assert package is not None
    assert package.origin is not None
    found = {}
    for module in Path(package.origin).parent.rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        if _RESOURCE.search(source):
            found.update({token.removesuffix("V2"): module for token in _TOKEN.findall(source)})
    return found


def taggable_types() -> list[str]:
    """The types, as ``efs/fileSystem``, whose inputs have ``tags``."""
    found = set()
    for canonical, module in sources().items():
        source = module.read_text(encoding="utf-8")
        resource = _RESOURCE.search(source)
        if resource and _TAGS_INPUT.search(source, 0, resource.start()):
            found.add(canonical)
    return sorted(found)


def content() -> str:
    """What the data file should hold."""
    version = importlib.metadata.version("pulumi-aws")
    return "\n".join((f"# pulumi-aws {version}: python -m tests.policy.taggable_types", *taggable_types(), ""))


if __name__ == "__main__":
    TARGET.write_text(content(), encoding="utf-8")
