"""What the engine was started with, as far as the pack's process can see it.

The CLI drops configuration for policies that a pack doesn't have, without a word: a mandatory policy whose name is misspelt
stays advisory. The pack gets no trace of it, but on Linux it can read the command line of the process that started it.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from check_configuration import problems

__all__ = ["configuration_files", "warn_about_configuration"]

_OPTION: Final = "--policy-pack-config"
_PROCESSES: Final = Path("/proc")
_GENERATIONS: Final = 8


def warn_about_configuration(process: int | None = None) -> list[str]:
    """Write each problem of a configuration file on the command line to standard error, and return them.

    It never stops the pack: a file may be meant for another pack of the same run.
    """
    found = [problem for file in configuration_files(process or os.getppid()) for problem in problems(file)]
    sys.stderr.writelines(f"warning: {problem}\n" for problem in found)
    return found


def configuration_files(process: int) -> list[Path]:
    """The files that a process or one of its ancestors was given with ``--policy-pack-config``."""
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
