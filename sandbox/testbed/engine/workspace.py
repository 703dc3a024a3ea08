"""The engine's project: copies of the program's YAML files with the sandbox's provider settings, and an environment.

The engine runs in ``<state>/project``, whose ``Pulumi.yaml`` refers to the real program with ``main``. Therefore, the
engine writes nothing into the checkout, and doesn't use the user's Pulumi login, plugins or AWS credentials.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.testbed import local_aws
from sandbox.testbed.engine import installation
from sandbox.testbed.engine.plugins import install_language_host
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_private
from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.paths import ENGINES, STATE_VARIABLE, private_directory
from sandbox.testbed.yaml_files import DUMPER, read_yaml

ADOPTION_VARIABLE = "ATLANTIS_ADOPTION_FILE"
"""Overrides the program's adoption file: the resources in adoption.yaml exist only in the real account."""
_NO_LOGS = """\
This file replaces a folder with an encrypted log of each run, which is for reports to the engine's authors.
Writing it takes a tenth of a preview. Delete this file before a run that you want to report.
"""


@dataclass(frozen=True)
class Workspace:
    """The engine's files for one program, in one state folder."""

    state: Path
    program: Path

    @property
    def project(self) -> Path:
        """The folder that the engine runs in."""
        return self.state / "project"

    @property
    def pulumi_home(self) -> Path:
        """The engine's home folder, with the plugins."""
        return self.state / "pulumi-home"

    @property
    def backend(self) -> Path:
        """The folder in which the engine stores the state of the stack."""
        return self.state / "backend"

    @property
    def adoption_file(self) -> Path:
        """The adoption file of this sandbox, which names the resources to import. It exists only in a rehearsal."""
        return self.state / "adoption.yaml"

    def stack_file(self, stack: str) -> Path:
        """The copy of ``stack``'s settings that the engine reads."""
        return self.project / f"Pulumi.{stack}.yaml"

    def prepare(self, stack: str, settings: Mapping[str, Any], language_host: Path | None) -> None:
        """Write the copies for ``stack`` with exactly these ``settings`` (``namespace:key`` to value).

        ``language_host`` is the installed one; None if the sandbox's own is used.
        """
        for folder in (self.state, self.project, self.pulumi_home, self.backend):
            private_directory(folder)
        if not self._passphrase.exists():
            write_private(self._passphrase, secrets.token_urlsafe(32))
        if not self._engine_logs.exists():
            # Where it can't make this folder, the engine does without: it has no option for that.
            write_private(self._engine_logs, _NO_LOGS)
        self._write_project(language_host)
        copy = self.stack_file(stack)
        document: dict[str, Any] = {"config": dict(settings)}
        if copy.exists():
            # The salt of the passphrase, without which the secrets in the state can't be decrypted.
            salt = _load(copy).get("encryptionsalt")
            if salt:
                document["encryptionsalt"] = salt
        write_private(copy, yaml.dump(document, Dumper=DUMPER, sort_keys=True, allow_unicode=True))

    def source_settings(self, stack: str) -> dict[str, Any]:
        """The settings in the program's stack file of ``stack``."""
        source = self.program / f"Pulumi.{stack}.yaml"
        if not source.exists():
            names = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in self.program.glob("Pulumi.*.yaml"))
            raise SandboxError(f"There is no stack {stack!r}: {source} does not exist. Stacks here: {', '.join(names)}")
        config = _load(source).get("config") or {}
        if not isinstance(config, dict):
            raise SandboxError(f"{source.name} has no `config` mapping")
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
            # The program validates its repository configuration with the Atlantis server that the sandbox has built.
            "PATH": os.pathsep.join(filter(None, [own.get("PATH"), str(ENGINES)])),
            **(aws.environment() if aws else {}),
            STATE_VARIABLE: str(self.state),
            ADOPTION_VARIABLE: str(self.adoption_file),
            # The engine runs for seconds; collecting garbage less often saves a tenth of its processor time.
            "GOGC": "400",
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    @property
    def _engine_logs(self) -> Path:
        return self.pulumi_home / "logs"

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
            # The program uses the sandbox's own packages. Otherwise, an installed language host would use the Python on
            # PATH, or create a missing environment and download its packages.
            document["runtime"] = {"name": name, "options": {**options, "virtualenv": sys.prefix}}
        plugins = document.setdefault("plugins", {})
        for provider in plugins.get("providers", []):
            # The path is relative to the program's folder, not to the copy.
            provider["path"] = os.path.normpath(self.program / provider["path"])
        hosts = {"python": language_host}
        if name != "python":
            hosts[name] = installation.language_host(name)
        plugins["languages"] = [
            {"name": language, "path": str(install_language_host(self.pulumi_home, host))}
            for language, host in hosts.items()
            if host
        ]
        written = yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=True)
        write_private(self.project / "Pulumi.yaml", written)


def clean_environment() -> dict[str, str]:
    """This process's environment without AWS and Pulumi variables, and with NO_PROXY for loopback addresses."""
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
        # Enough for a busy local AWS. With the default of 25, the provider would wait minutes for one that has stopped.
        "aws:maxRetries": 6,
    }


def _load(path: Path) -> dict[str, Any]:
    try:
        document = read_yaml(path)
    except FileNotFoundError:
        raise SandboxError(f"{path} doesn't exist; the sandbox runs a Pulumi program in its own folder") from None
    except UnicodeDecodeError:
        raise SandboxError(f"{path} is not UTF-8") from None
    except yaml.YAMLError as error:
        # The error as text has lines of the file, which can contain a secret.
        mark = getattr(error, "problem_mark", None)
        raise SandboxError(f"{path} is not valid YAML{f' in line {mark.line + 1}' if mark else ''}") from None
    if not isinstance(document, dict):
        raise SandboxError(f"{path} must contain a mapping of keys to values")
    return document
