"""Exemptions: by URN or name, for a time, always reported, and a violation when they have ended."""

from datetime import date
from typing import Any

import pytest

from evaluation import exemptions
from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned

TODAY = date(2026, 11, 24)
REASON = "It holds nothing but public pictures."
FILE_SYSTEM = Planned("aws:efs/fileSystem:FileSystem", "pictures", {"encrypted": False, "tags": UNKNOWN})
RULE = Planned(
    "aws:ec2/securityGroup:SecurityGroup",
    "door",
    {"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "fromPort": 443, "toPort": 443}]},
)


VERBOSE = {"evaluation-report": {"verbose": True}}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemptions, "today", lambda: TODAY)


def _exempt(**changes: Any) -> dict[str, Any]:
    return {"exemptions": [{"resource": "pictures", "reason": REASON, "expires": "2026-12-31", **changes}]}


def _of(findings: list[Finding], policy: str) -> list[Finding]:
    return [finding for finding in findings if finding.policy == policy]


@pytest.mark.parametrize(
    "pattern", ["pictures", "pict*", FILE_SYSTEM.identity, "urn:pulumi:*::aws:efs/fileSystem:FileSystem::pictures"]
)
def test_exempted_resource_passes_and_is_reported(pattern: str) -> None:
    found = Pack({"encryption": _exempt(resource=pattern), **VERBOSE}).review(FILE_SYSTEM)
    assert not _of(found, "encryption")
    (used,) = [each for each in _of(found, "evaluation-report") if " is exempt " in each.message]
    assert (used.level, used.urn) == ("advisory", FILE_SYSTEM.identity)
    assert used.message.endswith(f"pictures is exempt from encryption (at-rest) until 2026-12-31: {REASON}")


def test_used_exemptions_are_one_line_for_each_policy() -> None:
    many = [Planned(FILE_SYSTEM.type, f"pictures-{number}", {"encrypted": False}) for number in range(200)]
    given = {
        "encryption": _exempt(resource="pictures-*"),
        "recovery": _exempt(resource="pictures-*", expires="2026-12-01"),
    }
    (used,) = [each for each in _of(Pack(given).review(*many), "evaluation-report") if "exempt" in each.message]
    lines = used.message.splitlines()[1:]
    assert lines == [
        "400 findings exempt. To list each with its reason, set verbose of this policy to true.",
        "encryption: 200 findings of 200 resources, the first until 2026-12-31",
        "recovery: 200 findings of 200 resources, the first until 2026-12-01",
    ]


def test_exemption_that_suppresses_nothing_is_reported_until_it_expires() -> None:
    fixed = Planned(FILE_SYSTEM.type, "pictures", {"encrypted": True})
    found = _of(Pack({"encryption": _exempt()}).review(fixed), "evaluation-report")
    assert [each.message.splitlines()[-1] for each in found if "suppressed no finding" in each.message] == [
        "encryption: pictures"
    ]
    for given, resource in ((_exempt(), FILE_SYSTEM), (_exempt(resource="in-another-stack"), fixed)):
        found = _of(Pack({"encryption": given}).review(resource), "evaluation-report")
        assert not [each for each in found if "suppressed no finding" in each.message]
    gone = _exempt(resource=f"{fixed.identity}-of-before")
    found = _of(Pack({"encryption": gone}).review(fixed), "evaluation-report")
    assert [each for each in found if "suppressed no finding" in each.message]


@pytest.mark.parametrize("changes", [{"resource": "picture"}, {"resource": "PICTURES"}, {"checks": ["customer-key"]}])
def test_exemption_of_something_else_changes_nothing(changes: dict[str, Any]) -> None:
    found = Pack({"encryption": _exempt(**changes)}).review(FILE_SYSTEM)
    assert [finding.check for finding in _of(found, "encryption")] == ["at-rest"]
    assert not [finding for finding in _of(found, "evaluation-report") if "is exempt" in finding.message]


def test_exemption_of_one_policy_is_none_of_another() -> None:
    found = Pack({"recovery": _exempt()}).review(FILE_SYSTEM)
    assert _of(found, "encryption")
    assert not _of(found, "recovery")


def test_exemption_holds_on_its_last_day() -> None:
    assert not _of(Pack({"encryption": _exempt(expires="2026-11-24")}).review(FILE_SYSTEM), "encryption")


@pytest.mark.parametrize(("policy", "resource"), [("encryption", FILE_SYSTEM), ("cidr-restriction", RULE)])
def test_expired_exemption_is_a_violation_beside_what_it_exempted(policy: str, resource: Planned) -> None:
    found = _of(Pack({policy: _exempt(resource=resource.name, expires="2026-11-23")}).review(resource), policy)
    assert len(found) == 2
    (ended,) = [finding for finding in found if finding.check == "exemption"]
    assert ended.level == "mandatory"
    assert f"the exemption from {policy} expired on 2026-11-23 ({REASON})" in ended.message


def test_expired_exemption_is_a_violation_of_a_resource_that_has_been_mended_too() -> None:
    mended = Planned(FILE_SYSTEM.type, "pictures", {"encrypted": True})
    found = _of(Pack({"encryption": _exempt(expires="2026-01-01")}).review(mended), "encryption")
    assert [finding.check for finding in found] == ["exemption"]


def test_exempted_check_is_not_reported_as_undecided() -> None:
    unknown = Planned(FILE_SYSTEM.type, "pictures", {"encrypted": UNKNOWN, "tags": UNKNOWN})
    found = _of(Pack({"encryption": _exempt(), **VERBOSE}).review(unknown), "evaluation-report")
    assert "pictures is exempt from encryption" in found[0].message
    assert all("pictures.encrypted" not in finding.message for finding in found)


def test_report_starts_anew_with_each_run() -> None:
    pack = Pack({"encryption": _exempt()})
    assert "1 finding exempt." in pack.review(FILE_SYSTEM)[-2].message
    assert not _of(pack.analyze_stack([]), "evaluation-report")
