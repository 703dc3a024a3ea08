"""The table of docs/security.md against what the scanner found: each check that fails is explained, and nothing else is."""

import json
import re

from sandbox.testbed.paths import CHECKOUT

RECORDED = json.loads((CHECKOUT / "sandbox" / "conformance" / "checkov.json").read_text(encoding="utf-8"))
CHECK = re.compile(r"CKV2?_AWS_\d+")


def _section() -> str:
    text = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
    return text.partition("\n## What scanners report\n")[2].partition("\n## ")[0]


def test_every_check_that_fails_has_its_line_and_every_line_a_check_that_fails() -> None:
    rows = [line.split("|") for line in _section().splitlines() if line.startswith("| `CKV")]
    assert [row for row in rows if not row[3].strip()] == []
    explained = [check for row in rows for check in CHECK.findall(row[1])]
    assert sorted(explained) == sorted(RECORDED["failed"]), "after `make scan`: explain it, or take its line out"


def test_the_table_names_the_version_that_was_recorded() -> None:
    assert f"checkov {RECORDED['checkov'].rpartition('.')[0]} " in _section()
