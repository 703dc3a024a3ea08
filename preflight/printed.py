"""Commands that print one document, based on a stack's file and the account of the credentials."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from components.configuration.secret_names import redacted
from components.settings import SettingsError
from components.settings.stack_file import StackFileError
from preflight.deployment import Deployment, deployment_of
from preflight.errors import UnmetError


class Parser(argparse.ArgumentParser):
    """A parser whose messages show no argument in the format of a credential."""

    def error(self, message: str) -> NoReturn:
        """End with the message."""
        super().error(redacted(message))


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m <module>`, with the options that every such command has."""
    made = Parser(
        prog=f"python -m {module}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--stack", default="prod", help="the stack (default: prod)")
    made.add_argument(
        "--config-file", type=Path, help="the stack's file (default: Pulumi.<stack>.yaml in the project's folder)"
    )
    return made


def print_document(arguments: argparse.Namespace, document: Callable[[Deployment], str | tuple[str, bool]]) -> int:
    """Print the document of the stack.

    Returns:
        0; 1 if the document comes with False: it isn't as it should be; 2 if the stack's file is invalid or a call to AWS fails.
    """
    try:
        found = document(deployment_of(arguments))
    except (StackFileError, SettingsError, UnmetError) as error:
        remedy = f"-> {error.remedy}\n" if isinstance(error, UnmetError) and error.remedy else ""
        sys.stderr.write(f"{error}\n{remedy}")
        return 2
    text, is_good = (found, True) if isinstance(found, str) else found
    sys.stdout.write(redacted(f"{text}\n"))
    return 0 if is_good else 1


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def say(text: str) -> None:
    """Show progress on standard error."""
    sys.stderr.write(f"{text}\n")
