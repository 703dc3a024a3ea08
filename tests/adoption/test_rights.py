"""What the running task role may do is kept, proposed, or lost by name; and policies that name the old role."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from adoption import report
from adoption.plan import Plan
from adoption.task_inventory import KEPT, LOST
from tests.adoption.plans import plan, proposed
from tests.adoption.states import ACCOUNT, REGION, State, add, arn, find, role_arn, small_state
from tests.tables import table

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


def _state(row: Mapping[str, Any]) -> State:
    return attached(row["attached"]) if "attached" in row else inline(row["action"], row.get("resource", "*"))


@pytest.mark.parametrize("row", table(__file__, "lost"), ids=lambda row: row["right"])
def test_a_lost_right_stops_the_adoption_until_it_is_accepted(row: Mapping[str, Any]) -> None:
    found, name = plan(_state(row)), f"right:{row['right']}"
    (problem,) = found.problems
    assert rights(found)[name] == LOST
    assert f"{name}: " in problem
    assert row["says"] in problem
    assert f"lost: {name} (" in report.describe(found)
    assert plan(_state(row), accepted=("right:*",)).problems == []


@pytest.mark.parametrize("row", table(__file__, "kept"), ids=lambda row: row["right"])
def test_a_right_that_the_program_or_a_proposal_gives_stops_nothing(row: Mapping[str, Any]) -> None:
    found = plan(_state(row))
    assert (found.problems, rights(found)[f"right:{row['right']}"]) == ([], KEPT)
    assert row.get("proposes", {}).items() <= proposed(found).items()


def test_the_named_remedy_keeps_the_rights_of_an_inline_policy() -> None:
    (problem,) = plan(inline("sqs:*")).problems
    assert "if it becomes an aws_iam_policy that Terraform attaches to the role" in problem
    found = plan(attached(OWN, policy=document("sqs:*")))
    assert (found.problems, rights(found)["right:shop"]) == ([], KEPT)
    assert proposed(found)["additionalPolicyArns"] == [OWN]
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
    foreign = "arn:aws:secretsmanager:eu-west-1:999999999999:secret:shop-AbCdEf"
    policy = {"id": foreign, "secret_arn": foreign, "policy": document("*", Principal={"AWS": old})}
    add(state, "aws_secretsmanager_secret_policy.foreign", policy)
    new = f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-prod"
    notes = plan(state).notes
    for address in ("aws_iam_role.reader", "aws_s3_bucket_policy.states", "aws_secretsmanager_secret_policy.foreign"):
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
