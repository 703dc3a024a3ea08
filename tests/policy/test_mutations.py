"""The program's own resources, as the real engine handed them over: no finding as they are, one for each fault."""

import pytest

from tests.policy.mutations import NAMESAKE_MUTATIONS, Mutation
from tests.policy.mutations_operations import OPERATIONS_MUTATIONS
from tests.policy.recording import CONFIGURATION, Recording, recorded
from tests.policy.servicer import Finding

MUTATIONS: tuple[Mutation, ...] = (*NAMESAKE_MUTATIONS, *OPERATIONS_MUTATIONS)
REPORT = "evaluation-report"


@pytest.fixture(scope="module")
def production() -> Recording:
    """The production stack, with every value known."""
    return recorded("preview")


def _found(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.policy, finding.check) for finding in findings if finding.policy != REPORT}


def test_program_as_it_is_has_no_finding_and_seven_exemptions_that_say_why(production: Recording) -> None:
    verbose = {**CONFIGURATION.get(REPORT, {}), "verbose": True}
    findings = production.review({**CONFIGURATION, REPORT: verbose})
    assert _found(findings) == set()
    assert [(finding.name, " is exempt from " in finding.message) for finding in findings] == [
        ("compute-task", True),
        ("log-archive", True),
        ("secrets-github-app", True),
        ("secrets-web-password", True),
        ("secrets-webhook", True),
        ("secrets-web-password", True),
        ("secrets-web-password", True),
    ]


def test_exemptions_of_the_program_are_all_used_and_one_message(production: Recording) -> None:
    (report,) = production.review(CONFIGURATION)
    assert report.message.splitlines()[1].startswith("7 findings exempt.")
    assert "suppressed no finding" not in report.message


def test_first_preview_has_no_finding_and_says_what_waits_for_values() -> None:
    findings = recorded("first_preview").review(CONFIGURATION)
    assert _found(findings) == set()
    (undecided,) = [finding for finding in findings if "Not evaluated" in finding.message]
    waiting = undecided.message.partition("deployed stack.\n")[2].splitlines()
    assert {line.partition(":")[0] for line in waiting} <= {
        "containers",
        "encryption",
        "identity",
        "logging",
        "public-exposure",
        "role-escalation",
        "secrets",
    }


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.label)
def test_fault_is_found_by_exactly_the_expected_policy(production: Recording, mutation: Mutation) -> None:
    findings = mutation.apply(production).review(CONFIGURATION, mutation.name)
    assert _found(findings) == mutation.expected
    assert not [finding for finding in findings if "Not evaluated" in finding.message]


@pytest.mark.parametrize("mutation", NAMESAKE_MUTATIONS, ids=lambda mutation: mutation.label)
def test_fault_in_what_gives_the_pack_its_name_stops_the_deployment_by_default(
    production: Recording, mutation: Mutation
) -> None:
    mandatory = {"encryption", "encryption-stack", "cidr-restriction", "single-task"}
    unconfigured = {
        name: {key: value for key, value in given.items() if key != "enforcementLevel"}
        for name, given in CONFIGURATION.items()
    }
    findings = mutation.apply(production).review(unconfigured, mutation.name)
    levels = {finding.policy: finding.level for finding in findings}
    assert all(
        levels[policy] == ("mandatory" if policy in mandatory else "advisory") for policy, _ in mutation.expected
    )


def test_mutations_are_many_and_cover_every_policy() -> None:
    from policies.catalogue import RULES

    assert len(MUTATIONS) >= 60
    assert {policy for mutation in MUTATIONS for policy, _ in mutation.expected} == {
        rule.name for rule in RULES if not rule.fixes
    } - {REPORT}
