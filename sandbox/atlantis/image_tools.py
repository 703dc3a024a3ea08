"""What the Atlantis image brings along and a bare machine may lack: ``curl`` for the health check, and ``terraform``."""

import shutil
import sys
from pathlib import Path

from sandbox.files import write_private

__all__ = ["write_tools"]

_CURL = """#!{python}
\"\"\"The part of curl that a health check uses: `curl -f URL`, with exit code 22 for an answer of 400 or more.\"\"\"
import sys, urllib.error, urllib.request

if len(sys.argv) != 3 or sys.argv[1] != "-f":
    sys.exit("this sandbox has no curl; its stand-in knows `curl -f URL` only: install curl")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
try:
    with opener.open(sys.argv[2], timeout=30) as answer:
        sys.stdout.buffer.write(answer.read())
except urllib.error.HTTPError as error:
    print(f"curl: (22) The requested URL returned error: {{error.code}}", file=sys.stderr)
    sys.exit(22)
except OSError as error:
    print(f"curl: (7) {{error}}", file=sys.stderr)
    sys.exit(7)
"""

# Atlantis asks for the version at start and refuses to start without an answer; a plan must fail, and say why.
_TERRAFORM = """#!/bin/sh
if [ "$1" = version ]; then
    echo "Terraform v1.11.4"
    exit 0
fi
echo "There is no terraform on this machine, so the sandbox can't run '$1': install it, then run make up again." >&2
exit 1
"""


def write_tools(directory: Path) -> list[str]:
    """Write stand-ins of missing tools into ``directory``, to be put last on PATH; the names of those written."""
    stand_ins = {"curl": _CURL.format(python=sys.executable), "terraform": _TERRAFORM}
    missing = [name for name in stand_ins if shutil.which(name) is None]
    for name in missing:
        write_private(directory / name, stand_ins[name], mode=0o700)
    return missing
