"""The report of a rehearsal: resources by name, how far a failed step got, and what the deployed role lacks."""

from pathlib import Path

import pytest

from sandbox.repository_rehearsal import report, terraform_output
from sandbox.repository_rehearsal.decisions import Call
from sandbox.repository_rehearsal.least_privilege_role import Statement
from sandbox.repository_rehearsal.project_roles import Roles
from sandbox.repository_rehearsal.rehearsed_repository import Run
from sandbox.repository_rehearsal.trial import Project, Step
from tests.tables import table

PROJECT = Project("live")
PLAN = table(__file__, "plan")
APPLY = table(__file__, "apply")
ERROR = "\u2502 Error: reading SSM Parameter (/aws/none): couldn't find resource\n\u2502 \n\u2502   with data.aws_ssm_parameter.none\n"


def step(verb: str, text: str, *calls: Call, unsupported: tuple[str, ...] = ()) -> Step:
    return Step(PROJECT, verb, 1.0, [text], calls, unsupported)


def written(tmp_path: Path, *steps: Step) -> str:
    run = Run([], list(steps), roles={PROJECT: Roles({}, [], {}, [])})
    return report.write(run, Path("team"), tmp_path).read_text("utf-8")


def test_resources_are_listed_with_what_was_done() -> None:
    assert terraform_output.planned(PLAN) == {
        'module.ecr.aws_ecr_repository.this["a b"]': "created",
        "aws_sqs_queue.jobs": "replaced",
        "aws_sqs_queue.other": "updated in-place",
    }
    assert terraform_output.done(APPLY) == {
        'module.ecr.aws_ecr_repository.this["a b"]': "created",
        "aws_sqs_queue.other": "updated in-place",
    }


def test_the_output_of_terragrunt_is_read_without_its_prefixes(tmp_path: Path) -> None:
    def forwarded(text: str) -> str:
        return "".join(f"18:26:12.913 STDOUT [live] tofu: {line}\n" for line in text.splitlines())

    plan = step("plan", forwarded(f"{PLAN}\nPlan: 1 to add, 1 to change, 1 to destroy."))
    assert plan.result == "Plan: 1 to add, 1 to change, 1 to destroy."
    text = written(tmp_path, plan, step("apply", forwarded(APPLY)))
    assert '| `module.ecr.aws_ecr_repository.this["a b"]` | created | created |' in text


def test_the_report_has_each_resource_by_its_address(tmp_path: Path) -> None:
    text = written(tmp_path, step("plan", PLAN), step("apply", APPLY))
    assert '| `module.ecr.aws_ecr_repository.this["a b"]` | created | created |' in text
    assert "| `aws_sqs_queue.jobs` | replaced | not done |" in text
    assert "policy_document" not in text


def test_a_failed_plan_shows_how_far_it_got(tmp_path: Path) -> None:
    text = written(tmp_path, step("plan", f"**Plan Error**\n{PLAN}{ERROR}"))
    assert "The plan failed after it had read 1 data sources and planned 3 resources." in text
    assert "- read: `data.aws_region.current`" in text
    assert "plan of live failed: reading SSM Parameter (/aws/none): couldn't find resource" in text


def test_a_second_plan_with_changes_names_them(tmp_path: Path) -> None:
    text = written(
        tmp_path, step("plan", PLAN), step("plan again", f"{PLAN}Plan: 1 to add, 1 to change, 1 to destroy.\n")
    )
    assert "- plan again of live has changes: Plan: 1 to add, 1 to change, 1 to destroy. (" in text
    assert ", aws_sqs_queue.other)" in text


SECOND_PLAN = table(__file__, "second_plan")


def test_a_difference_of_the_local_aws_is_labelled(tmp_path: Path) -> None:
    text = written(tmp_path, step("plan", PLAN), step("plan again", "No changes. Your infrastructure matches.\n"))
    assert "which the local AWS doesn't return" not in text
    text = written(tmp_path, step("plan", PLAN), step("plan again", SECOND_PLAN))
    assert "It plans and applies as it is." in text
    assert '- `module.web.aws_lb_listener.this["https"]`: the second plan changes default_action, forward' in text
    real = SECOND_PLAN.replace("      ~ options {", '      ~ domain_name = "a"\n      ~ options {')
    text = written(tmp_path, step("plan", PLAN), step("plan again", real))
    assert "has changes: Plan: 0 to add, 3 to change, 0 to destroy. (aws_acm_certificate.team)" in text


@pytest.mark.parametrize(
    ("address", "type_"),
    [
        ("aws_sqs_queue.jobs", "aws_sqs_queue"),
        ('module.a["b.c"].aws_ecr_repository.this["a.b"]', "aws_ecr_repository"),
        ("module.a.module.b[0].aws_lb.this-one[1]", "aws_lb"),
    ],
)
def test_the_type_of_an_address(address: str, type_: str) -> None:
    assert terraform_output.type_of(address) == type_


def test_what_the_local_aws_lacks_is_the_reason_of_a_failed_apply(tmp_path: Path) -> None:
    lacking = ("codedeploy:CreateApplication", "ec2:DescribeMacHosts")
    error = "\u2502 Error: creating an application: AWS would allow this call (codedeploy:CreateApplication)\n"
    text = written(tmp_path, step("plan", PLAN), step("apply", f"**Apply Error**\n{error}", unsupported=lacking))
    assert "- apply of live failed: the local AWS doesn't support codedeploy:CreateApplication\n" in text
    assert "- `ec2:DescribeMacHosts`" in text, "a call that the provider tolerated is listed, and isn't the reason"


def test_an_error_that_is_not_terraforms_is_the_reason_too(tmp_path: Path) -> None:
    comment = "**Apply Error**\n```\nrunning 'terraform apply': exit status 1\napply: nothing was changed: a local state\n\n```\n"
    text = written(tmp_path, step("plan", PLAN), step("apply", comment))
    assert "- apply of live failed: apply: nothing was changed: a local state\n" in text


def test_the_report_states_what_it_can_not_know(tmp_path: Path) -> None:
    made = [
        Call(action, "*", {}, "Allowed", (), "")
        for action in ("rds:CreateDBInstance", "elasticache:CreateCacheCluster")
    ]
    made += [Call("autoscaling:CreateAutoScalingGroup", "*", {}, "Allowed", (), "")]
    reason = (
        "unverified: AWS' reference doesn't list codedeploy:Invent on such resources, so the local AWS decided alone"
    )
    unverified = Statement(("codedeploy:Invent",), ("arn:aws:codedeploy:a:b:c",), (), reason)
    run = Run([], [step("plan", PLAN), step("apply", APPLY, *made)])
    run.roles = {PROJECT: Roles({}, [], {}, [unverified])}
    text = report.write(run, Path("team"), tmp_path).read_text("utf-8")
    stated = text.partition("### What this rehearsal can't show")[2].partition("###")[0]
    assert "- `aws_ecr_repository` (1): accepted by the local AWS, not checked" in stated
    assert "- `aws_sqs_queue` (1): accepted by the local AWS, not checked" in stated
    assert (
        "- `iam:CreateServiceLinkedRole`: AWS can require it in addition to `autoscaling:CreateAutoScalingGroup`"
        in stated
    )
    assert "- `iam:PassRole`: AWS can require it in addition to `autoscaling:CreateAutoScalingGroup`" in stated
    assert "`iam:PassRole`: AWS can require it in addition to `rds:CreateDBInstance`" not in stated
    assert f"- `codedeploy:Invent` on `arn:aws:codedeploy:a:b:c`: {reason}" in stated


def test_a_failed_apply_states_why_its_rest_was_changed_and_destroyed(tmp_path: Path) -> None:
    failed = step("apply", "**Apply Error**\n\u2502 Error: creating: limit\n")
    assert "The apply failed. What it had created was then changed and destroyed" in written(tmp_path, failed)


def test_only_plans_and_applies_show_what_the_role_lacks(tmp_path: Path) -> None:
    def denied(action: str) -> Call:
        return Call(action, "*", {}, "ImplicitlyDenied", (), "Allowed", "atlantis-task", ("ec2:Vpc",))

    text = written(tmp_path, step("plan", PLAN, denied("ec2:RunInstances")), step("destroy", "", denied("ec2:Other")))
    assert "- atlantis-task: `ec2:RunInstances` on `*`: no statement allows it (the policies ask for ec2:Vpc" in text
    assert "- atlantis-task: `ec2:Other`" not in text
