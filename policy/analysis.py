"""An exported stack through `pulumi policy analyze`, and what the pack says of it."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from check_configuration import problems

__all__ = ["Found", "UnusableError", "analyze", "configuration_of", "findings"]

PACK = Path(__file__).resolve().parent
PROJECT = PACK.with_name("Pulumi.yaml")
_CHECK = re.compile(r" \(([a-z-]+)\): ")


class UnusableError(Exception):
    """A file can't be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Found:
    """One finding: what the engine reports as a policy event."""

    policy: str
    check: str
    level: str
    severity: str
    urn: str
    message: str


def analyze(
    state: Path, configuration: Path | None, *arguments: str, capture: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run the engine on a state file. Raises ``UnusableError`` where a file or the engine can't be used."""
    if not state.is_file():
        raise UnusableError(f"There is no file {state}; `pulumi stack export --file {state.name}` writes one")
    command = ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(PACK), *arguments]
    if configuration:
        found = problems(configuration)
        if found:
            listed = "\n".join(f"  {each}" for each in found)
            raise UnusableError(f"The policy pack's configuration can't be used:\n{listed}")
        command += ["--policy-pack-config", str(configuration)]
    try:
        return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if capture else None)
    except FileNotFoundError:
        raise UnusableError(
            "There is no `pulumi` on PATH; install the Pulumi CLI: https://www.pulumi.com/docs/install/"
        ) from None


def findings(state: Path, configuration: Path | None) -> tuple[int, list[Found]]:
    """The engine's exit code and what the pack found; raises ``UnusableError``."""
    answer = analyze(state, configuration, "--json", capture=True)
    found = list(_findings(answer.stdout))
    if answer.returncode and not any(each.level == "mandatory" for each in found):
        raise UnusableError(f"`pulumi policy analyze` failed on {state}; its message stands above")
    return answer.returncode, found


def _findings(output: str) -> Iterator[Found]:
    for line in output.splitlines():
        try:
            event: Any = json.loads(line)
        except ValueError:
            continue
        reported = event.get("policyEvent") if isinstance(event, dict) else None
        if reported:
            _, _, message = reported["message"].partition("\n")
            check = _CHECK.search(message)
            yield Found(
                policy=reported["policyName"],
                check=check[1] if check else "",
                level=reported["enforcementLevel"],
                severity=reported.get("severity", ""),
                urn=reported.get("resourceUrn", ""),
                message=message,
            )


def configuration_of(state: Path) -> Path | None:
    """The pack's configuration for the stack that a state file is of; none for a stack of another project."""
    if not state.is_file():
        return None  # analyze() says so
    try:
        resources = json.loads(state.read_text(encoding="utf-8"))["deployment"]["resources"] or []
        urns = [resource["urn"].removeprefix("urn:pulumi:").split("::") for resource in resources]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UnusableError(
            f"{state} is no exported stack; `pulumi stack export --file {state.name}` writes one"
        ) from None
    own = {stack for stack, project, *_ in urns if project == _project()}
    configurations = [PACK / "config" / f"{stack}.json" for stack in sorted(own)]
    return next((file for file in configurations if file.is_file()), None)


def _project() -> str | None:
    """The name of the project that the pack is part of; None where it stands alone."""
    name = re.search(r"^name: *(\S+)", PROJECT.read_text(encoding="utf-8"), re.MULTILINE) if PROJECT.is_file() else None
    return name[1] if name else None
