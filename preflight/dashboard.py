"""Print the address of the stack's dashboard in CloudWatch's console; in a terminal, open it in a browser too."""

import argparse
import sys
import webbrowser

from preflight.deployment import Deployment
from preflight.printed import parser, print_document

__all__ = ["main"]


def main() -> int:
    """The command. Returns 0, or 2 where the stack's file or AWS can't be read."""
    options = parser("preflight.dashboard", __doc__)
    options.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=sys.stdout.isatty(), help="in a browser"
    )
    arguments = options.parse_args()

    def show(deployment: Deployment) -> str:
        url = deployment.names.dashboard_url
        if arguments.open:
            webbrowser.open(url)
        return url

    return print_document(arguments, show)


if __name__ == "__main__":
    sys.exit(main())
