"""Downloads a release of the Pulumi CLI where the machine may, which is faster than building it.

The archive has the language hosts too, which the sandbox doesn't use. `PulumiCommand.install` of Pulumi's Automation API (3.259) runs
the script that get.pulumi.com returns, without a checksum and a time limit.
"""

import hashlib
import os
import platform
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import IO

from sandbox.testbed import console

ARCHIVES = "https://get.pulumi.com/releases/sdk"
CHECKSUMS = "https://github.com/pulumi/pulumi/releases/download"
PATIENCE_SECONDS = 5.0
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def download(version: str, executable: Path) -> bool:
    """Write the release's `pulumi` to ``executable``. False, with the reason printed, if a host doesn't answer or the checksum differs."""
    name = f"pulumi-{version}-{sys.platform}-{_MACHINES.get(platform.machine().lower(), 'unknown')}.tar.gz"
    try:
        expected = _checksum(f"{CHECKSUMS}/{version}/pulumi-{version.removeprefix('v')}-checksums.txt", name)
        with tempfile.TemporaryFile() as archive:
            digest = hashlib.sha256()
            with urllib.request.urlopen(f"{ARCHIVES}/{name}", timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - a constant
                while block := answer.read(1 << 20):
                    digest.update(block)
                    archive.write(block)
            archive.seek(0)
            _extract(archive, executable, digest.hexdigest(), expected)
    # A host that doesn't answer, a broken archive, and a release without this platform: the build does what the download couldn't.
    except (OSError, ValueError, tarfile.TarError, KeyError) as problem:
        console.step(f"The Pulumi CLI {version} is built, because its release can't be downloaded: {problem}")
        return False
    console.step(f"Downloaded the Pulumi CLI {version} from {ARCHIVES}, with the SHA-256 of its release")
    return True


def _checksum(address: str, name: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - a constant
        lines = (line.split() for line in answer.read().decode().splitlines())
        found = {words[1].lstrip("*"): words[0] for words in lines if len(words) == 2}
    if name not in found:
        raise ValueError(f"{address} has no {name}")
    return found[name].lower()


def _extract(archive: IO[bytes], executable: Path, digest: str, expected: str) -> None:
    if digest != expected:
        raise ValueError(f"its SHA-256 is {digest}, not {expected}")
    executable.parent.mkdir(parents=True, exist_ok=True)
    draft = executable.with_name(f".{executable.name}.{os.getpid()}")
    try:
        with tarfile.open(fileobj=archive, mode="r:gz") as files, draft.open("wb") as program:
            content = files.extractfile("pulumi/pulumi")
            if content is None:
                raise ValueError("its pulumi/pulumi isn't a file")
            while block := content.read(1 << 20):
                program.write(block)
        draft.chmod(0o755)
        draft.replace(executable)
    finally:
        draft.unlink(missing_ok=True)
