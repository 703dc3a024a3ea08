"""Exemptions: by URN or name, for a time, always reported, and a violation when they have ended."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from analysis import parsed
from baseline import with_baseline
from evaluation import exemptions
from tests.policy.rows import allow, document, one
from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned

TODAY = date(2026, 11, 24)
REASON = "It holds nothing but public pictures."
FILE_SYSTEM = Planned("aws:efs/fileSystem:FileSystem", "pictures", {"encrypted": False, "tags": UNKNOWN})
RULE = Planned(
    "aws:ec2/securityGroup:SecurityGroup",
    "door",
    {"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "fromPort": 443, "toPort": 443}]},
)


LATER = "; 200 by exemptions of a check, which also cover what it finds later"
VERBOSE = {"evaluation-report": {"verbose": True}}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemptions, "today", lambda: TODAY)


def _exempt(**changes: Any) -> dict[str, Any]:
    return {"exemptions": [{"resource": "pictures", "reason": REASON, "expires": "2026-12-31", **changes}]}


def _of(findings: list[Finding], policy: str) -> list[Finding]:
    return [finding for finding in findings if finding.policy == policy]


@pytest.mark.parametrize(
    "pattern",
    ["pictures", "pict*", FILE_SYSTEM.identity, "aws:efs/*::pictures", "aws:efs/fileSystem:FileSystem::pictures"],
)
def test_exempted_resource_passes_and_is_reported(pattern: str) -> None:
    found = Pack({"encryption": _exempt(resource=pattern), **VERBOSE}).review(FILE_SYSTEM)
    assert not _of(found, "encryption")
    (used,) = [each for each in _of(found, "evaluation-report") if " is exempt " in each.message]
    assert (used.level, used.urn) == ("advisory", FILE_SYSTEM.identity)
    assert used.message.endswith(
        f"pictures is exempt from encryption (at-rest) until 2026-12-31 whatever it finds: {REASON}"
    )


def test_used_exemptions_are_one_line_for_each_policy() -> None:
    many = [Planned(FILE_SYSTEM.type, f"pictures-{number}", {"encrypted": False}) for number in range(200)]
    given = {
        "encryption": _exempt(resource="pictures-*"),
        "recovery": _exempt(resource="pictures-*", expires="2026-12-01"),
    }
    (used,) = [each for each in _of(Pack(given).review(*many), "evaluation-report") if "exempt" in each.message]
    lines = used.message.replace(LATER, "").splitlines()[1:]
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


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "picture"},
        {"resource": "PICTURES"},
        {"resource": "aws:ebs/volume:Volume::pictures"},
        {"checks": ["customer-key"]},
        {"findings": {"0123456789abcdef": "at-rest: another finding"}},
    ],
)
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
def test_expired_exemption_is_a_violation_in_addition_to_what_it_exempted(policy: str, resource: Planned) -> None:
    found = _of(Pack({policy: _exempt(resource=resource.name, expires="2026-11-23")}).review(resource), policy)
    assert len(found) == 2
    (ended,) = [finding for finding in found if finding.check == "exemption"]
    assert ended.level == "mandatory"
    assert f"the exemption from {policy} expired on 2026-11-23 ({REASON})" in ended.message


def test_expired_exemption_is_a_violation_of_a_resource_that_has_been_fixed_too() -> None:
    fixed = Planned(FILE_SYSTEM.type, "pictures", {"encrypted": True})
    found = _of(Pack({"encryption": _exempt(expires="2026-01-01")}).review(fixed), "encryption")
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


def _baselined(*resources: Planned) -> dict[str, Any]:
    """The configuration of a baseline of a stack, as `make policy-baseline` writes it."""
    found = [parsed(each.policy, each.level, "", each.urn, each.message) for each in Pack().review(*resources)]
    return with_baseline({}, found, TODAY, TODAY + timedelta(days=30))


def _group(*rules: dict[str, Any]) -> Planned:
    return replace(RULE, properties={"ingress": [{"protocol": "tcp", **rule} for rule in rules]})


OFFICE = {"cidrBlocks": ["203.0.113.0/24"], "fromPort": 443, "toPort": 443}


@pytest.mark.parametrize(
    ("now", "new"),
    [
        ([OFFICE], 0),
        ([{**OFFICE, "description": "the office", "fromPort": 443.0, "ipv6CidrBlocks": []}], 0),
        ([{"cidrBlocks": ["10.0.0.0/8"], "fromPort": 22, "toPort": 22, "self": True}, OFFICE], 0),
        ([OFFICE, {"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}], 1),
        ([{**OFFICE, "cidrBlocks": ["203.0.113.0/24", "0.0.0.0/0"]}], 1),
        ([{**OFFICE, "fromPort": 0, "toPort": 65535}], 1),
        ([{**OFFICE, "protocol": "-1", "fromPort": 0, "toPort": 0}], 1),
        ([], 0),
    ],
)
def test_baseline_exempts_what_was_found_and_nothing_worse(now: list[dict[str, Any]], new: int) -> None:
    findings = _of(Pack(_baselined(_group(OFFICE))).review(_group(*now)), "cidr-restriction")
    assert len(findings) == new
    for finding in findings:
        assert (
            "This finding is new; exempt until 2026-12-24 is only: ingress[0].cidrBlocks[0] allows 203.0.113.0/24"
            in finding.message
        )


@pytest.mark.parametrize(
    ("canonical", "before", "after", "new"),
    [
        ("efs/fileSystem", {"encrypted": False}, {}, 0),
        ("ecs/service", {"networkConfiguration": {"assignPublicIp": True}}, {}, 0),
        ("s3/bucketPolicy", {"policy": document(allow())}, {"policy": document(allow(), allow(Action="s3:Get*"))}, 0),
        ("sns/topicPolicy", {"policy": document(allow(Principal="*", Action="sns:Publish"))}, None, 0),
        (
            "sns/topicPolicy",
            {"policy": document(allow(Principal="*", Action="sns:Publish"))},
            {"policy": document(allow(Principal="*", Action="sns:Subscribe"))},
            1,
        ),
        (
            "ecs/taskDefinition",
            {"containerDefinitions": json.dumps([{"name": "a", "user": "0", "image": "a:1"}])},
            {"containerDefinitions": json.dumps([{"name": "new", "user": "1"}, {"name": "a", "image": "a:1"}])},
            3,
        ),
        (
            "ecs/taskDefinition",
            {
                "containerDefinitions": json.dumps(
                    [{"name": "a", "environment": [{"name": "TOKEN", "value": "s3cr3t"}]}]
                )
            },
            {"containerDefinitions": json.dumps([{"name": "a", "environment": [{"name": "TOKEN", "value": "0ther"}]}])},
            0,
        ),
        ("lb/listener", {"protocol": "HTTPS"}, {"sslPolicy": "ELBSecurityPolicy-2015-05"}, 1),
        ("elb/loadBalancer", {"listeners": [{"lbProtocol": "HTTP", "lbPort": 80}]}, {"listeners": []}, 0),
        (
            "elb/loadBalancer",
            {"listeners": [{"lbProtocol": "HTTP", "lbPort": 80}]},
            {"listeners": [{"lbProtocol": "HTTP", "lbPort": 8080}, {"lbProtocol": "HTTP", "lbPort": 80}]},
            1,
        ),
    ],
)
def test_fingerprint_is_of_the_value_and_not_of_its_form_or_position(
    canonical: str, before: dict[str, Any], after: dict[str, Any] | None, new: int
) -> None:
    was = one(canonical, **before)
    known = Pack(_baselined(was))
    now = one(canonical, **{**before, **(after or {})})
    found = [each for each in known.review(now) if each.policy != "evaluation-report"]
    assert len(found) == new, [each.message for each in found]


def test_report_names_an_exemption_of_which_one_finding_is_fixed() -> None:
    given = _baselined(_group(OFFICE, {**OFFICE, "cidrBlocks": ["198.51.100.0/24"]}))
    messages = [each.message for each in _of(Pack(given).review(_group(OFFICE)), "evaluation-report")]
    assert any("cidr-restriction: door (1 of 2 findings)" in message for message in messages)
    assert not any("whatever it finds" in message or "by exemptions of a check" in message for message in messages)
