"""Evaluates an exported stack against the pack, without running a program: ``python check_state.py --state FILE``.

It runs `pulumi policy analyze` with the CLI on PATH and prints the policies with counts and the worst findings; ``--all``
prints the engine's own output, and ``--json`` its events. ``--sarif FILE`` also writes the findings for code hosts. The exit
code is 0 if no mandatory policy is violated.
"""

import argparse
import sys
from pathlib import Path

from analysis import Found, UnusableError, analyze, configuration_of, findings
from sarif import document
from summary import summary


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and run the engine; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="check_state", description="Evaluate an exported stack against the policy pack."
    )
    parser.add_argument("--state", required=True, type=Path, help="a file written by `pulumi stack export`")
    parser.add_argument(
        "--config",
        type=Path,
        help="the pack's configuration file (default: the one for the stack in the state file, if it is of this project)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as JSON, one event per line")
    form.add_argument("--all", action="store_true", help="print every finding, as the engine shows it")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="write the findings as SARIF 2.1.0, for code hosts")
    parser.add_argument(
        "--source", default="Pulumi.yaml", help="the file that SARIF findings point to (default: %(default)s)"
    )
    given = parser.parse_args(arguments)
    state = given.state.resolve()
    try:
        configuration = given.config.resolve() if given.config else configuration_of(state)
        if given.json or given.all:
            if given.sarif:
                _write_sarif(given.sarif, findings(state, configuration)[1], given.source)
            return analyze(state, configuration, *(["--json"] if given.json else [])).returncode
        code, found = findings(state, configuration)
        if given.sarif:
            _write_sarif(given.sarif, found, given.source)
    except UnusableError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(summary(found))
    return code


def _write_sarif(file: Path, found: list[Found], source: str) -> None:
    file.write_text(document(found, source), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
