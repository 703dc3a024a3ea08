"""The policy pack's configuration of a stack, written from its settings: ``python -m preflight.policy_configuration --stack dev``.

The pack is independent of the program and doesn't read its settings. Its allowed ranges and required tags must therefore
agree with them: a range that only the settings allow stops the deployment after other resources are deployed.
"""

import datetime
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.configuration.secret_names import redacted
from components.settings import Settings, SettingsError
from components.settings.stack_file import StackFileError
from policy.check_configuration import problems
from preflight.check import Check
from preflight.deployment import PROJECT, Deployment, read_stack_file
from preflight.errors import FailedError, WarnedError
from preflight.printed import Parser

TEMPLATE = "prod"
"""The stack whose configuration a new stack starts with: the strictest one."""
_WIDTH = 120
DAYS = 365
"""How long a written exemption lasts. Its date stays, so that somebody reviews it on the last day."""


@dataclass(frozen=True)
class Exemption:
    """A resource that violates the pack with certain settings, for a reason that the stack can't remove."""

    policy: str
    resource: str
    checks: tuple[str, ...]
    needed: Callable[[Settings], bool]
    reason: str


def _has_root(settings: Settings) -> bool:
    """Whether a container of the stack runs as root."""
    others = any(container.user.startswith("0:") for container in settings.task.extra_containers)
    return others or settings.terraform.isolates or settings.outbound.ca_certificates is not None


_NEEDED: Mapping[str, Callable[[Settings], bool]] = {
    "efsEncryptionKey aws": lambda settings: settings.storage.efs_encryption_key == "aws",
    "every stack": lambda _: True,
    "a container of the user 0": _has_root,
    "terraformIsolation tasks": lambda settings: settings.terraform.isolates,
    "its own secret of the App": lambda settings: settings.vcs.is_app and settings.credentials_secret_name is None,
    "its own secret of the token": lambda settings: (
        not settings.vcs.is_app and settings.credentials_secret_name is None
    ),
    "its own webhook secret": lambda settings: settings.server.webhook_secret_name is None,
    "a generated password": lambda settings: settings.sign_in.generates_password,
    "driftProjects": lambda settings: settings.drift.enabled,
    "lockingDatabase redis": lambda settings: settings.storage.uses_redis,
    "deletionProtection false": lambda settings: not settings.operations.deletion_protection,
}
EXEMPTIONS: tuple[Exemption, ...] = tuple(
    Exemption(**{**row, "checks": tuple(row["checks"]), "needed": _NEEDED[row["needed"]]})
    for row in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
)
_IN_EVERY_STACK = ("*", "compute-task", "storage-efs")


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
    have, want = _option(current, "cidr-restriction").get("allowedCidrBlocks", []), _ranges(settings)
    blocked = [block for block in want if block not in have]
    unused = [block for block in have if block not in want]
    unset = [tag for tag in _option(current, "required-tags").get("tags", ()) if tag not in settings.tags]
    stopping = [f"{name} doesn't allow {', '.join(blocked)}, which the settings allow"] if blocked else []
    stopping += [f"{name} requires the tags {', '.join(unset)}, which the stack doesn't set"] if unset else []
    stopping += [f"{name} has no exemption for {_named(each)}" for each in _lacking(settings, current)]
    other = [f"{name} allows {', '.join(unused)}, which the settings don't use"] if unused else []
    other += [
        f"{name} has an exemption that the settings don't need, for {_named(each)}"
        for each in _spare(settings, current)
    ]
    return Difference([*map(redacted, stopping)], [*map(redacted, other)])


def written(settings: Settings, current: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the ranges of ``settings`` and the exemptions that they need, without tags that the stack doesn't set.

    Exemptions of others, and the reason and the last day of those that exist, stay, as do levels.
    """
    changed: dict[str, dict[str, Any]] = {"cidr-restriction": {"allowedCidrBlocks": _ranges(settings)}}
    if tags := _option(current, "required-tags").get("tags"):
        changed["required-tags"] = {"tags": [tag for tag in tags if tag in settings.tags]}
    last_day = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=DAYS)).isoformat()
    lacking, spare = _lacking(settings, current), _spare(settings, current)
    for policy in dict.fromkeys(each.policy for each in (*spare, *lacking)):
        unneeded = [(each.resource, each.reason) for each in spare if each.policy == policy]
        kept = [each for each in _exemptions(current, policy) if (each["resource"], each["reason"]) not in unneeded]
        added = [
            {"resource": each.resource, "checks": list(each.checks), "reason": each.reason, "expires": last_day}
            for each in lacking
            if each.policy == policy
        ]
        changed[policy] = {"exemptions": [*kept, *added]}
    new = {policy: {**_option(current, policy), **values} for policy, values in changed.items()}
    return {**current, **new}


def of_stack(settings: Settings, stack: str, project: Path = PROJECT) -> dict[str, Any]:
    """What the command writes for ``stack``, whose file may not exist yet.

    Raises:
        ConfigurationError: the file can't be used.
    """
    file = file_of(stack, project)
    return written(settings, _read(file if file.is_file() else file_of(TEMPLATE, project)))


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


def _named(exemption: Exemption) -> str:
    return f"{exemption.resource} ({exemption.policy}: {', '.join(exemption.checks)}): {exemption.reason.rstrip('.')}"


def _lacking(settings: Settings, current: Mapping[str, Any]) -> list[Exemption]:
    """The exemptions that the settings need and that the configuration lacks."""
    return [
        each
        for each in EXEMPTIONS
        if each.needed(settings)
        and _is_mandatory(current, each.policy)
        and not any(
            found.get("resource") == each.resource and set(each.checks) <= set(found.get("checks") or each.checks)
            for found in _exemptions(current, each.policy)
        )
    ]


def _spare(settings: Settings, current: Mapping[str, Any]) -> list[Exemption]:
    """The exemptions that this command wrote for other settings, of resources that these settings have too."""
    return [
        each
        for each in EXEMPTIONS
        if not each.needed(settings)
        and each.resource in _IN_EVERY_STACK
        and any(
            (found.get("resource"), found.get("reason")) == (each.resource, each.reason)
            for found in _exemptions(current, each.policy)
        )
    ]


def _is_mandatory(current: Mapping[str, Any], policy: str) -> bool:
    """Whether violations stop the deployment: by the configuration, or by the pack's default."""
    default = "mandatory" if policy == "encryption" else "advisory"
    return _option(current, policy).get("enforcementLevel", default) in ("mandatory", "remediate")


def _exemptions(current: Mapping[str, Any], policy: str) -> list[dict[str, Any]]:
    return _option(current, policy).get("exemptions", [])


def _ranges(settings: Settings) -> list[str]:
    """The ranges that may reach the server, in the settings' order."""
    return list(dict.fromkeys([*settings.ingress.allowed_cidr_blocks, *settings.webhook_cidr_blocks]))


def _option(configuration: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """The configuration of ``policy`` as an object. A string sets only the enforcement level."""
    value = configuration.get(policy, {})
    return {"enforcementLevel": value} if isinstance(value, str) else dict(value)


def _read(file: Path) -> dict[str, Any]:
    if found := problems(file):
        raise ConfigurationError("; ".join(found))
    return json.loads(file.read_text(encoding="utf-8"))


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
    parser = Parser(description="Write the policy pack's configuration from a stack's settings.")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--project", type=Path, default=PROJECT, help="the folder of the program (default: this one)")
    given = parser.parse_args()
    project = given.project.resolve()
    file = file_of(given.stack, project)
    try:
        settings = read_stack_file(project / f"Pulumi.{given.stack}.yaml", given.stack)
        text = render(of_stack(settings, given.stack, project)) + "\n"
    except (StackFileError, SettingsError, ConfigurationError) as error:
        sys.stderr.write(redacted(f"{error}\n"))
        return 2
    verb = "is up to date" if file.is_file() and file.read_text(encoding="utf-8") == text else "is written"
    file.write_text(text, encoding="utf-8")
    sys.stdout.write(redacted(f"{file.relative_to(project)} {verb}; it allows {', '.join(_ranges(settings))}\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
