"""Why scanners' findings are accepted, against what checkov found: each check that fails has a reason, and no other has one."""

import json

import yaml

from sandbox.conformance.scan import ACCEPTED, RECORDING
from sandbox.testbed.paths import CHECKOUT

RECORDED = json.loads(RECORDING.read_text(encoding="utf-8"))


def test_every_check_that_fails_has_its_reason_and_every_reason_a_check_that_fails() -> None:
    reasons = yaml.safe_load(ACCEPTED.read_text(encoding="utf-8"))
    assert sorted(reasons) == sorted(RECORDED["failed"]), "after `make scan`: explain it, or take its reason out"
    assert all(reasons.values())


def test_the_chapter_names_the_version_that_was_recorded() -> None:
    text = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"checkov {RECORDED['checkov'].rpartition('.')[0]} " in text
