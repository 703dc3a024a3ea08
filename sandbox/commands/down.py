"""`make down`: destroy the stack's unprotected resources and stop the sandbox's processes."""

import argparse

from sandbox.sandbox import Sandbox


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``down``."""
    parser.add_argument(
        "--force", action="store_true", help="also destroy protected resources, and delete the stack's state"
    )


def run(arguments: argparse.Namespace) -> int:
    """Destroy the stack's resources and stop the sandbox."""
    Sandbox(arguments.stack).down(force=arguments.force)
    return 0
