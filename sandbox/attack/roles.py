"""Attacks with AWS credentials: of a plan, of roles that it creates, and of other roles in the account.

The local AWS evaluates few condition keys and not every resource, so most rows evaluate the deployed documents with a policy
evaluator. Those with a `call` in rows.yaml make it with the task role's credentials.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from components.names import REPOSITORY_TAG, PhysicalNames
from preflight.escalations import Escalation, Question, Setting, escalations
from sandbox.atlantis.terraform_roles import TerraformRoles
from sandbox.attack.identities import (
    EVERYTHING,
    Identities,
    as_created,
    as_task,
    as_terraform,
    asked,
    identities,
)
from sandbox.attack.row import Outcome, Row, SkippedError, described, row
from sandbox.attack.target import Target
from sandbox.testbed.iam_evaluation.evaluator import Document, Principal

_DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
_IN_EVERY_STACK = Setting(
    names=PhysicalNames(environment="any", account="123456789012", region="ap-northeast-2", partition="aws"),
    prefix="any-",
    boundary_arn="arn:aws:iam::123456789012:policy/any",
    own_boundary=False,
    secret_arns={"github-app": "any", "webhook": "any"},
    security_group_ids={"alb": "any", "ecs-tasks": "any", "efs": "any"},
    subnet_ids=["any"],
)
"""Used to list the rows, whose names don't depend on the stack."""


def _escalation(known: Identities, name: str) -> Escalation:
    return next(each for each in escalations(known.setting) if each.name == name)


def _by_plan(row: Escalation) -> Row:
    return Row(
        name=f"plan-{row.name}",
        attack=f"A plan tries to {row.attack}",
        tried=f"{row.question.action} as the task role",
        refused_by="the task role's policies",
        attempt=asked(as_terraform, lambda known: _escalation(known, row.name).question),
        control=asked(as_terraform, lambda known: _escalation(known, row.name).control),
    )


def _by_created_role(row: Escalation) -> Row:
    # The boundary allows no IAM action, so the control for these is the role that creates the role.
    return Row(
        name=f"created-role-{row.name}",
        attack=f"A role that a plan created, with * as its policy, tries to {row.attack}",
        tried=f"{row.question.action} as a role with the boundary",
        refused_by="the permissions boundary",
        attempt=asked(as_created, lambda known: _escalation(known, row.name).question),
        control=asked(as_terraform if row.on_roles else as_created, lambda known: _escalation(known, row.name).control),
    )


def _mount(known: Identities, **keys: str) -> Question:
    reached = {"elasticfilesystem:AccessedViaMountTarget": "true", "aws:SecureTransport": "true"}
    return Question("elasticfilesystem:ClientMount", known.file_system_arn, reached | keys)


def _through_access_point(known: Identities) -> Question:
    return _mount(known, **{"elasticfilesystem:AccessPointArn": known.access_point_arn})


def _of_the_account(known: Identities) -> Principal:
    """A role without a boundary whose policy allows everything."""
    names = known.setting.names
    return Principal(f"arn:{names.partition}:sts::{names.account}:assumed-role/backup/session", {"all": EVERYTHING})


def _policy(known: Identities) -> Document:
    return known.file_system_policy


def _files(name: str, question: Callable[[Identities], Question]) -> Row:
    return row(
        f"files-{name}", asked(_of_the_account, question, _policy), asked(as_task, _through_access_point, _policy)
    )


def _state(known: Identities) -> Question:
    """An object in the first state bucket, of the session's repository if each has a separate prefix."""
    for document in known.terraform.policies.values():
        for statement in document["Statement"]:
            if statement["Sid"] == "ReadAndWriteState":
                tag, repository = f"aws:PrincipalTag/{REPOSITORY_TAG}", "my-organization/shop"
                prefix = str(statement["Resource"][0]).replace(f"${{{tag}}}", repository)
                return Question("s3:GetObject", prefix.replace("*", "stack/terraform.tfstate"), {tag: repository})
    raise SkippedError("the stack has no terraformStateBuckets")


def _state_by_created_role(target: Target) -> Outcome:
    if identities(target).setting.own_boundary:
        raise SkippedError("the operator's boundary must allow the task role to read the state")
    return asked(as_created, _state)(target)


def _tags(kind: str) -> Callable[[Identities], Question]:
    """Tags on an EC2 resource with the ID of an example."""
    return lambda known: Question("ec2:CreateTags", known.setting.names.arn("ec2", f"{kind}-0123456789abcdef0"))


_BY_IAM = (
    row("plan-vpc-tags", asked(as_terraform, _tags("vpc/vpc")), asked(as_terraform, _tags("security-group/sg"))),
    row("created-role-state", _state_by_created_role, asked(as_terraform, _state)),
    row(
        "created-role-files",
        asked(as_created, _through_access_point, _policy),
        asked(as_task, _through_access_point, _policy),
    ),
    _files("without-access-point", _mount),
    _files(
        "other-access-point",
        lambda known: _mount(known, **{"elasticfilesystem:AccessPointArn": f"{known.access_point_arn}0"}),
    ),
    _files(
        "as-root",
        lambda known: Question(
            "elasticfilesystem:ClientRootAccess", known.file_system_arn, _through_access_point(known).keys
        ),
    ),
    _files(
        "in-plaintext",
        lambda known: Question(
            "elasticfilesystem:ClientMount",
            known.file_system_arn,
            {**_through_access_point(known).keys, "aws:SecureTransport": "false"},
        ),
    ),
)


def _called(target: Target, service: str, operation: str, parameters: Mapping[str, Any]) -> Outcome:
    """Make the call with the credentials with which Terraform applies."""
    known = identities(target).setting
    given = {key: value.format(**vars(known)) if isinstance(value, str) else value for key, value in parameters.items()}
    try:
        session = TerraformRoles.of(target.deployment).session(target.deployment)
        getattr(target.client(service, session), operation)(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _DENIALS:
            raise
        return Outcome(False, error.response["Error"]["Message"])
    return Outcome(True, f"{service} {operation} was allowed")


def _with_credentials(name: str, call: str, parameters: Mapping[str, Any], control: str) -> Row:
    """``call`` is boto3's service and operation; ``control`` an operation of the same service without parameters."""
    service, operation = call.split()
    return row(
        name,
        lambda target: _called(target, service, operation, parameters),
        lambda target: _called(target, service, control, {}),
    )


_NAMED = escalations(_IN_EVERY_STACK)
ROWS = (
    *(_by_plan(row) for row in _NAMED),
    *(_by_created_role(row) for row in _NAMED),
    *_BY_IAM,
    *(_with_credentials(name, *called) for name, called in described("call", "parameters", "control").items()),
)
