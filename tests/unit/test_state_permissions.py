"""Which states a plan and an apply reach, decided by an evaluator that isn't ours; and with each Deny removed."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from tests.unit.isolated import ISOLATED, POLICY, ROLE
from tests.unit.recording import ACCOUNT, REGION
from tests.unit.stacks import PRODUCTION, stack

BUCKET, TABLE = "arn:aws:s3:::prod-terraform-state", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/prod-terraform-locks"
SHARED = ISOLATED | {"terraformStatePrefixes": ["states/{repository}/", "shared/"]}
OWN, OTHER = "states/acme/shop/prod/terraform.tfstate", "states/acme/payments/prod/terraform.tfstate"


def documents(role: str, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The policies with the states: those of a plan, or of an apply and of the task role without isolation."""
    graph = stack(**settings)
    names = [f"permissions-{role}-{subject}" for subject in ("state", "locks")]
    return {name: graph.one(POLICY, name).decoded["policy"] for name in names if name in graph.names(POLICY)}


class Session:
    """A session of a role's, with the tag that the agent gives it; `repository` is None for one without."""

    def __init__(self, evaluator: Evaluator, role: str, repository: str | None, settings: Mapping[str, Any]) -> None:
        keys = {"aws:PrincipalTag/Repository": repository} if repository else {}
        self._evaluator = evaluator
        self._principal = Principal(
            f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/x", documents(role, settings), keys=keys
        )

    def may_list(self, prefix: str | None) -> bool:
        """Whether it may list the names that begin with ``prefix``, or all without one."""
        keys = {} if prefix is None else {"s3:prefix": prefix}
        return self._evaluator.decide(self._principal, "s3:ListBucket", BUCKET, keys).allowed

    def may(self, action: str, key: str) -> bool:
        """Whether it may call S3 for the object, or DynamoDB for the item, with this key."""
        on_table = action.startswith("dynamodb:")
        resource = TABLE if on_table else f"{BUCKET}/{key}"
        keys = {"dynamodb:LeadingKeys": [f"prod-terraform-state/{key}"]} if on_table else {}
        decision = self._evaluator.decide(self._principal, action, resource, keys)
        assert decision.ignored_keys == ()
        return decision.allowed


# A state that doesn't exist is one, too: S3 compares its key.
OWN_NAMES = ("states/acme/shop/", "states/acme/shop/env/", OWN, "shared/")
OTHER_NAMES = (None, "", "s", "states/", "states/acme/", "states/acme/shop", "states/acme/payments/", "env:/")


@pytest.mark.parametrize("role", ["plan", "task"])
def test_a_repository_lists_the_names_of_its_own_states_only(evaluator: Evaluator, role: str) -> None:
    shop, untagged = (Session(evaluator, role, tag, SHARED) for tag in ("acme/shop", None))
    assert [name for name in OWN_NAMES if not shop.may_list(name)] == []
    assert [name for name in OTHER_NAMES if shop.may_list(name)] == []
    assert [name for name in OWN_NAMES if untagged.may_list(name)] == ["shared/"]
    assert Session(evaluator, role, "acme/shop", ISOLATED).may_list(None)


ACTIONS = {
    "plan": ("s3:GetObject", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
    "task": (
        *("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
    ),
}
"""By the beginning of the policies' names; those of an apply are the task role's without isolation."""
CALLS = [(role, action) for role, actions in ACTIONS.items() for action in actions]


@pytest.mark.parametrize(("role", "action"), CALLS)
def test_a_repository_reaches_its_own_state_and_no_other_repositorys(
    evaluator: Evaluator, role: str, action: str
) -> None:
    shop = Session(evaluator, role, "acme/shop", SHARED)
    assert shop.may(action, OWN)
    assert shop.may(action, "shared/network/terraform.tfstate")
    for key in (
        *(OTHER, "states/acme/shop-2/terraform.tfstate", "states/acme/shop", "states/acme/terraform.tfstate"),
        *("states/other/acme/shop/x", "terraform.tfstate", "states/${aws:PrincipalTag/Repository}/x"),
    ):
        assert not shop.may(action, key), key


@pytest.mark.parametrize(("role", "action"), CALLS)
def test_a_session_without_the_tag_reaches_no_repositorys_state(evaluator: Evaluator, role: str, action: str) -> None:
    untagged = Session(evaluator, role, None, SHARED)
    assert [untagged.may(action, key) for key in (OWN, "states//x", "shared/x")] == [False, False, True]


@pytest.mark.parametrize(("role", "action"), CALLS)
def test_without_the_prefix_a_repository_reaches_every_state(evaluator: Evaluator, role: str, action: str) -> None:
    assert Session(evaluator, role, "acme/shop", ISOLATED).may(action, OTHER)


def test_a_plan_locks_its_state_by_file_and_changes_no_other_object(evaluator: Evaluator) -> None:
    plan = Session(evaluator, "plan", "acme/shop", SHARED)
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert plan.may(action, f"{OWN}.tflock")
        assert not plan.may(action, OWN)
        assert not plan.may(action, f"{OTHER}.tflock")


@pytest.mark.parametrize("settings", [SHARED, ISOLATED], ids=["with prefixes", "without prefixes"])
def test_a_plan_reads_the_digest_of_a_state_and_cannot_change_it(
    evaluator: Evaluator, settings: dict[str, Any]
) -> None:
    plan, apply = (Session(evaluator, role, "acme/shop", settings) for role in ("plan", "task"))
    assert plan.may("dynamodb:GetItem", f"{OWN}-md5")
    for action in ("dynamodb:PutItem", "dynamodb:DeleteItem"):
        assert not plan.may(action, f"{OWN}-md5")
        assert plan.may(action, OWN)
        assert apply.may(action, f"{OWN}-md5")


def test_the_prefixes_limit_the_locks_also_without_isolation(evaluator: Evaluator) -> None:
    task = Session(evaluator, "task", None, PRODUCTION | {"terraformStatePrefixes": ["platform/"]})
    assert [task.may("dynamodb:PutItem", key) for key in ("platform/x", "platform/x-md5", "other/x")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("role", ["plan", "apply"])
def test_only_the_sessions_of_a_worker_can_have_the_tag(evaluator: Evaluator, role: str) -> None:
    """The role of a kind's workers tags sessions; a session that it has made can't make another one with another repository."""
    graph = stack(**SHARED)
    trust = graph.one(ROLE, f"permissions-{role}-role").decoded["assumeRolePolicy"]
    arn = f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-{role}-prod"
    keys = {"aws:RequestTag/Repository": "acme/payments", "aws:TagKeys": ["Repository"]}
    sessions = graph.one("aws:iam/rolePolicy:RolePolicy", f"permissions-{role}-worker-sessions").decoded["policy"]
    everything = {"all": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}
    for action in ("sts:AssumeRole", "sts:TagSession"):
        for caller, policies, allowed in (
            (f"atlantis-ecs-task-{role}-worker-prod", {"sessions": sessions}, True),
            ("atlantis-ecs-task-prod", everything, False),
            (f"atlantis-ecs-task-{role}-prod", everything, False),
            ("shop-worker", everything, False),
        ):
            principal = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/{caller}/x", policies)
            assert evaluator.decide(principal, action, arn, keys, trust).allowed is allowed, (action, caller)
