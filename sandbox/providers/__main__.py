"""`python -m sandbox.providers aws|awsx|random|aws,random`: serve stand-ins in the way the engine starts a plugin."""

from __future__ import annotations

import importlib
import sys

from sandbox import plugin_start

_PACKAGES = {
    "aws": ("sandbox.providers.aws.package", "AwsPackage"),
    "random": ("sandbox.providers.passwords", "RandomPackage"),
}


def main(arguments: list[str]) -> int:
    """Serve until the engine exits. `sandbox.plugin_start` documents the arguments after the names."""
    names = arguments[0].split(",") if arguments else []
    if names != ["awsx"] and not (names and set(names) <= _PACKAGES.keys()):
        sys.stderr.write("usage: python -m sandbox.providers aws|awsx|random|aws,random [engine address]")
        sys.stderr.write(" [--port N ... --lifeline FD]\n")
        return 2
    start = plugin_start.parse(arguments[1:])
    if names == ["awsx"]:
        importlib.import_module("sandbox.providers.awsx.serving").serve(start)
    else:
        packages = [
            getattr(importlib.import_module(module), kind) for module, kind in map(_PACKAGES.__getitem__, names)
        ]
        importlib.import_module("sandbox.providers.serving").serve(packages, start)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
