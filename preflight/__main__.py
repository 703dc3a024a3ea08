"""`python -m preflight --stack prod`."""

import sys

from preflight.command import main

if __name__ == "__main__":
    sys.exit(main())
