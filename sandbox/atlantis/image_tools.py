"""The programs of the Atlantis image: the server with its entry point, and tools that this machine may lack.

A task in the sandbox can't connect to the Terraform registry. If this machine has the AWS provider, the task's
Terraform is configured to install it from a local mirror.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.testbed import terraform_provider
from sandbox.testbed.containers.image_files import Bind
from sandbox.testbed.files import write_private
from sandbox.testbed.paths import CHECKOUT

TERRAFORM_CONFIGURATION = "terraform.tfrc"
"""The file's name in the directory of the tools; it is written only if this machine has the AWS provider."""

ENTRY_POINT = "docker-entrypoint.sh"
"""The image's entry point, which runs ``server`` unless the task definition sets another command."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of the image."""
_PROGRAMS = ("terraform", "tofu", "terragrunt", "conftest", "git", "curl")
"""The image's programs that this machine has elsewhere on its PATH, or that have a stand-in."""
_SYSTEM = (Path("/usr/bin"), Path("/bin"))
_CONTAINER_TERRAFORM_CONFIGURATION = f"/etc/atlantis-sandbox/{TERRAFORM_CONFIGURATION}"
_ISOLATION, _CONTAINER_ISOLATION = CHECKOUT / "docker" / "isolation", "/opt/atlantis-isolation"
"""The programs that `docker/Dockerfile` adds to the image, and their path in it."""

_ACCOUNTS = """\
root:x:0:0:root:/root:/bin/sh
atlantis:x:100:1000::/home/atlantis:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
"""
_GROUPS = "root:x:0:root\natlantis:x:1000:\nnobody:x:65534:\n"

# The image's entry point prepends `atlantis` to subcommands and runs others as is. As process 1, it runs dumb-init, which forwards
# signals to its only child.
_ENTRY_POINT = """#!/bin/sh
case "$1" in
    server) set -- atlantis "$@" ;;
esac
[ $$ -eq 1 ] || exec "$@"
"$@" <&0 &
child=$!
trap 'kill -TERM "$child"' TERM
trap 'kill -INT "$child"' INT
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
done
exit "$code"
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

# Atlantis runs `terraform version` at start and exits if it fails. Every other command must fail with the reason.
_TERRAFORM = """#!/bin/sh
if [ "$1" = version ]; then
    echo "Terraform v1.11.4"
    exit 0
fi
echo "There is no terraform on this machine, so the sandbox can't run '$1': install it, then run make up again." >&2
exit 1
"""


def write_image(directory: Path, server: Path) -> None:
    """Write the image's own files into ``directory``, and ``atlantis`` as a link to ``server``."""
    write_private(directory / ENTRY_POINT, _ENTRY_POINT, mode=0o755)
    write_private(directory / "passwd", _ACCOUNTS, mode=0o644)
    write_private(directory / "group", _GROUPS, mode=0o644)
    link = directory / "atlantis"
    link.unlink(missing_ok=True)
    link.symlink_to(server)
    if _ISOLATION.is_dir():
        copy = directory / _ISOLATION.name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(_ISOLATION, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        if python := shutil.which("python3", path=PATH):
            subprocess.run([python, "-m", "compileall", "-q", str(copy)], check=True)
        # A checkout may be closed to other users; files of an image aren't.
        for path in (copy, *(path for path in copy.rglob("*") if not path.is_symlink())):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def base_files(image: Path) -> dict[str, Path]:
    """The files of a base image in a container, by path."""
    return {"/etc/passwd": image / "passwd", "/etc/group": image / "group"}


def container_files(image: Path, tools: Path) -> dict[str, Path]:
    """The image's files in a container, by path; ``image`` and ``tools`` are written by the functions of this module."""
    files = {
        f"/usr/local/bin/{ENTRY_POINT}": image / ENTRY_POINT,
        "/usr/local/bin/atlantis": (image / "atlantis").resolve(),
        **base_files(image),
    }
    for name in _PROGRAMS:
        found = Path(shutil.which(name) or tools / name)
        if found.exists() and found.parent not in _SYSTEM:
            files[f"/usr/local/bin/{name}"] = found.resolve()
    if (tools / TERRAFORM_CONFIGURATION).exists():
        files[_CONTAINER_TERRAFORM_CONFIGURATION] = tools / TERRAFORM_CONFIGURATION
    return files


def container_directories(image: Path) -> list[Bind]:
    """The image's directories in a container, and those of this machine that its files refer to."""
    places = provider.places() if (provider := terraform_provider.find()) else []
    if shutil.which("curl") is None:
        # The interpreter of its stand-in.
        places += [Path(sys.prefix), Path(sys.base_prefix)]
    binds = [Bind(place, str(place)) for place in places if not place.is_relative_to("/usr")]
    own = image / _ISOLATION.name
    return [*binds, Bind(own, _CONTAINER_ISOLATION)] if own.is_dir() else binds


def container_environment() -> dict[str, str]:
    """The variables of the image in the sandbox."""
    return {"TF_CLI_CONFIG_FILE": _CONTAINER_TERRAFORM_CONFIGURATION} if terraform_provider.find() else {}


def write_tools(directory: Path) -> list[str]:
    """Write stand-ins for missing tools into ``directory``, which is last on PATH; returns the tools' names."""
    stand_ins = {"curl": _CURL.format(python=sys.executable), "terraform": _TERRAFORM}
    missing = [name for name in stand_ins if shutil.which(name) is None]
    for name in missing:
        write_private(directory / name, stand_ins[name], mode=0o755)
    if provider := terraform_provider.find():
        provider.write_configuration(directory / TERRAFORM_CONFIGURATION)
    return missing
