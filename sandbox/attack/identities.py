"""The principals of attacks with their deployed policies: the task role, a role that a plan created, other roles of the account."""

import atexit
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from components.names import PhysicalNames
from preflight.escalations import Question, Setting
from sandbox.attack.row import Outcome, SkippedError
from sandbox.attack.target import Target
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.iam_evaluation.evaluator import (
    Decision,
    Document,
    Evaluator,
    Principal,
)

EVERYTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True)
class Identities:
    """The principals of the deployed stack, and the values that the escalations need."""

    setting: Setting
    task: Principal
    """The task role."""
    terraform: Principal
    """The most that a plan can get: the task role or, where Terraform is isolated, the apply role, which a plan never has."""
    plan: Principal
    """The role of plans; without isolation the task role."""
    created: Principal
    """A role that a plan created under the boundary, with `*` as its policy."""
    file_system_arn: str
    access_point_arn: str
    file_system_policy: Document


def identities(target: Target) -> Identities:
    """The identities, read once from the deployed account."""
    state = target.sandbox.state
    if state not in _KNOWN:
        _KNOWN[state] = _identities(target)
    return _KNOWN[state]


# Several targets of one process have one sandbox.
_KNOWN: dict[Path, Identities] = {}


def _identities(target: Target) -> Identities:
    role_arn = str(target.outputs["atlantis_ecs_task_role_arn"])
    _, partition, _, _, account, resource = role_arn.split(":", 5)
    role = resource.rpartition("/")[2]
    names = PhysicalNames(
        environment=role.removeprefix("atlantis-ecs-task-"),
        account=account,
        region=target.deployment.region,
        partition=partition,
    )
    terraform, plan = (names.terraform_role("apply"), names.terraform_role("plan")) if target.isolated else (role, role)
    policies = _attached(target.client("iam"), terraform)
    statements = (statement for document in policies.values() for statement in document["Statement"])
    required = next((each for each in statements if each["Sid"] == "ManageRolesUnderBoundary"), None)
    if required is None:
        raise SkippedError("the stack has no managedNamePrefixes, so Terraform can't create a role; set one")
    boundary = str(required["Condition"]["StringEquals"]["iam:PermissionsBoundary"])
    prefix = str(required["Resource"][0]).rpartition("/")[2].removesuffix("*")
    session = f"arn:{partition}:sts::{account}:assumed-role"
    file_system = str(target.outputs["atlantis_efs_id"])
    return Identities(
        setting=Setting(
            names=names,
            prefix=prefix,
            boundary_arn=boundary,
            own_boundary=boundary != names.policy_arn(names.permissions_boundary),
            secret_arns={
                "github-app": _secret(target, "ATLANTIS_GH_APP_KEY"),
                "webhook": _secret(target, "ATLANTIS_GH_WEBHOOK_SECRET"),
            },
            security_group_ids=_groups(target, names),
            subnet_ids=_subnets(target),
        ),
        task=Principal(f"{session}/{role}/task", _attached(target.client("iam"), role)),
        terraform=Principal(f"{session}/{terraform}/task", policies),
        plan=Principal(f"{session}/{plan}/plan", _attached(target.client("iam"), plan)),
        created=Principal(
            f"{session}/{prefix}worker/plan", {"all": EVERYTHING}, _document(target.client("iam"), boundary)
        ),
        file_system_arn=names.arn("elasticfilesystem", f"file-system/{file_system}"),
        access_point_arn=names.arn(
            "elasticfilesystem", f"access-point/{target.outputs['atlantis_efs_access_point_id']}"
        ),
        file_system_policy=json.loads(
            target.client("efs").describe_file_system_policy(FileSystemId=file_system)["Policy"]
        ),
    )


def _decide(principal: Principal, question: Question, resource_policy: Document | None = None) -> Decision:
    """The decision of the policy evaluator, which is independent of the local AWS. Raises ``SkippedError`` if it can't run."""
    try:
        decision = _evaluator().decide(principal, question.action, question.resource, question.keys, resource_policy)
    except SandboxError as problem:
        raise SkippedError(str(problem)) from problem
    if decision.ignored_keys:
        raise ValueError(f"{question.action} has no condition key {', '.join(decision.ignored_keys)}")
    return decision


def as_task(known: Identities) -> Principal:
    """The task role."""
    return known.task


def as_terraform(known: Identities) -> Principal:
    """The role with which Terraform applies, or with which a plan can do everything that an apply can."""
    return known.terraform


def as_plan(known: Identities) -> Principal:
    """The role with which Terraform plans."""
    return known.plan


def as_created(known: Identities) -> Principal:
    """A role that a plan created."""
    return known.created


def asked(
    of: Callable[[Identities], Principal],
    question: Callable[[Identities], Question],
    resource_policy: Callable[[Identities], Document | None] = lambda _: None,
) -> Callable[[Target], Outcome]:
    """An attempt or a control that evaluates whether the principal is allowed the call."""

    def ask(target: Target) -> Outcome:
        known = identities(target)
        what = question(known)
        decision = _decide(of(known), what, resource_policy(known))
        by = f" by {', '.join(decision.denied_by)}" if decision.denied_by else ""
        return Outcome(decision.allowed, f"{what.action} on {what.resource}: {decision.result}{by}")

    return ask


@cache
def _evaluator() -> Evaluator:
    evaluator = Evaluator()
    atexit.register(evaluator.close)
    return evaluator


def _attached(iam: Any, role: str) -> dict[str, Document]:
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {each["PolicyName"]: _document(iam, each["PolicyArn"]) for each in attached}


def _document(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return json.loads(document) if isinstance(document, str) else document


def _secret(target: Target, variable: str) -> str:
    """The ARN of the secret that the task definition injects as ``variable`` into one of its containers."""
    for container in target.task_definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            if secret["name"] == variable:
                return ":".join(secret["valueFrom"].split(":")[:7])
    raise ValueError(f"no container of the task has a secret {variable}")


def _groups(target: Target, names: PhysicalNames) -> dict[str, str]:
    wanted = names.security_groups
    filters = [{"Name": "group-name", "Values": list(wanted)}]
    found = target.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return {wanted[group["GroupName"]]: group["GroupId"] for group in found}


def _subnets(target: Target) -> list[str]:
    service = target.client("ecs").describe_services(
        cluster=target.deployment.cluster, services=[target.deployment.name]
    )["services"][0]
    return service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
