"""Evaluates an exported stack against the pack, without running a program: ``python check_state.py --state FILE``.

It runs the `pulumi` on PATH (`pulumi policy analyze`) and hands its output through: grouped diagnostics for a person, events as
JSON with ``--json``. The exit code is 0 where no mandatory policy is violated.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from check_configuration import problems

__all__ = ["main"]

PACK = Path(__file__).resolve().parent
PROJECT = PACK.with_name("Pulumi.yaml")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and run the engine; its exit code."""
    parser = argparse.ArgumentParser(
        prog="check_state", description="Evaluate an exported stack against the policy pack."
    )
    parser.add_argument("--state", required=True, type=Path, help="a file that `pulumi stack export` wrote")
    parser.add_argument(
        "--config",
        type=Path,
        help="a configuration of the pack (default: the one for the stack in the file, if it is of this project)",
    )
    parser.add_argument("--json", action="store_true", help="the findings as JSON, one event a line")
    given = parser.parse_args(arguments)
    try:
        return _analyze(given.state.resolve(), given.config and given.config.resolve(), as_json=given.json)
    except _UnusableError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


class _UnusableError(Exception):
    """A file can't be used; the message says which, why, and what to do."""


def _analyze(state: Path, configuration: Path | None, *, as_json: bool) -> int:
    if not state.is_file():
        raise _UnusableError(f"There is no file {state}; `pulumi stack export --file {state.name}` writes one")
    configuration = configuration or _configuration_of(state)
    command = ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(PACK)]
    if configuration:
        found = problems(configuration)
        if found:
            listed = "\n".join(f"  {each}" for each in found)
            raise _UnusableError(f"The policy pack's configuration can't be used:\n{listed}")
        command += ["--policy-pack-config", str(configuration)]
    try:
        return subprocess.run([*command, *(["--json"] if as_json else [])], check=False).returncode
    except FileNotFoundError:
        raise _UnusableError(
            "There is no `pulumi` on PATH; install the Pulumi CLI: https://www.pulumi.com/docs/install/"
        ) from None


def _configuration_of(state: Path) -> Path | None:
    """The pack's configuration for the stack that a state file is of; none for a stack of another project."""
    try:
        resources = json.loads(state.read_text(encoding="utf-8"))["deployment"]["resources"] or []
        urns = [resource["urn"].removeprefix("urn:pulumi:").split("::") for resource in resources]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _UnusableError(
            f"{state} is no exported stack; `pulumi stack export --file {state.name}` writes one"
        ) from None
    own = {stack for stack, project, *_ in urns if project == _project()}
    configurations = [PACK / "config" / f"{stack}.json" for stack in sorted(own)]
    return next((file for file in configurations if file.is_file()), None)


def _project() -> str | None:
    """The name of the project that the pack is part of; None where it stands alone."""
    # Without PyYAML: the pack and its commands run with the standard library and the policy SDK.
    names = re.findall(r"^name: (\S+)$", PROJECT.read_text(encoding="utf-8"), re.MULTILINE) if PROJECT.is_file() else []
    return names[0] if names else None


if __name__ == "__main__":
    sys.exit(main())
