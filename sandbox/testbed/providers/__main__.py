"""`python -m sandbox.testbed.providers aws|awsx|random[,...]`: serve stand-ins in the way the engine starts a plugin."""

from __future__ import annotations

import sys

from sandbox.testbed import plugin_start
from sandbox.testbed.providers import serving


def main(arguments: list[str]) -> int:
    """Serve until the engine exits. `sandbox.testbed.plugin_start` documents the arguments after the names."""
    names = arguments[0].split(",") if arguments else []
    if not names or not set(names) <= set(serving.NAMES):
        sys.stderr.write(f"usage: python -m sandbox.testbed.providers {'|'.join(serving.NAMES)}[,...] [engine address]")
        sys.stderr.write(" [--port N ... --lifeline FD]\n")
        return 2
    return serving.serve(names, plugin_start.parse(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
