"""The packages of the SDKs that a program uses, imported before the engine runs the program.

The engine runs a program after it has started the policy pack. The language host is idle until then, and importing the SDKs takes
longer than that. So each run records the packages that its program has loaded, and the next one imports them in advance.
"""

import contextlib
import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType

from sandbox.testbed.files import read_json, write_json

_PREFIX = "pulumi_"


class SdkPackages:
    """The packages of SDKs (``pulumi_aws.ec2``) that are recorded in the file ``record``; None records nothing.

    The record only grows: a package that was imported in advance counts as used.
    """

    def __init__(self, record: Path | None) -> None:
        self._record = record
        self._imported = threading.Event()
        if record is None:
            self._imported.set()

    def load(self) -> None:
        """Import the recorded packages. One that can't be imported is left out: if the program needs it, that reports why."""
        try:
            for name in self._recorded():
                with contextlib.suppress(Exception):
                    # The SDKs load a package when its first attribute is read.
                    getattr(importlib.import_module(name), "__all__", None)
        finally:
            self._imported.set()

    def wait(self) -> None:
        """Wait until ``load`` has finished: two threads that import the same packages may see them half-initialized."""
        self._imported.wait()

    def save(self) -> None:
        """Record the packages that this process has loaded, which load the modules inside them."""
        # A copy: other threads may still import something. A package that isn't loaded yet has another class.
        modules = [(name, module) for name, module in list(sys.modules.items()) if name.startswith(_PREFIX)]
        names = [name for name, module in modules if type(module) is ModuleType and hasattr(module, "__path__")]
        if self._record is not None and names != self._recorded():
            # On a full disk, the next run starts without it.
            with contextlib.suppress(OSError):
                write_json(self._record, names)

    def _recorded(self) -> list[str]:
        # A file that isn't one is replaced by the next ``save``.
        with contextlib.suppress(ValueError):
            return (read_json(self._record) if self._record else None) or []
        return []
