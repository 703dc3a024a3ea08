"""A copy of what a team has committed: the tree of a revision, with its submodules."""

import re
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError

_WORKING_FILES = shutil.ignore_patterns(".terraform", "*.tfstate", "*.tfstate.*", ".git", ".terragrunt-cache")
_SUBMODULE = "160000"
_LOCK_FILE = ".terraform.lock.hcl"
_BACKEND = re.compile(r'^\s*backend\s+"(?P<kind>\w+)"\s*\{(?P<body>.*?)^\s*\}', re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r'^\s*(?P<name>\w+)\s*=\s*"(?P<value>[^"]*)"', re.MULTILINE)


def is_repository(source: Path) -> bool:
    """Whether ``source`` is the root of a git repository's working directory."""
    return (source / ".git").exists()


def copy_of(source: Path, revision: str, target: Path) -> None:
    """Write the committed files of ``revision`` into ``target``; of a folder without git, all except working files.

    The lock files of the providers are left out, because the sandbox has other versions than they name.

    Raises:
        SandboxError: the revision doesn't exist, or a submodule isn't checked out.
    """
    if is_repository(source):
        _extract(source, revision, target)
    else:
        shutil.copytree(source, target, ignore=_WORKING_FILES, symlinks=True, dirs_exist_ok=True)
    _remove_outside_links(target)
    for file in target.rglob(_LOCK_FILE):
        file.unlink()


def state_places(tree: Path) -> list[dict[str, str]]:
    """The settings of each S3 backend in the tree; raises ``SandboxError`` for another backend that needs a service."""
    found = []
    for file in sorted(tree.rglob("*.tf")):
        for block in _BACKEND.finditer(file.read_text(encoding="utf-8")):
            if block["kind"] not in ("s3", "local"):
                raise SandboxError(
                    f"{file.relative_to(tree)} keeps its state in a backend {block['kind']}, which the sandbox doesn't have. "
                    "Rehearse a branch with an s3 or local backend"
                )
            if block["kind"] == "s3":
                found.append({item["name"]: item["value"] for item in _SETTING.finditer(block["body"])})
    return found


def _extract(source: Path, revision: str, target: Path) -> None:
    archive = _git(source, "archive", "--format=tar", revision)
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        # Python before 3.11.4 has no filters. The archive is git's, whose paths stay in the tree.
        tar.extraction_filter = getattr(tarfile, "tar_filter", lambda member, _path: member)
        tar.extractall(target)  # noqa: S202
    listing = _git(source, "ls-tree", "-r", "--full-tree", revision).decode()
    for line in listing.splitlines():
        entry, _, path = line.partition("\t")
        mode, _, commit = entry.split()
        if mode != _SUBMODULE:
            continue
        if not is_repository(source / path):
            raise SandboxError(
                f"The submodule {path} of {source} isn't checked out. Run `git submodule update --init {path}` there"
            )
        _extract(source / path, commit, target / path)


def _remove_outside_links(tree: Path) -> None:
    """Remove links that lead out of the repository: nothing is there in the task, and here it is the user's own file."""
    for path in sorted(tree.rglob("*")):
        if path.is_symlink() and not path.resolve().is_relative_to(tree.resolve()):
            console.note(
                f"the link {path.relative_to(tree)} leads out of the repository, to {path.readlink()}; it is left out"
            )
            path.unlink()


def _git(directory: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, check=False)
    if done.returncode:
        raise SandboxError(f"git {' '.join(arguments)} failed in {directory}: {done.stderr.decode().strip()}")
    return done.stdout
