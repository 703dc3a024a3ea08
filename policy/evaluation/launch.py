"""Reads the command line with which the engine was started.

The CLI silently ignores configuration for policies that a pack doesn't have: a mandatory policy with a misspelled name stays
advisory. The CLI doesn't pass that configuration to the pack, but on Linux the pack can read the CLI's command line.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from check_configuration import problems

_OPTION: Final = "--policy-pack-config"
_PROCESSES: Final = Path("/proc")
_GENERATIONS: Final = 8


def warn_about_configuration(process: int | None = None) -> list[str]:
    """Write each problem of the configuration files on the command line to standard error, and return the problems.

    It doesn't stop the pack, because a file may be for another pack of the same run.
    """
    found = [problem for file in configuration_files(process or os.getppid()) for problem in problems(file)]
    sys.stderr.writelines(f"warning: {problem}\n" for problem in found)
    return found


def configuration_files(process: int) -> list[Path]:
    """The files in ``--policy-pack-config`` on the command line of a process or one of its ancestors."""
    return [file for each in _ancestors(process) for file in _named(each)]


def _ancestors(process: int) -> Iterator[int]:
    for _ in range(_GENERATIONS):
        if process <= 1:
            return
        yield process
        try:
            status = (_PROCESSES / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
            process = int(status.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return


def _named(process: int) -> Iterator[Path]:
    folder = _PROCESSES / str(process)
    try:
        words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        directory = (folder / "cwd").readlink()
    except OSError:
        return
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, _, value = word.partition("=")
        name = value or following if option == _OPTION else ""
        if name and (directory / name).is_file():
            yield directory / name
