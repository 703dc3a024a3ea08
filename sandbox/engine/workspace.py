"""The engine's view of the project: copies of its YAML files with the sandbox's provider settings, and an environment.

The engine works in ``<state>/project``, whose ``Pulumi.yaml`` names the real program by ``main``. So nothing is
written into the checkout, and the person's own Pulumi login, plugins and AWS credentials are out of reach.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import local_aws
from sandbox.engine import installation
from sandbox.engine.plugins import install_language_host
from sandbox.errors import SandboxError
from sandbox.files import write_private
from sandbox.local_aws import LocalAws
from sandbox.paths import ENGINES, STATE_VARIABLE, private_directory

__all__ = ["Workspace", "clean_environment", "provider_settings"]

ADOPTION_VARIABLE = "ATLANTIS_ADOPTION_FILE"
"""Keeps the program from importing what the checkout's adoption.yaml names: those things are in the real account."""


@dataclass(frozen=True)
class Workspace:
    """Where one state folder keeps the engine's files for one program."""

    state: Path
    program: Path

    @property
    def project(self) -> Path:
        """The folder that the engine runs in."""
        return self.state / "project"

    @property
    def pulumi_home(self) -> Path:
        """The engine's own folder, with the plugins."""
        return self.state / "pulumi-home"

    @property
    def backend(self) -> Path:
        """Where the engine keeps the state of the stack."""
        return self.state / "backend"

    @property
    def adoption_file(self) -> Path:
        """What the program imports in this sandbox; there is none but in a rehearsal."""
        return self.state / "adoption.yaml"

    def stack_file(self, stack: str) -> Path:
        """The copy of ``stack``'s settings that the engine reads."""
        return self.project / f"Pulumi.{stack}.yaml"

    def prepare(self, stack: str, settings: Mapping[str, Any], language_host: Path | None) -> None:
        """Write the copies for ``stack`` with exactly these ``settings`` (``namespace:key`` to value).

        ``language_host`` is the installed one; None where the sandbox's own is used.
        """
        for folder in (self.state, self.project, self.pulumi_home, self.backend):
            private_directory(folder)
        if not self._passphrase.exists():
            write_private(self._passphrase, secrets.token_urlsafe(32))
        self._write_project(language_host)
        copy = self.stack_file(stack)
        document: dict[str, Any] = {"config": dict(settings)}
        if copy.exists():
            # The salt of the passphrase: without it the state's secrets could not be read again.
            salt = _load(copy).get("encryptionsalt")
            if salt:
                document["encryptionsalt"] = salt
        write_private(copy, yaml.safe_dump(document, sort_keys=True, allow_unicode=True))

    def source_settings(self, stack: str) -> dict[str, Any]:
        """The settings in the program's own file of ``stack``."""
        source = self.program / f"Pulumi.{stack}.yaml"
        if not source.exists():
            names = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in self.program.glob("Pulumi.*.yaml"))
            raise SandboxError(f"There is no stack {stack!r}: {source} does not exist. Stacks here: {', '.join(names)}")
        config = _load(source).get("config") or {}
        encrypted = [key for key, value in config.items() if isinstance(value, dict) and "secure" in value]
        if encrypted:
            raise SandboxError(
                f"{source.name} has encrypted settings ({', '.join(encrypted)}), which only the owner of their key "
                f"can decrypt. The sandbox supports only plaintext settings: store secrets in Secrets Manager, as the program does."
            )
        return config

    def environment(self, aws: LocalAws | None) -> dict[str, str]:
        """The environment of the engine and its child processes; ``aws`` is None if the local AWS isn't running."""
        own = clean_environment()
        return {
            **own,
            # The server that the sandbox has built judges the program's repository configuration.
            "PATH": os.pathsep.join(filter(None, [own.get("PATH"), str(ENGINES)])),
            **(aws.environment() if aws else {}),
            STATE_VARIABLE: str(self.state),
            ADOPTION_VARIABLE: str(self.adoption_file),
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    @property
    def _passphrase(self) -> Path:
        return self.state / "passphrase"

    def _write_project(self, language_host: Path | None) -> None:
        document = _load(self.program / "Pulumi.yaml")
        document["main"] = str(self.program)
        runtime = document.get("runtime")
        name, options = str(runtime), {}
        if isinstance(runtime, dict):
            name, options = str(runtime["name"]), runtime.get("options") or {}
        if name == "python":
            # The packages that the sandbox itself runs with: an installed language host would take PATH's Python, or create an
            # environment that is missing, and fill it from the internet.
            document["runtime"] = {"name": name, "options": {**options, "virtualenv": sys.prefix}}
        plugins = document.setdefault("plugins", {})
        for provider in plugins.get("providers", []):
            # Relative to the program, not to the copy.
            provider["path"] = os.path.normpath(self.program / provider["path"])
        hosts = {"python": language_host}
        if name != "python":
            hosts[name] = installation.language_host(name)
        plugins["languages"] = [
            {"name": language, "path": str(install_language_host(self.pulumi_home, host))}
            for language, host in hosts.items()
            if host
        ]
        write_private(self.project / "Pulumi.yaml", yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def clean_environment() -> dict[str, str]:
    """This process's environment without real AWS credentials and Pulumi settings, and with no proxy before loopback."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_", "PYTHONPATH"))}
    direct = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), "127.0.0.1", "localhost"]))
    return {**kept, "NO_PROXY": direct, "no_proxy": direct}


def provider_settings(aws: LocalAws) -> dict[str, Any]:
    """Settings that point the AWS provider at ``aws``."""
    return {
        "aws:region": aws.region,
        "aws:accessKey": local_aws.ROOT_KEY,
        "aws:secretKey": local_aws.ROOT_KEY,
        "aws:endpoints": [dict.fromkeys(local_aws.SERVICES, aws.endpoint)],
        "aws:skipCredentialsValidation": True,
        "aws:skipMetadataApiCheck": True,
        "aws:s3UsePathStyle": True,
        # Enough for a local AWS that is busy; the default of 25 waits minutes for one that has gone.
        "aws:maxRetries": 6,
    }


def _load(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SandboxError(f"{path} doesn't exist; the sandbox runs a Pulumi program in its own folder") from None
    except yaml.YAMLError as error:
        raise SandboxError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise SandboxError(f"{path} must contain a mapping of keys to values")
    return document
