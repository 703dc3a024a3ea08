"""Print the URL of the stack's CloudWatch dashboard. In a terminal, also open it in a browser."""

import argparse
import sys
import webbrowser

from preflight.deployment import Deployment
from preflight.printed import parser, print_document


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or a call to AWS fails."""
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
