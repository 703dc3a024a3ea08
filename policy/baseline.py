"""Exempts existing findings, so that the pack can be mandatory from the first day: ``python baseline.py --state FILE``.

It evaluates an exported stack, and prints (or writes, with ``--output``) the configuration with an exemption for each finding,
by its fingerprint. All exemptions have the same last day. Until then, only new findings stop a deployment; afterwards, the old ones do too.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from analysis import Found, UnusableError, configuration_of, findings

_DAYS: Final = 90


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and write the configuration; returns 0 on success."""
    parser = argparse.ArgumentParser(prog="baseline", description="Exempt the findings of an exported stack.")
    parser.add_argument("--state", required=True, type=Path, help="a file written by `pulumi stack export`")
    parser.add_argument("--config", type=Path, help="the pack's configuration file to which the exemptions are added")
    parser.add_argument("--output", type=Path, help="the file to write (default: standard output)")
    parser.add_argument(
        "--until", type=_day, help=f"the last day of the exemptions, as YYYY-MM-DD (default: in {_DAYS} days)"
    )
    given = parser.parse_args(arguments)
    state = given.state.resolve()
    today = datetime.now(UTC).date()
    until = given.until or today + timedelta(days=_DAYS)
    if until <= today:
        parser.error(f"--until must be in the future, not {until.isoformat()}")
    try:
        configuration = given.config.resolve() if given.config else configuration_of(state)
        base = json.loads(configuration.read_text(encoding="utf-8")) if configuration else {}
        found = _each_resource(state, base)
    except (UnusableError, OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    content = json.dumps(with_baseline(base, found, today, until), indent=2) + "\n"
    if given.output:
        given.output.write_text(content, encoding="utf-8")
    else:
        sys.stdout.write(content)
    number = sum(1 for each in found if each.fingerprint)
    sys.stderr.write(f"{number} findings are exempt until {until.isoformat()}\n")
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} isn't a date in the format YYYY-MM-DD") from None


def _each_resource(state: Path, base: dict[str, Any]) -> list[Found]:
    """The findings, with missing tags reported for each resource instead of once for the stack."""
    tags = "required-tags"
    given = base.get(tags, {})
    detailed = {
        **base,
        tags: {**(given if isinstance(given, dict) else {"enforcementLevel": given}), "perResource": True},
    }
    with tempfile.TemporaryDirectory(prefix="policy-baseline-") as directory:
        file = Path(directory) / "configuration.json"
        file.write_text(json.dumps(detailed), encoding="utf-8")
        return findings(state, file)[1]


def with_baseline(base: dict[str, Any], found: Iterable[Found], today: date, until: date) -> dict[str, Any]:
    """The configuration with an exemption for each finding, after its existing exemptions."""
    result = json.loads(json.dumps(base))
    listed: dict[tuple[str, str], list[Found]] = {}
    for each in found:
        if each.fingerprint:
            listed.setdefault((each.policy, each.urn), []).append(each)
    for (policy, urn), own in sorted(listed.items()):
        given = result.get(policy, {})
        result[policy] = given if isinstance(given, dict) else {"enforcementLevel": given}
        result[policy].setdefault("exemptions", []).append(
            {
                "resource": urn,
                "checks": sorted({each.check for each in own}),
                "findings": {each.fingerprint: each.text for each in own},
                "reason": f"Baseline of {today.isoformat()}: the finding existed before the pack was mandatory.",
                "expires": until.isoformat(),
            }
        )
    return result


if __name__ == "__main__":
    sys.exit(main())
