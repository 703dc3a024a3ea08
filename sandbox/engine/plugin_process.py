"""Run a Python module as a plugin of the engine: ``python -m sandbox.engine.plugin_process MODULE [ARGUMENT ...]``.

The engine ends its plugins with SIGINT, at which Python would print a traceback into the person's view. Where the
engine is killed it can't end them, and they would stay for ever.
"""

import os
import runpy
import signal
import sys
from pathlib import Path

from sandbox.paths import CHECKOUT
from sandbox.processes import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    # Set by the caller so that this package is found; programs and policy packs must not find the checkout by it.
    os.environ.pop("PYTHONPATH", None)
    module = sys.argv.pop(1)
    if not module.startswith("sandbox."):
        sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != CHECKOUT]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
