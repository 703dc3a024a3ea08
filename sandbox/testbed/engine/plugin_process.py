"""Run a plugin of the engine: ``python -m sandbox.testbed.engine.plugin_process MODULE|EXECUTABLE [ARGUMENT ...]``.

A Python module runs in this process. The engine stops its plugins with SIGINT, on which Python would print a traceback
to the user's terminal. An executable (a path) runs as a child process without the file descriptors that the engine
inherited: otherwise, an official language host would hold the run's lock for minutes after its engine was killed. Both
exit with the engine, even if it is killed.
"""

import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

from sandbox.testbed.paths import CHECKOUT
from sandbox.testbed.processes import end_with_parent


def _run_executable(command: list[str]) -> int:
    children: list[subprocess.Popen[bytes]] = []

    def end() -> None:
        for child in children:
            child.kill()
        # The engine makes each plugin the leader of a process group. A language host's program is also in the group.
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)

    end_with_parent(end=end)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: [child.send_signal(received) for child in children])
    children.append(subprocess.Popen(command))
    return children[0].wait()


def _run_module(module: str) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    if not module.startswith("sandbox."):
        sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != CHECKOUT]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # The caller sets it so that this package is found. Programs and policy packs must not import the checkout with it.
    os.environ.pop("PYTHONPATH", None)
    plugin = sys.argv.pop(1)
    if os.sep in plugin:
        sys.exit(_run_executable([plugin, *sys.argv[1:]]))
    _run_module(plugin)
