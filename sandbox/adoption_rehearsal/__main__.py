"""`python -m sandbox.adoption_rehearsal --state terraform.tfstate --stack prod`: adopt, after a rehearsal of everything."""

import sys

from adoption.command import main
from sandbox.adoption_rehearsal.rehearsal import rehearse

if __name__ == "__main__":
    sys.exit(main(rehearse=rehearse))
