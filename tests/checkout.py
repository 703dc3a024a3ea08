"""A copy of the checkout in which a test may change files and run commands."""

import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.testbed.paths import CHECKOUT


def copy_checkout(folder: Path) -> None:
    """Copy the files that git tracks, or would, into `folder`, with the Python environment of the tests."""
    tracked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(tracked, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
