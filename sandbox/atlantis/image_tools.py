"""What the Atlantis image brings along: the server with its entry point, and tools that a bare machine may lack.

The registry that Terraform downloads providers from is out of a task's reach here. Where this machine has the AWS provider, the task's
Terraform is configured to take it from there.
"""

import shutil
import sys
from pathlib import Path

from sandbox import terraform_provider
from sandbox.files import write_private

__all__ = ["ENTRY_POINT", "TERRAFORM_CONFIGURATION", "write_image", "write_tools"]

TERRAFORM_CONFIGURATION = "terraform.tfrc"
"""The file's name in the directory of the tools; it is there where this machine has the AWS provider."""

ENTRY_POINT = "docker-entrypoint.sh"
"""The image's own, which is run with ``server`` where the task definition names nothing else."""

# The image's makes dumb-init process 1, prepends `atlantis` to its subcommands, and runs anything else as it is.
_ENTRY_POINT = """#!/bin/sh
case "$1" in
    server) exec atlantis "$@" ;;
    *) exec "$@" ;;
esac
"""

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


def write_image(directory: Path, server: Path) -> None:
    """Write what the image has on its PATH into ``directory``: ``atlantis``, which is ``server``, and its entry point."""
    write_private(directory / ENTRY_POINT, _ENTRY_POINT, mode=0o755)
    link = directory / "atlantis"
    link.unlink(missing_ok=True)
    link.symlink_to(server)


def write_tools(directory: Path) -> list[str]:
    """Write stand-ins of missing tools into ``directory``, to be put last on PATH; the names of those written."""
    stand_ins = {"curl": _CURL.format(python=sys.executable), "terraform": _TERRAFORM}
    missing = [name for name in stand_ins if shutil.which(name) is None]
    for name in missing:
        write_private(directory / name, stand_ins[name], mode=0o755)
    if provider := terraform_provider.find():
        provider.write_configuration(directory / TERRAFORM_CONFIGURATION)
    return missing
