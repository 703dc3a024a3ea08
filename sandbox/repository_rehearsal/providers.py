"""Makes the providers of a rehearsed repository available to the task: vendored ones, and downloads that were asked for."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sandbox.testbed import console, locks
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.terraform_provider import OWN_MIRROR

_VENDORED = "terraform.d/plugins"
_PACKAGE = "*/*/*/*/*"
"""Host, namespace, type, version and platform: the folders of an unpacked provider in a mirror."""
_REQUIRED = re.compile(r"provider\[(?P<source>[^\]]+)\](?: (?P<version>\S.*))?$", re.MULTILINE)
_MISSING = re.compile(r"(?:list of available versions for provider|for\s+provider)\s+(?P<source>[\w./-]+)")
_PROGRESS = re.compile(r"^(?:- |Initializing |Upgrading |Downloading ).*\n", re.MULTILINE)
"""Lines of Terraform's standard output: Atlantis may write them between the lines of an error, which are another stream."""
_OF_THE_SANDBOX = ("/hashicorp/aws", "terraform.io/builtin/terraform")


@contextlib.contextmanager
def vendored(tree: Path) -> Iterator[list[str]]:
    """Copy the providers below each ``terraform.d/plugins`` of ``tree`` to the mirror, and remove them at the end.

    Terraform itself searches this folder only if its configuration names no mirror. The mirror serves every stack of the checkout,
    so a rehearsal with such providers waits for another one's end. Yields their paths in the mirror.
    """
    packages = {
        package.relative_to(folder): package
        for folder in sorted(tree.rglob(_VENDORED))
        for package in folder.glob(_PACKAGE)
    }
    if not packages:
        yield []
        return
    with locks.one_run(OWN_MIRROR.with_name(f"{OWN_MIRROR.name}-vendored"), "rehearse"):
        copied = [path for path in packages if not (OWN_MIRROR / path).exists()]
        try:
            for path in copied:
                shutil.copytree(packages[path], OWN_MIRROR / path)
            yield list(map(str, copied))
        finally:
            for path in copied:
                shutil.rmtree(OWN_MIRROR / path, ignore_errors=True)


def required(project: Path) -> Mapping[str, list[str]]:
    """The version constraints of each provider that the configuration in ``project`` needs, except the sandbox' own.

    Raises:
        SandboxError: Terraform can't read the configuration.
    """
    with tempfile.TemporaryDirectory() as temporary:
        environment = os.environ | {"TF_DATA_DIR": temporary}
        _terraform(["get"], project, environment)
        found: dict[str, list[str]] = {}
        for item in _REQUIRED.finditer(_terraform(["providers"], project, environment)):
            if not item["source"].endswith(_OF_THE_SANDBOX):
                found.setdefault(item["source"], []).extend([item["version"]] if item["version"] else [])
        return found


def download(projects: Iterable[Path]) -> list[str]:
    """Download the providers of ``projects`` into the mirror, as the user's own Terraform installs them.

    Raises:
        SandboxError: Terraform can't install one of them. The message has its reason.
    """
    wanted: dict[str, set[str]] = {}
    for project in projects:
        for source, versions in required(project).items():
            wanted.setdefault(source, set()).update(versions)
    if not wanted:
        return []
    blocks = "".join(
        f'    p{number} = {{\n      source  = "{source}"\n      version = "{", ".join(sorted(versions)) or ">= 0"}"\n    }}\n'
        for number, (source, versions) in enumerate(sorted(wanted.items()))
    )
    with tempfile.TemporaryDirectory() as temporary:
        text = f"terraform {{\n  required_providers {{\n{blocks}  }}\n}}\n"
        Path(temporary, "main.tf").write_text(text, encoding="utf-8")
        console.step(f"Downloading {', '.join(sorted(wanted))}")
        environment = os.environ | {"TF_PLUGIN_CACHE_DIR": str(OWN_MIRROR)}
        _terraform(["init", "-input=false", "-no-color"], Path(temporary), environment)
    return sorted(wanted)


def missing(text: str) -> list[str]:
    """The providers that Terraform couldn't find, from its error messages."""
    found = (item["source"] for item in _MISSING.finditer(re.sub(r"\n[\u2502|]?\s*", " ", _PROGRESS.sub("", text))))
    return list(dict.fromkeys(source.rstrip(".:,") for source in found if source.count("/")))


def _terraform(arguments: list[str], directory: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["terraform", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SandboxError(f"terraform {arguments[0]} failed in {directory}:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout
