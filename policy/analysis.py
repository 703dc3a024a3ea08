"""Runs `pulumi policy analyze` on an exported stack, and parses the pack's findings."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from check_configuration import problems
from evaluation.fingerprints import FINGERPRINT

PACK = Path(__file__).resolve().parent
PROJECT = PACK.with_name("Pulumi.yaml")
ENVIRONMENT = PACK / ".venv"
# The format of a violation (``Findings.violation``): name, check, text, fix, and the fingerprint at the end.
_MESSAGE = re.compile(r" \(([a-z-]+)\): (.*)", re.DOTALL)
_FINGERPRINT = re.compile(rf" Finding ({FINGERPRINT})\.$")


class UnusableError(Exception):
    """A file or the CLI can't be used. The message has the file, the reason and the fix."""


@dataclass(frozen=True)
class Found:
    """One finding, which the engine reports as a policy event."""

    policy: str
    check: str
    level: str
    severity: str
    urn: str
    message: str
    fingerprint: str = ""

    @property
    def text(self) -> str:
        """The check and what was found, without the fix."""
        found = _MESSAGE.search(self.message)
        return f"{self.check}: {found[2].partition('. Fix: ')[0]}" if found else self.message


def parsed(policy: str, level: str, severity: str, urn: str, message: str) -> Found:
    """A finding from the message of the pack, whose first line is the policy's description."""
    _, _, message = message.partition("\n")
    check, fingerprint = _MESSAGE.search(message), _FINGERPRINT.search(message)
    return Found(
        policy, check[1] if check else "", level, severity, urn, message, fingerprint[1] if fingerprint else ""
    )


def analyze(
    state: Path, configuration: Path | None, *arguments: str, capture: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run the engine on a state file. Raises ``UnusableError`` if a file or the CLI can't be used."""
    if not state.is_file():
        raise UnusableError(
            f"The file {state} doesn't exist. To create it, run `pulumi stack export --file {state.name}`"
        )
    if not ENVIRONMENT.exists():
        # The CLI (3.259) doesn't report it: it waits for the pack indefinitely.
        raise UnusableError(f"There is no virtual environment {ENVIRONMENT}. Fix: run `pulumi -C {PACK} install`")
    command = ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(PACK), *arguments]
    if configuration:
        found = problems(configuration)
        if found:
            listed = "\n".join(f"  {each}" for each in found)
            raise UnusableError(f"The policy pack's configuration is invalid:\n{listed}")
        command += ["--policy-pack-config", str(configuration)]
    try:
        return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if capture else None)
    except FileNotFoundError:
        raise UnusableError(
            "`pulumi` isn't on PATH. Install the Pulumi CLI: https://www.pulumi.com/docs/install/"
        ) from None


def findings(state: Path, configuration: Path | None) -> tuple[int, list[Found]]:
    """The engine's exit code and the pack's findings; raises ``UnusableError``."""
    answer = analyze(state, configuration, "--json", capture=True)
    found = list(_findings(answer.stdout))
    if answer.returncode and not any(each.level == "mandatory" for each in found):
        raise UnusableError(f"`pulumi policy analyze` failed for {state}. See its output above")
    return answer.returncode, found


def _findings(output: str) -> Iterator[Found]:
    for line in output.splitlines():
        try:
            event: Any = json.loads(line)
        except ValueError:
            continue
        reported = event.get("policyEvent") if isinstance(event, dict) else None
        if reported:
            yield parsed(
                reported["policyName"],
                reported["enforcementLevel"],
                reported.get("severity", ""),
                reported.get("resourceUrn", ""),
                reported["message"],
            )


def configuration_of(state: Path) -> Path | None:
    """The pack's configuration for the stack in a state file; None for a stack of another project."""
    if not state.is_file():
        return None  # analyze() reports it
    try:
        resources = json.loads(state.read_text(encoding="utf-8"))["deployment"]["resources"] or []
        urns = [resource["urn"].removeprefix("urn:pulumi:").split("::") for resource in resources]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UnusableError(
            f"{state} isn't an exported stack. To create one, run `pulumi stack export --file {state.name}`"
        ) from None
    own = {stack for stack, project, *_ in urns if project == _project()}
    configurations = [PACK / "config" / f"{stack}.json" for stack in sorted(own)]
    return next((file for file in configurations if file.is_file()), None)


def _project() -> str | None:
    """The name of the project that contains the pack; None if the pack is on its own."""
    name = re.search(r"^name: *(\S+)", PROJECT.read_text(encoding="utf-8"), re.MULTILINE) if PROJECT.is_file() else None
    return name[1] if name else None
