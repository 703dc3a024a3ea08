"""The policy pack's configuration of a stack, written from its settings: ``python -m preflight.policy_configuration --stack dev``.

The pack is independent of the program and doesn't read its settings. Its allowed ranges and required tags must therefore
agree with them: a range that only the settings allow stops the deployment after other resources are deployed.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.settings import Settings, SettingsError
from preflight.check import Check
from preflight.deployment import Deployment, StackFileError, read_stack_file
from preflight.errors import FailedError, WarnedError

__all__ = ["CHECKS", "Difference", "command", "difference", "file_of", "render", "written"]

PROJECT = Path(__file__).resolve().parents[1]
TEMPLATE = "prod"
"""The stack whose configuration a new stack starts with: the strictest one."""
_WIDTH = 120
_EXECUTORS = {
    "resource": "compute-task",
    "checks": ["non-root-user"],
    "reason": (
        "terraformIsolation: the executors give each checkout a user of its own, which needs the user 0; every capability "
        "that this doesn't need is dropped."
    ),
    "expires": "2027-11-30",
}
"""The exemption of a stack that runs Terraform in containers of its own."""


class ConfigurationError(Exception):
    """A configuration file can't be used. The message names the file and the reason."""


@dataclass(frozen=True)
class Difference:
    """How a configuration file differs from the settings, as sentences.

    Attributes:
        stopping: what stops the deployment, or the missing file.
        other: what the pack allows although the settings don't use it.
    """

    stopping: list[str]
    other: list[str]


def command(stack: str) -> str:
    """The command that writes the configuration of ``stack``."""
    return f"make policy-config STACK={stack}"


def file_of(stack: str, project: Path = PROJECT) -> Path:
    """The configuration file of ``stack``."""
    return project / "policy" / "config" / f"{stack}.json"


def difference(settings: Settings, stack: str, project: Path = PROJECT) -> Difference:
    """Compare the configuration file of ``stack`` with its settings. An unreadable file is a stopping difference."""
    file = file_of(stack, project)
    name = file.relative_to(project)
    if not file.is_file():
        return Difference([f"{name} doesn't exist, so the policy pack has no allowed ranges"], [])
    try:
        current = _read(file)
    except ConfigurationError as error:
        return Difference([str(error)], [])
    have, want = _allowed(current), _ranges(settings)
    blocked = [block for block in want if block not in have]
    unused = [block for block in have if block not in want]
    unset = [tag for tag in _option(current, "required-tags").get("tags", ()) if tag not in settings.tags]
    stopping = [f"{name} doesn't allow {', '.join(blocked)}, which the settings allow"] if blocked else []
    exempted = _EXECUTORS in _option(current, "containers").get("exemptions", [])
    if _has_root(settings) and not exempted:
        stopping.append(
            f"{name} has no exemption for the containers of terraformIsolation and caCertificates, which run as the user 0"
        )
    stopping += [f"{name} requires the tags {', '.join(unset)}, which the stack doesn't set"] if unset else []
    other = [f"{name} allows {', '.join(unused)}, which the settings don't use"] if unused else []
    if exempted and not _has_root(settings):
        other.append(
            f"{name} has an exemption for the containers of terraformIsolation and caCertificates, which the settings don't use"
        )
    return Difference(stopping, other)


def written(settings: Settings, current: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the ranges of ``settings`` and the exemption that it needs, without tags that the stack doesn't set.

    Other exemptions and levels stay.
    """
    changed: dict[str, dict[str, Any]] = {"cidr-restriction": {"allowedCidrBlocks": _ranges(settings)}}
    if tags := _option(current, "required-tags").get("tags"):
        changed["required-tags"] = {"tags": [tag for tag in tags if tag in settings.tags]}
    containers = _option(current, "containers")
    exemptions = [each for each in containers.get("exemptions", []) if each != _EXECUTORS]
    if _has_root(settings):
        exemptions.append(_EXECUTORS)
    if exemptions != containers.get("exemptions", []):
        changed["containers"] = {"exemptions": exemptions}
    new = {policy: {**_option(current, policy), **values} for policy, values in changed.items()}
    return {**current, **new}


def policy_configuration(deployment: Deployment) -> str:
    """The policy pack's configuration agrees with the settings."""
    found = difference(deployment.settings, deployment.stack)
    remedy = command(deployment.stack)
    if found.stopping:
        raise FailedError("; ".join(found.stopping), remedy)
    if found.other:
        raise WarnedError("; ".join(found.other), f"{remedy}, or keep them for other stacks")
    return f"{file_of(deployment.stack).relative_to(PROJECT)} agrees with the settings"


CHECKS = (Check("policy pack", "configuration", policy_configuration),)


def _has_root(settings: Settings) -> bool:
    """Whether a container of the stack runs as root."""
    return settings.terraform.isolates or settings.outbound.ca_certificates is not None


def _ranges(settings: Settings) -> list[str]:
    """The ranges that may reach the server, in the settings' order."""
    return list(dict.fromkeys([*settings.ingress.allowed_cidr_blocks, *settings.webhook_cidr_blocks]))


def _allowed(configuration: Mapping[str, Any]) -> list[str]:
    return _option(configuration, "cidr-restriction").get("allowedCidrBlocks", [])


def _option(configuration: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """The configuration of ``policy`` as an object. A string sets only the enforcement level."""
    value = configuration.get(policy, {})
    return {"enforcementLevel": value} if isinstance(value, str) else dict(value)


def _read(file: Path) -> dict[str, Any]:
    try:
        configuration = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} can't be read: {error}") from None
    if not isinstance(configuration, dict):
        raise ConfigurationError(f"{file} must contain an object that maps policies to their configuration")
    return configuration


def render(value: Any, indent: str = "") -> str:
    """JSON with each list of strings on one line if it fits, as the files in the repository are written."""
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = f"{indent}  "
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {render(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    line = json.dumps(value, ensure_ascii=False)
    if all(isinstance(each, str) for each in value) and len(indent) + len(line) <= _WIDTH - 30:
        return line
    return "[\n" + ",\n".join(f"{inner}{render(each, inner)}" for each in value) + f"\n{indent}]"


def main() -> int:
    """Write the configuration of the command line's stack; returns 2 if its settings or the file can't be used."""
    parser = argparse.ArgumentParser(description="Write the policy pack's configuration from a stack's settings.")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--project", type=Path, default=PROJECT, help="the folder of the program (default: this one)")
    given = parser.parse_args()
    project = given.project.resolve()
    file = file_of(given.stack, project)
    try:
        settings = read_stack_file(project / f"Pulumi.{given.stack}.yaml", given.stack)
        current = _read(file if file.is_file() else file_of(TEMPLATE, project))
    except (StackFileError, SettingsError, ConfigurationError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = render(written(settings, current)) + "\n"
    verb = "is up to date" if file.is_file() and file.read_text(encoding="utf-8") == text else "is written"
    file.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{file.relative_to(project)} {verb}; it allows {', '.join(_ranges(settings))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
