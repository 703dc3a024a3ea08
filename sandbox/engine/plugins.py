"""The engine's plugins: official providers if they are installed, and stand-ins otherwise.

Each is a small wrapper script in the sandbox's plugin folder, with the name that the engine expects. Plugins on PATH
would work as well, but the engine prints a warning about each of them.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sandbox.files import write_private
from sandbox.paths import CHECKOUT

__all__ = ["PROVIDERS", "install_language_host", "install_providers", "stand_ins", "write_wrapper"]

PROVIDERS = ("aws", "awsx", "random")


def install_providers(pulumi_home: Path) -> str:
    """Write a wrapper for each provider into ``pulumi_home``. Returns a sentence that names the plugins in use."""
    official, standing_in = [], []
    for provider in PROVIDERS:
        installed = _installed(provider)
        (official if installed else standing_in).append(provider)
        command = _plugin_process(str(installed)) if installed else _plugin_process("sandbox.providers", provider)
        directory = pulumi_home / "plugins" / f"resource-{provider}-v{version(f'pulumi-{provider}')}"
        directory.mkdir(parents=True, exist_ok=True)
        write_wrapper(directory / f"pulumi-resource-{provider}", command)
    parts = [
        *([f"the official {', '.join(official)}"] if official else []),
        *([f"the sandbox's stand-ins for {', '.join(standing_in)}"] if standing_in else []),
    ]
    return f"Providers: {' and '.join(parts)}"


def install_language_host(pulumi_home: Path, installed: Path) -> Path:
    """Write a wrapper for the ``installed`` language host into ``pulumi_home``. Returns its folder, for Pulumi.yaml."""
    directory = pulumi_home / installed.name
    directory.mkdir(parents=True, exist_ok=True)
    write_wrapper(directory / installed.name, _plugin_process(str(installed)))
    return directory


def stand_ins() -> list[str]:
    """The providers that have no official plugin on this machine."""
    return [provider for provider in PROVIDERS if _installed(provider) is None]


def write_wrapper(path: Path, command: Sequence[str]) -> None:
    """Write an executable to ``path`` that executes ``command`` with its own arguments appended."""
    text = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(CHECKOUT))} exec {shlex.join(command)} "$@"\n'
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_private(path, text, mode=0o755)


def _plugin_process(*plugin: str) -> list[str]:
    return [sys.executable, "-m", "sandbox.engine.plugin_process", *plugin]


def _installed(provider: str) -> Path | None:
    """The official plugin of ``provider``, with the SDK's major version in the user's Pulumi folder, or any on PATH."""
    wanted = version(f"pulumi-{provider}").split(".")[0]
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    found: list[tuple[tuple[int, ...], Path]] = []
    for directory in (home / "plugins").glob(f"resource-{provider}-v{wanted}.*"):
        numbers = re.fullmatch(rf"resource-{provider}-v(\d+)\.(\d+)\.(\d+)", directory.name)
        executable = directory / f"pulumi-resource-{provider}"
        if numbers and os.access(executable, os.X_OK):
            found.append((tuple(int(number) for number in numbers.groups()), executable))
    if found:
        return max(found)[1]
    on_path = shutil.which(f"pulumi-resource-{provider}")
    return Path(on_path) if on_path else None
