"""`python -m sandbox.providers <aws|awsx|random>`: serve one stand-in, as the engine starts a plugin."""

from __future__ import annotations

import importlib
import sys

from sandbox import plugin_start

_PROVIDERS = {
    "aws": "sandbox.providers.aws.package",
    "awsx": "sandbox.providers.awsx",
    "random": "sandbox.providers.passwords",
}


def main(arguments: list[str]) -> int:
    """Serve until the engine is done; see ``sandbox.plugin_start`` for what follows the name."""
    if not arguments or arguments[0] not in _PROVIDERS:
        sys.stderr.write(
            f"usage: python -m sandbox.providers {'|'.join(_PROVIDERS)} [engine address] [--port N --lifeline FD]\n"
        )
        return 2
    importlib.import_module(_PROVIDERS[arguments[0]]).serve(plugin_start.parse(arguments[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
