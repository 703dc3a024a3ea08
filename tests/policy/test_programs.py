"""Programs of other shapes than this project's: no false alarm of a mandatory policy, and the advice that is right."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policies.catalogue import RULES
from tests.policy.recording import Recording
from tests.policy.servicer import Planned

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "programs"
MANDATORY = {rule.name for rule in RULES if rule.level == "mandatory"}

EXPECTED: dict[str, set[tuple[str, str, str]]] = {
    "kubernetes_platform": set(),
    "serverless_orders": set(),
    "data_lake": {("recovery", "backup", "warehouse")},
    "web_shop": {
        ("logging", "access-logs", "shop"),
        ("recovery", "backup", "sessions"),
        ("supporting-resources", "default-group", "shop"),
    },
    "static_site": {
        ("recovery", "versioning", "site"),
        ("required-tags", "tags", "static_site-dev"),
        ("supporting-resources", "bucket-logs", "site"),
    },
}


# Programs that resemble the faults of a mandatory policy and have none.
PASSING = (
    "aurora_application",
    "analytics",
    "audit_trail",
    "edge_of_cloudfront",
    "file_exchange",
    "golden_images",
    "hardware_keys",
    "internal_api",
    "kubernetes_of_today",
    "mail_relay",
    "partner_access",
    "queue_worker",
    "streaming",
    "travel_agency",
    "virtual_machines",
)


@cache
def _run(programs: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """What programs register when one process runs them; only the first of them registers the stack itself."""
    command = [sys.executable, "-m", "tests.policy.run_program", *(str(PROGRAMS / name) for name in programs)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@cache
def registered(program: str) -> Recording:
    """The resources of a program, as a deployed stack has them."""
    resources = _run(PASSING if program in PASSING else (program,))[program]
    providers = {each["urn"]: each["inputs"] for each in resources if each["type"].startswith("pulumi:providers:")}
    return Recording(
        *(
            tuple(_planned(each, view, providers) for each in resources if each["urn"] not in providers)
            for view in ("inputs", "outputs")
        )
    )


def _planned(resource: dict[str, Any], view: str, providers: dict[str, dict[str, Any]]) -> Planned:
    return Planned(
        resource["type"],
        resource["name"],
        resource[view],
        resource["dependencies"],
        resource["protect"],
        resource["urn"],
        providers.get(resource["provider"], {}),
    )


@pytest.mark.parametrize("program", EXPECTED)
def test_mandatory_policies_raise_no_false_alarm_and_the_advice_is_right(program: str) -> None:
    findings = registered(program).review({})
    assert [each.message for each in findings if each.policy in MANDATORY] == []
    advised = {(each.policy, each.check, each.name) for each in findings if each.level == "advisory"}
    assert {each for each in advised if each[0] != "evaluation-report"} == EXPECTED[program]


@pytest.mark.parametrize("program", PASSING)
def test_no_mandatory_policy_stops_a_passing_program(program: str) -> None:
    findings = registered(program).review({})
    assert [each.message for each in findings if each.policy in MANDATORY] == []
    assert len(registered(program).inputs) >= 4


def test_tags_are_one_message_for_the_whole_stack() -> None:
    findings = [each for each in registered("static_site").review({}) if each.policy == "required-tags"]
    (tags,) = findings
    assert tags.message.count("site (") == 3
    assert (
        "4 resources lack required tags. Environment, Owner: docs (route53/zone), site (acm/certificate)"
        in tags.message
    )
