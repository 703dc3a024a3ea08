"""The roles of the workflows against what the program calls: each call is allowed, and each right is needed.

The stand-ins log their calls (`CALL_LOG` in `providers/aws/session.py`) while production is deployed with everything switched
on, changed and read back. The evaluator then asks IAM's questions about each call.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import decide
from sandbox.testbed.iam_evaluation.evaluator import Document, Evaluator, Principal
from sandbox.testbed.providers.aws.session import CALL_LOG
from tests.aws_roles import ACCOUNT, REGION, actions_of, policies_of
from tests.sandbox.harness import Scratch
from tests.tables import table

EVERYTHING: dict[str, Any] = table(__file__, "everything")
CHANGED: dict[str, Any] = table(__file__, "changed")
PHASES = {"Preview": ["preview"], "Drift": ["refresh"], "Deploy": ["preview", "up", "refresh", "change"]}
"""What each role runs."""

EXPLAINED = {action for actions in table(__file__, "explained").values() for action in actions}
"""Rights that no recorded call asks for, with the reason why a role has them."""


@pytest.fixture(scope="module")
def calls(production: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[ApiCall]]:
    """The distinct calls of each phase."""
    logs = tmp_path_factory.mktemp("calls")
    phases = {
        "preview": lambda: production.sandbox(pack=None, **EVERYTHING).preview(),
        "up": lambda: production.sandbox(pack=None, **EVERYTHING).up(),
        "refresh": lambda: production.sandbox(pack=None, **EVERYTHING).refresh(),
        "change": lambda: production.sandbox(pack=None, **CHANGED).up(),
    }
    with pytest.MonkeyPatch.context() as patch:
        for phase, run in phases.items():
            patch.setenv(CALL_LOG, str(logs / phase))
            run()
    return {phase: _distinct(logs / phase) for phase in phases}


def _distinct(log: Path) -> list[ApiCall]:
    lines = dict.fromkeys(log.read_text(encoding="utf-8").splitlines())
    return [ApiCall(**json.loads(line)) for line in lines]


def delegated(arn: str) -> Document | None:
    """A key's policy leaves the decision to IAM, as far as the account's administration goes (`components/encryption.py`)."""
    if ":kms:" not in arn or ":key/" not in arn:
        return None
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}],
    }


EXISTING = ExistingResources(ACCOUNT, REGION, tags=lambda _: {"Service": "atlantis"}, resource_policy=delegated)
"""Every resource of the stack that takes tags carries this one (tests/unit/test_graph.py)."""


def answers(
    evaluator: Evaluator, role: str, calls: Mapping[str, list[ApiCall]], without: str = ""
) -> tuple[set[str], set[str]]:
    """The actions that the role's phases ask for, and ``action on resource`` for each that is refused."""
    policies = {name: document for name, document in policies_of(role).items() if name != without}
    principal = Principal(f"arn:aws:iam::{ACCOUNT}:role/github-atlantis-prod-{role.lower()}", policies)
    asked, refused = set(), set()
    for call in (call for phase in PHASES[role] for call in calls[phase] if call.service != "sts"):
        for question, decision in decide(evaluator, principal, call, EXISTING):
            asked.add(question.action)
            if not decision.allowed:
                refused.add(f"{question.action} on {question.resource}")
    return asked, refused


@pytest.fixture(scope="module")
def answered(calls: Mapping[str, list[ApiCall]], evaluator: Evaluator) -> Mapping[str, tuple[set[str], set[str]]]:
    """The answers of each role."""
    return {role: answers(evaluator, role, calls) for role in PHASES}


@pytest.mark.parametrize("role", PHASES)
def test_a_role_may_make_every_call_of_its_workflow(
    role: str, answered: Mapping[str, tuple[set[str], set[str]]]
) -> None:
    asked, refused = answered[role]
    assert asked
    assert sorted(refused) == [], "grant it in .github/aws/roles.yaml"


def test_every_right_of_the_roles_is_needed(answered: Mapping[str, tuple[set[str], set[str]]]) -> None:
    needed = set().union(*(asked for asked, _ in answered.values()))
    granted = set().union(*(actions_of(role) for role in PHASES))
    assert sorted(granted - needed - EXPLAINED) == [], "take it away, or explain it"
    assert sorted(EXPLAINED - (granted - needed)) == [], "no longer granted, or needed by a call now"


def test_without_a_policy_the_evaluator_refuses_what_the_policy_allows(
    calls: Mapping[str, list[ApiCall]], evaluator: Evaluator
) -> None:
    chosen = {phase: [call for call in made if call.service in ("iam", "ecs")] for phase, made in calls.items()}
    refused = answers(evaluator, "Deploy", chosen, without="IdentityPolicy")[1]
    assert any(line.startswith("iam:CreateRole on ") for line in refused)
    assert any(line.startswith("iam:PassRole on ") for line in refused)
