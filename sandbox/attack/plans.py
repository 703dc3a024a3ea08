"""Attacks with Terraform alone: functions and provisioners that run as Atlantis' user, without a provider."""

import re
from collections.abc import Callable

from sandbox.attack.pull_requests import applied, planned
from sandbox.attack.row import Outcome, Row, SkippedError, files, row
from sandbox.attack.secret_forms import found_in, shows
from sandbox.attack.target import Target


def _in_environment(target: Target) -> str:
    """The name of a variable that isn't secret: if a plan really read an environment, its output contains it."""
    return "AWS_CONFIG_FILE" if target.isolated else "ATLANTIS_REPO_ALLOWLIST"


def _in_command_lines(target: Target) -> str:
    return "bin/executor\0plan" if target.isolated else "server\0--config"


def secrets_in(target: Target, text: str) -> Outcome:
    """An attempt that succeeded if ``text`` contains a secret of the task in any form."""
    found = found_in(text, target.secrets)
    return Outcome(bool(found), f"found {', '.join(found)}" if found else "no secret in any form")


def shown_in(text: str, value: str) -> Outcome:
    """A control: ``text`` contains ``value``, so the attempt could read the source."""
    shown = shows(text, value)
    name = value.replace("\0", " ")
    return Outcome(shown, f"{name} can be read" if shown else f"{name} can't be read: {text[:300]!r}")


def reading_row(name: str, read: Callable[[Target], str], shown: Callable[[Target], str] = _in_environment) -> Row:
    """An attack that reads a text. It must contain a value that isn't secret, and no secret."""

    def text(target: Target) -> str:
        return target.once(f"{name}-text", lambda: read(target))

    return row(
        name, lambda target: secrets_in(target, text(target)), lambda target: shown_in(text(target), shown(target))
    )


def _plan_row(name: str, shown: Callable[[Target], str] = _in_environment) -> Row:
    """An attack whose plan prints what it can read."""
    return reading_row(name, lambda target: planned(target, name, files(name)).text, shown)


def _applied(target: Target) -> str:
    # Terraform adds a prefix to each line of a provisioner's output.
    return re.sub(
        r"^.*\(local-exec\): ",
        "",
        applied(target, "local-exec", files("local-exec")["main.tf"]).text,
        flags=re.MULTILINE,
    )


_NOT_INSTALLED = "Failed to query available provider packages"


def _by_external(target: Target) -> str:
    text = planned(target, "external-program", files("external-program")).text
    if _NOT_INSTALLED in text:
        raise SkippedError(
            "the sandbox has no access to a registry, and this machine has no hashicorp/external provider"
        )
    return text


def _everything_written(target: Target) -> str:
    """Every comment that Atlantis has written so far, from at least one malicious plan."""
    _OWN.attempt(target)
    return "\n".join(entry["body"] for entry in target.github.recorded("comments"))


_OWN = _plan_row("file-own-environment")
ROWS = (
    _OWN,
    _plan_row("file-every-environment"),
    _plan_row("file-command-lines", _in_command_lines),
    reading_row("local-exec", _applied),
    reading_row("external-program", _by_external),
    reading_row("every-comment", _everything_written),
)
