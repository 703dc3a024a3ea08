"""The programs of the Atlantis image: the server with its entry point, and tools that this machine may lack.

A task in the sandbox can't connect to the Terraform registry. If this machine has the AWS provider, the task's
Terraform is configured to install it from a local mirror.
"""

import shutil
import subprocess
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
"""The image's programs that this machine has elsewhere on its PATH; Terraform has a stand-in."""
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
    binds = [Bind(place, str(place)) for place in places if not place.is_relative_to("/usr")]
    own = image / _ISOLATION.name
    return [*binds, Bind(own, _CONTAINER_ISOLATION)] if own.is_dir() else binds


def container_environment() -> dict[str, str]:
    """The variables of the image in the sandbox."""
    return {"TF_CLI_CONFIG_FILE": _CONTAINER_TERRAFORM_CONFIGURATION} if terraform_provider.find() else {}


def write_tools(directory: Path) -> bool:
    """Write a stand-in for Terraform, if this machine has none, into ``directory``, which is last on PATH; returns whether it has one."""
    found = shutil.which("terraform") is not None
    if not found:
        write_private(directory / "terraform", _TERRAFORM, mode=0o755)
    if provider := terraform_provider.find():
        provider.write_configuration(directory / TERRAFORM_CONFIGURATION)
    return found
