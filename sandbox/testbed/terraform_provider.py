"""Finds the official Terraform AWS provider on this machine. Nothing here downloads it, or any other provider.

Terraform's own directories are searched first: the mirrors of its CLI configuration, its plugin cache and its implied
local mirrors. /opt and /usr/local follow and, on request, the whole machine, which can take a minute. The result is
cached.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.testbed import console
from sandbox.testbed.files import read_json, write_json, write_private
from sandbox.testbed.paths import CACHE

VERSION = "5.100.0"
OWN_MIRROR = CACHE / "terraform-providers"
"""The mirror of providers that a rehearsal downloads or finds in the rehearsed repository."""
_EXECUTABLE = f"terraform-provider-aws_v{VERSION}"
_LAYOUT = ("hashicorp", "aws", VERSION)
_NOT_SEARCHED = frozenset({"/proc", "/sys", "/dev", "/run"})
_NOT_ENTERED = frozenset({".git", "node_modules", "site-packages", "__pycache__", ".sandbox", ".venv"})


@dataclass(frozen=True)
class TerraformProvider:
    """The provider in a directory that Terraform accepts as a mirror.

    Attributes:
        mirror: the directory that contains ``<host>/hashicorp/aws/<version>/<platform>/``.
        of_opentofu: the same for OpenTofu, whose full names of providers have another host; None without OpenTofu.
    """

    mirror: Path
    of_opentofu: Path | None = None

    def places(self) -> list[Path]:
        """The directories that must exist where Terraform installs providers: the mirrors, and those that links lead to."""
        mirrors = self._mirrors()
        links = (path for mirror in mirrors for path in mirror.rglob(f"{_EXECUTABLE}*") if path.is_symlink())
        return [*mirrors, *{link.resolve().parent for link in links}, *self._others()]

    def _mirrors(self) -> list[Path]:
        return [mirror for mirror in (self.mirror, self.of_opentofu) if mirror]

    def _others(self) -> list[Path]:
        """The mirror for rehearsals, and the user's own mirrors and plugin cache, as far as they exist."""
        _make_readable(OWN_MIRROR)
        found = (place for place in (OWN_MIRROR, *_own_places()) if place.is_dir() and place != self.mirror)
        return list(dict.fromkeys(found))

    def write_configuration(self, file: Path) -> None:
        """Write a CLI configuration that installs every provider from this machine only.

        This provider comes from its mirror. Others come from the user's own mirrors and plugin cache.
        Nothing is installed directly, because the sandbox reaches no registry: Terraform then names the provider that is
        missing, and the folders that it searched.
        """
        write_private(
            file,
            "disable_checkpoint = true\n"
            "provider_installation {\n"
            + "".join(
                f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["hashicorp/aws"]\n  }}\n'
                for mirror in self._mirrors()
            )
            + "".join(
                f'  filesystem_mirror {{\n    path    = "{place}"\n    exclude = ["hashicorp/aws"]\n  }}\n'
                for place in self._others()
            )
            # The attacks' pull requests contain their providers. Terraform fails if it has to search a folder that doesn't
            # exist, so it searches there only for these. Their host is a reserved name without a registry.
            + '  filesystem_mirror {\n    path    = "terraform.d/plugins"\n    include = ["attack.example/*/*"]\n  }\n'
            "}\n",
            mode=0o644,
        )


def find(*, everywhere: bool = False) -> TerraformProvider | None:
    """The provider in version ``VERSION``; None if the provider or ``terraform`` isn't installed."""
    if shutil.which("terraform") is None:
        return None
    note = CACHE / "terraform-provider.json"
    known = read_json(note) or {}
    executable = Path(known.get("executable") or "")
    # The few places are searched again: the provider may have been installed since. The whole machine isn't.
    searched = known.get("version") == VERSION and (known["everywhere"] if everywhere else known["executable"])
    if not searched or (known["executable"] and not executable.is_file()):
        found = _search(everywhere=everywhere)
        write_json(note, {"version": VERSION, "executable": str(found or ""), "everywhere": everywhere or bool(found)})
        executable = found or Path()
    if not executable.is_file():
        return None
    opentofu = _linked(executable, CACHE / "opentofu-mirror", "tofu") if shutil.which("tofu") else None
    return TerraformProvider(_mirror(executable), opentofu)


def _search(*, everywhere: bool) -> Path | None:
    for place in (*_own_places(), Path("/opt"), Path("/usr/local")):
        if found := next(_executables(place), None):
            return found
    if not everywhere:
        return None
    with console.timed(f"Searching this machine for the Terraform AWS provider {VERSION}: once"):
        return next(_executables(Path("/")), None)


def _own_places() -> Iterator[Path]:
    configuration = Path(os.environ.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    if os.access(configuration, os.R_OK) and configuration.is_file():
        text = configuration.read_text(encoding="utf-8", errors="replace")
        yield from map(Path, re.findall(r'(?:path|plugin_cache_dir)\s*=\s*"([^"]+)"', text))
    if cache := os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(cache)
    yield Path.home() / ".terraform.d" / "plugins"
    data = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    yield from (Path(directory) / "terraform" / "plugins" for directory in data.split(":"))


def _executables(root: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in _NOT_ENTERED and os.path.join(directory, name) not in _NOT_SEARCHED  # noqa: PTH118
        ]
        for name in files:
            path = Path(directory, name)
            if name.startswith(_EXECUTABLE) and os.access(path, os.X_OK):
                yield path


def _mirror(executable: Path) -> Path:
    """The mirror that contains ``executable``, or a new one with a link to it."""
    platform = executable.parent
    if (*(parent.name for parent in reversed(platform.parents[:3])),) == _LAYOUT:
        return platform.parents[4]
    return _linked(executable, CACHE / "terraform-mirror", "terraform")


def _linked(executable: Path, mirror: Path, program: str) -> Path:
    """Add a link to ``executable`` to ``mirror``, under the provider's full name in ``program``."""
    if next(mirror.glob(f"*/{'/'.join(_LAYOUT)}/*/{executable.name}"), None):
        return mirror
    host, platform_name = _address(program)
    package = mirror.joinpath(host, *_LAYOUT, platform_name)
    _make_readable(package)
    link = package / executable.name
    if not link.exists():
        link.symlink_to(executable)
    return mirror


def _make_readable(directory: Path) -> None:
    """Create a directory that the task's user can read too, whatever the umask: the commands create private files."""
    for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o755)


def _address(program: str) -> tuple[str, str]:
    """The host in the provider's full name, and this machine's platform, as ``program`` (terraform or tofu) reports them."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "main.tf").write_text(
            'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n', encoding="utf-8"
        )
        required = _run(program, "providers", directory)
        version = _run(program, "version", directory)
    host = re.search(r"provider\[([^/\]]+)/hashicorp/aws\]", required)
    platform = re.search(r"^on (\w+)$", version, re.MULTILINE)
    if host is None or platform is None:
        raise ValueError(
            f"`{program} providers` and `{program} version` returned unexpected output:\n{required}{version}"
        )
    return host[1], platform[1]


def _run(program: str, verb: str, directory: str) -> str:
    return subprocess.run([program, verb], cwd=directory, capture_output=True, text=True, check=True).stdout
