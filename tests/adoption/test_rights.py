"""What the running task role may do is kept, proposed, or lost by name; and policies that name the old role."""

import json
from typing import Any

import pytest

from adoption import report
from adoption.plan import Plan
from adoption.task_inventory import KEPT, LOST
from tests.adoption.plans import plan, proposed
from tests.adoption.small_stack import ACCOUNT, REGION, arn, role_arn
from tests.adoption.states import State, add, find, small_state

ROLE = "atlantis-tasks-0123"
OWN = f"arn:aws:iam::{ACCOUNT}:policy/shop"
DEPLOYER = "arn:aws:iam::333333333333:role/deployer"


def document(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}
    )


def inline(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> State:
    """The small stack whose task role has this inline policy."""
    state = small_state()
    policy = {"id": f"{ROLE}:shop", "role": ROLE, "name": "shop", "policy": document(action, resource, **more)}
    add(state, "aws_iam_role_policy.shop", policy)
    return state


def attached(policy_arn: str, **policy: Any) -> State:
    """The small stack whose task role has this policy attached, which is in the state if it has attributes."""
    state = small_state()
    add(state, "aws_iam_role_policy_attachment.shop", {"id": "shop", "role": ROLE, "policy_arn": policy_arn})
    if policy:
        add(state, "aws_iam_policy.shop", {"id": policy_arn, "arn": policy_arn, "name": "shop", **policy})
    return state


def rights(found: Plan) -> dict[str, str]:
    return {item.name: item.result for item in found.rights}


@pytest.mark.parametrize(
    ("state", "name", "says"),
    [
        (inline("sqs:*"), "right:sqs", "sqs:* on * (of shop): set managedNamePrefixes"),
        (inline(["sqs:SendMessage", "sns:*"]), "right:sns", "sns:* on * (of shop)"),
        (
            inline("s3:PutObject", "arn:aws:s3:::states-*/*"),
            "right:s3",
            "set terraformStateBuckets, additionalPolicyArns",
        ),
        (inline("sts:AssumeRole", "arn:aws:iam::333333333333:role/*"), "right:sts", "set assumableRoleArns"),
        (inline("iam:*"), "right:iam", "iam:* on *"),
        (inline("*"), "right:*", "* on *"),
        (attached("arn:aws:iam::aws:policy/AdministratorAccess"), "right:AdministratorAccess", "may use only "),
        (attached("arn:aws:iam::aws:policy/IAMFullAccess"), "right:IAMFullAccess", "may use only "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_lost_right_stops_the_adoption_until_it_is_accepted(state: State, name: str, says: str) -> None:
    found = plan(state)
    (problem,) = found.problems
    assert rights(found)[name] == LOST
    assert f"{name}: " in problem
    assert says in problem
    assert f"lost: {name} (" in report.describe(found)
    assert plan(state, accepted=("right:*",)).problems == []


@pytest.mark.parametrize(
    ("state", "name", "proposes"),
    [
        (inline("ec2:DescribeVpcs"), "right:ec2", {}),
        (
            inline(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::states/*"),
            "right:s3",
            {"terraformStateBuckets": ["states"]},
        ),
        (
            inline(["s3:PutObject", "s3:ListBucket"], ["arn:aws:s3:::states", "arn:aws:s3:::states/*"]),
            "right:s3",
            {"terraformStateBuckets": ["states"]},
        ),
        (
            inline("dynamodb:PutItem", f"arn:aws:dynamodb:*:{ACCOUNT}:table/locks"),
            "right:dynamodb",
            {"terraformLockTables": ["locks"]},
        ),
        (inline("sts:AssumeRole", DEPLOYER), "right:sts", {"assumableRoleArns": [DEPLOYER]}),
        (attached(OWN), "right:shop", {"additionalPolicyArns": [OWN]}),
        (attached(OWN, policy=document("sqs:*")), "right:shop", {"additionalPolicyArns": [OWN]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_right_that_the_program_or_a_proposal_gives_stops_nothing(
    state: State, name: str, proposes: dict[str, Any]
) -> None:
    found = plan(state)
    assert (found.problems, rights(found)[name]) == ([], KEPT)
    assert proposes.items() <= proposed(found).items()


def test_the_named_remedy_keeps_the_rights_of_an_inline_policy() -> None:
    (problem,) = plan(inline("sqs:*")).problems
    assert "if it becomes an aws_iam_policy that Terraform attaches to the role" in problem
    found = plan(attached(OWN, policy=document("sqs:*")))
    assert found.problems == []
    advice = {actual.address: advice for actual, advice in found.left}
    assert advice["aws_iam_policy.shop"] == "additionalPolicyArns names it: keep it"
    assert "aws_iam_policy.shop" not in found.to_forget


def test_what_a_policy_denies_is_no_right_and_an_exclusion_is_everything_else() -> None:
    assert rights(plan(inline("sqs:*", Effect="Deny"))) == {}
    state = inline("sqs:*")
    excluding = {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    find(state, "aws_iam_role_policy.shop")["policy"] = json.dumps(excluding)
    assert rights(plan(state, accepted=("right:*",))) == {"right:*": LOST}


def test_policies_that_name_the_old_role_are_named_with_what_to_do() -> None:
    state, old = inline("sts:AssumeRole", DEPLOYER), role_arn(ROLE)
    trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": old}, "Action": "sts:AssumeRole"}]})
    add(state, "aws_iam_role.reader", {"id": "reader", "name": "reader", "assume_role_policy": trust})
    add(state, "aws_s3_bucket_policy.states", {"id": "states", "policy": document("s3:*", Principal={"AWS": old})})
    add(state, "aws_s3_bucket_policy.other", {"id": "other", "policy": document("s3:*", Principal={"AWS": f"{old}-2"})})
    new = f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-prod"
    notes = plan(state).notes
    for address in ("aws_iam_role.reader", "aws_s3_bucket_policy.states"):
        assert f"{address} names {old}. Add {new} to it in Terraform, and apply, before the first `up`" in notes
    assert not [note for note in notes if "aws_s3_bucket_policy.other" in note]
    (trusting,) = [note for note in notes if note.startswith(f"The trust policy of {DEPLOYER} must name {new}")]
    assert "`aws iam update-assume-role-policy --role-name deployer --policy-document file://trust.json`" in trusting
    assert [note for note in notes if note.startswith(f"The task role is {new}, no longer {old}. ")]


def test_a_role_that_is_adopted_changes_no_policy_elsewhere() -> None:
    state, name = small_state(), "atlantis-ecs-task-prod"
    find(state, "aws_iam_role.tasks").update(id=name, name=name, arn=role_arn(name))
    find(state, "aws_ecs_task_definition.this")["task_role_arn"] = role_arn(name)
    add(
        state,
        "aws_sqs_queue.jobs",
        {"id": "jobs", "arn": arn("sqs", "jobs"), "region": REGION, "policy": role_arn(name)},
    )
    assert not [note for note in plan(state).notes if role_arn(name) in note]
