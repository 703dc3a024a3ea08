"""The engine's plugins: official providers if they are installed, and stand-ins otherwise.

Each is a small wrapper script in the sandbox's plugin folder, with the name that the engine expects. Plugins on PATH
would work as well, but the engine prints a warning about each of them.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_private
from sandbox.testbed.paths import CACHE, CHECKOUT

PROVIDERS = ("aws", "awsx", "random")
CHOICE = "ATLANTIS_SANDBOX_PLUGINS"
"""Environment variable: ``official`` downloads missing official plugins. If unset, only installed ones are used."""
DOWNLOADED = CACHE / "official-plugins"
_DOWNLOAD_SECONDS = 900


def download_official(engine: Path) -> None:
    """Download the official plugins in the SDK's versions with the CLI, if they are chosen and missing.

    Raises:
        SandboxError: the choice is invalid, or a plugin can't be downloaded.
    """
    choice = os.environ.get(CHOICE, "")
    if choice not in ("", "official"):
        raise SandboxError(f"{CHOICE}={choice} (PLUGINS={choice}): set it to official, or unset it")
    for provider in stand_ins() if choice else []:
        number = f"v{version(f'pulumi-{provider}')}"
        console.step(f"Downloading the official plugin {provider} {number} (once, several hundred megabytes in total)")
        command = [str(engine), "plugin", "install", "resource", provider, number]
        environment = {**os.environ, "PULUMI_HOME": str(DOWNLOADED), "PULUMI_SKIP_UPDATE_CHECK": "true"}
        try:
            subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=True
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise SandboxError(
                f"The official plugin {provider} {number} can't be downloaded:\n{str(error.stderr or error).strip()}\n"
                "Fix: allow this machine to reach the server that the message names, or omit PLUGINS=official: the "
                "sandbox then uses its stand-ins"
            ) from error


def install_providers(pulumi_home: Path) -> str:
    """Write a wrapper for each provider into ``pulumi_home``. Returns a sentence that names the plugins in use."""
    official, standing_in = [], []
    for provider in PROVIDERS:
        installed = installed_plugin(provider)
        (official if installed else standing_in).append(provider)
        command = (
            _plugin_process(str(installed)) if installed else _plugin_process("sandbox.testbed.providers", provider)
        )
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
    return [provider for provider in PROVIDERS if installed_plugin(provider) is None]


def write_wrapper(path: Path, command: Sequence[str]) -> None:
    """Write an executable to ``path`` that executes ``command`` with its own arguments appended."""
    text = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(CHECKOUT))} exec {shlex.join(command)} "$@"\n'
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_private(path, text, mode=0o755)


def _plugin_process(*plugin: str) -> list[str]:
    return [sys.executable, "-m", "sandbox.testbed.engine.plugin_process", *plugin]


def installed_plugin(provider: str) -> Path | None:
    """The official plugin of ``provider``, with the SDK's major version in the user's Pulumi folder, or any on PATH."""
    official = os.environ.get(CHOICE) == "official"
    full = version(f"pulumi-{provider}")
    wanted = full if official else f"{full.split('.')[0]}.*"
    homes = [Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")]
    homes += [DOWNLOADED] if official else []
    found: list[tuple[tuple[int, ...], Path]] = []
    for directory in (path for home in homes for path in (home / "plugins").glob(f"resource-{provider}-v{wanted}")):
        numbers = re.fullmatch(rf"resource-{provider}-v(\d+)\.(\d+)\.(\d+)", directory.name)
        executable = directory / f"pulumi-resource-{provider}"
        if numbers and os.access(executable, os.X_OK):
            found.append((tuple(int(number) for number in numbers.groups()), executable))
    if found:
        return max(found)[1]
    on_path = None if official else shutil.which(f"pulumi-resource-{provider}")  # of an unknown version
    return Path(on_path) if on_path else None
