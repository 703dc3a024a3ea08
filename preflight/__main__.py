"""`python -m preflight --stack prod`."""

import sys

from preflight import command
from preflight.printed import Parser


def main() -> int:
    parser = Parser(prog="python -m preflight", description=command.__doc__)
    parser.add_argument("--stack", default="prod", help="the stack to check (default: prod)")
    command.add_arguments(parser)
    return command.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
