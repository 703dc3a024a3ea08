"""Stands in for `terraform` and `tofu` in the server's container: answers what needs no other container, and hands over the rest.

Atlantis asks for the version and the workspace four times for each plan. The answers come without any module that takes long to
import, so that they cost little more than the start of Python.
"""
# pathlib takes as long to import as Python to start.
# ruff: noqa: PTH113, PTH118, PTH119, PTH120

import os
import sys

__all__ = ["main"]

_OWN = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_VERSION = ("version", "-version", "--version", "-v")


def main() -> None:
    """Run the command of this process' arguments; doesn't return."""
    program, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
    if arguments and arguments[0] in _VERSION:
        _version(program, arguments)
    # Atlantis sets it for each command, which runs in it.
    if arguments == ["workspace", "show"] and (workspace := os.environ.get("WORKSPACE")):
        print(workspace, flush=True)
        os._exit(0)
    from isolation import remote  # noqa: PLC0415 - takes longer than the answers above

    remote.main(program, arguments)


def _version(program: str, arguments: list[str]) -> None:
    """Answer from the image's own program, outside of every checkout and with nothing of the environment; doesn't return."""
    shims = os.path.join(_OWN, "shims")
    # A relative one would be the checkout's.
    absolute = filter(os.path.isabs, os.environ.get("PATH", os.defpath).split(os.pathsep))
    folders = [folder for folder in absolute if os.path.realpath(folder) != shims]
    found = next(filter(_is_program, (os.path.join(folder, program) for folder in folders)), None)
    if found is None or os.path.realpath(found).startswith(f"{_OWN}{os.sep}"):
        print(f"{program} isn't in the image", file=sys.stderr, flush=True)
        os._exit(127)
    os.chdir("/")
    environment = {"PATH": os.pathsep.join(folders), "HOME": "/nonexistent", "CHECKPOINT_DISABLE": "1"}
    os.execve(found, [program, *arguments], environment)  # noqa: S606


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
