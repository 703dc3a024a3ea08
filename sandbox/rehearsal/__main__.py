"""`python -m sandbox.rehearsal --state terraform.tfstate --stack prod`: the adoption, with a rehearsal before anything is written."""

import sys

from adoption.command import main
from sandbox.rehearsal.rehearsal import rehearse

if __name__ == "__main__":
    sys.exit(main(rehearse=rehearse))
