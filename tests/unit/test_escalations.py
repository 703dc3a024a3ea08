"""Every escalation against the documents that the program writes, decided by an evaluator that isn't ours; and with each Deny removed."""

import functools
import json
from typing import Any

import pytest

from components.names import PhysicalNames
from preflight.escalations import Question, Setting, escalations
from sandbox.testbed.iam_evaluation.evaluator import Decision, Evaluator, Principal
from tests.unit.recording import ACCOUNT, REGION, arn_of, id_of
from tests.unit.stacks import OWN_BOUNDARY, stack

NAMES = PhysicalNames(environment="prod", account=ACCOUNT, region=REGION, partition="aws")
SETTING = Setting(
    names=NAMES,
    prefix="fileflow-",
    boundary_arn=NAMES.policy_arn(NAMES.permissions_boundary),
    own_boundary=False,
    secret_arns={
        of: NAMES.arn("secretsmanager", f"secret:prod-atlantis-{of}-AbCdEf") for of in ("github-app", "webhook")
    },
    security_group_ids={of: id_of(f"network-{of}") for of in ("alb", "ecs-tasks", "efs", "vpc-endpoints")},
    subnet_ids=["subnet-private-1", "subnet-private-2"],
)
ROWS = {escalation.name: escalation for escalation in escalations(SETTING)}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}]}


Documents = dict[str, dict[str, Any]]


@functools.cache
def documents() -> Documents:
    """The task role's policies by subject, and the boundary; the secrets' ARNs are such as AWS gives them."""
    found = {}
    for policy in stack(**OWN_BOUNDARY).all("aws:iam/policy:Policy"):
        text = policy.inputs["policy"]
        for of, arn in SETTING.secret_arns.items():
            text = text.replace(arn_of(f"secrets-{of}"), arn)
        found[policy.inputs["name"].removeprefix("atlantis-ecs-task-prod-")] = json.loads(text)
    return found


def without(sid: str) -> Documents:
    """The documents with one statement missing, wherever it stands."""
    return {
        name: document | {"Statement": [each for each in document["Statement"] if each["Sid"] != sid]}
        for name, document in documents().items()
    }


def created(by: Documents) -> Principal:
    """A role that a plan created, with `*` as its policy."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/fileflow-worker/plan"
    return Principal(arn, {"all": EVERYTHING}, boundary=by["boundary"])


def task(by: Documents, also: dict[str, Any] | None = None) -> Principal:
    """The task role, with another policy where somebody attached one."""
    policies = {name: document for name, document in by.items() if name != "boundary"}
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{NAMES.task_role}/task"
    return Principal(arn, policies | ({"also": also} if also else {}))


def answer(evaluator: Evaluator, principal: Principal, question: Question) -> Decision:
    decision = evaluator.decide(principal, question.action, question.resource, question.keys)
    assert decision.ignored_keys == (), (question, decision)
    return decision


@pytest.mark.parametrize("name", ROWS)
def test_role_that_a_plan_creates_is_denied_and_its_control_allowed(evaluator: Evaluator, name: str) -> None:
    row = ROWS[name]
    assert not answer(evaluator, created(documents()), row.question).allowed
    # A created role may do nothing in IAM: there the role that creates it is the control.
    in_control = task(documents()) if row.on_roles else created(documents())
    assert answer(evaluator, in_control, row.control).allowed


@pytest.mark.parametrize("name", ROWS)
def test_task_role_is_denied_and_its_control_allowed(evaluator: Evaluator, name: str) -> None:
    assert not answer(evaluator, task(documents()), ROWS[name].question).allowed
    assert answer(evaluator, task(documents()), ROWS[name].control).allowed


NEVER_ALLOWED = {"pass-elsewhere", "task-without-keys", "user"}
"""Denied because no policy allows them."""


@pytest.mark.parametrize("name", sorted(ROWS.keys() - NEVER_ALLOWED))
def test_task_role_is_denied_whatever_else_it_is_allowed(evaluator: Evaluator, name: str) -> None:
    assert answer(evaluator, task(documents(), also=EVERYTHING), ROWS[name].question).result == "ExplicitlyDenied"


REFUSALS = sorted(
    {each["Sid"] for document in documents().values() for each in document["Statement"] if each["Effect"] == "Deny"}
)


@pytest.mark.parametrize("sid", REFUSALS)
def test_each_refusal_keeps_something_out(evaluator: Evaluator, sid: str) -> None:
    changed = task(without(sid), also=EVERYTHING)
    let_through = [row.name for row in ROWS.values() if answer(evaluator, changed, row.question).allowed]
    assert set(let_through) - NEVER_ALLOWED, sid


def test_boundary_allows_neither_states_nor_files(evaluator: Evaluator) -> None:
    file_system = NAMES.arn("elasticfilesystem", "file-system/fs-0123456789abcdef0")
    for question in (
        Question("s3:GetObject", "arn:aws:s3:::prod-terraform-state/stack"),
        Question("elasticfilesystem:ClientMount", file_system, {"elasticfilesystem:AccessedViaMountTarget": "true"}),
        Question("sts:AssumeRole", NAMES.role_arn("atlantis-deployer")),
        Question("secretsmanager:GetSecretValue", NAMES.arn("secretsmanager", "secret:payments-AbCdEf")),
    ):
        assert answer(evaluator, created(documents()), question).result == "ImplicitlyDenied", question
