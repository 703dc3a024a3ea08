"""`python -m adoption --state terraform.tfstate --stack prod`."""

import sys

from adoption.command import main

if __name__ == "__main__":
    sys.exit(main())
