"""The permissions boundary of the roles that Terraform creates: what it allows, and which roles don't have it."""

import fnmatch
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.settings.schema import known, known_items
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError
from preflight.escalations import Question, Setting, escalations


def exists(deployment: Deployment) -> str:
    """The permissions boundary of every role exists."""
    arn = deployment.settings.terraform.permissions_boundary_arn
    if not arn:
        raise NotCheckedError("permissionsBoundaryArn is not set: the deployment creates one")
    arn = known(arn)
    if deployment.aws.find("iam", "get_policy", PolicyArn=arn) is None:
        raise FailedError(
            f"{arn} doesn't exist, so no role can be created", "create it, or correct permissionsBoundaryArn"
        )
    return arn


def keeps_roles_from_atlantis(deployment: Deployment) -> str:
    """The boundary alone prevents a role that Terraform creates, with `*` as its policy, from taking over Atlantis."""
    if not deployment.settings.terraform.managed_name_prefixes:
        raise NotCheckedError("managedNamePrefixes is empty: Terraform creates no role")
    arn = str(deployment.settings.terraform.permissions_boundary_arn)
    document = deployment.aws.policy_document(arn)
    setting = setting_of(deployment)
    caller = {"aws:PrincipalArn": deployment.names.role_arn(f"{setting.prefix}worker")}
    asked = escalations(setting)
    allowed = [each for each in asked if simulate(deployment, document, each.question, caller)]
    if allowed:
        listed = "; ".join(f"{each.attack} ({each.question.action})" for each in allowed)
        raise WarnedError(
            f"{arn} allows a role that Terraform creates to {listed}",
            "deny each action in the boundary (docs/security.md), or remove permissionsBoundaryArn: the stack then creates a boundary "
            "that denies them",
        )
    return f"{len(asked)} escalations denied by {arn}"


def roles_have_it(deployment: Deployment) -> str:
    """Every role that Terraform can pass to a task has the boundary: `iam:PassRole` can't require one."""
    prefixes = deployment.settings.terraform.managed_name_prefixes
    if not prefixes:
        raise NotCheckedError("managedNamePrefixes is empty: Terraform passes no role")
    names = deployment.names
    boundary = deployment.settings.terraform.permissions_boundary_arn or names.policy_arn(names.permissions_boundary)
    managed = [
        role["RoleName"]
        for role in deployment.aws.read("iam", "list_roles")["Roles"]
        if role["RoleName"].startswith(tuple(prefixes))
        and not fnmatch.fnmatchcase(role["RoleName"], names.roles_of_every_environment)
        and role["RoleName"] != names.flow_log_role
        and role["Arn"] not in deployment.settings.server.secret_reader_arns
    ]
    unbound = [name for name in managed if _boundary_of(deployment, name) != boundary]
    if unbound:
        raise WarnedError(
            f"{', '.join(unbound)}: without the boundary {boundary}; Terraform can pass these roles to a task, but can't change them",
            f"aws iam put-role-permissions-boundary --role-name {unbound[0]} --permissions-boundary {boundary}, or rename a role that "
            "isn't Terraform's",
        )
    return f"{len(managed)} roles of the managed prefixes"


CHECKS = (
    Check("roles", "permissions boundary", exists),
    Check("roles", "boundary protects Atlantis", keeps_roles_from_atlantis, needs=(exists,)),
    Check("roles", "managed roles have it", roles_have_it),
)


def setting_of(deployment: Deployment) -> Setting:
    """The values that the escalations need: IDs of deployed resources, and placeholder ARNs for missing secrets."""
    names, settings = deployment.names, deployment.settings
    given = settings.terraform.permissions_boundary_arn
    secrets = {
        "github-app": deployment.credentials_secret,
        "webhook": known(settings.server.webhook_secret_name) or names.secret("webhook-secret"),
    }
    groups = names.security_groups
    filters = [{"Name": "group-name", "Values": list(groups)}]
    found = deployment.aws.read("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
    return Setting(
        names=names,
        prefix=settings.terraform.managed_name_prefixes[0],
        boundary_arn=known(given) or names.policy_arn(names.permissions_boundary),
        own_boundary=given is not None,
        secret_arns={of: _secret_arn(deployment, name) for of, name in secrets.items()},
        security_group_ids={groups[group["GroupName"]]: group["GroupId"] for group in found},
        subnet_ids=known_items(settings.network.private_subnet_ids),
    )


def simulate(
    deployment: Deployment, document: Mapping[str, Any], question: Question, caller: Mapping[str, str]
) -> bool:
    """Whether IAM's policy simulator allows `question` with `document` as the only policy."""
    answer = deployment.aws.read(
        "iam",
        "simulate_custom_policy",
        PolicyInputList=[json.dumps(document)],
        ActionNames=[question.action],
        ResourceArns=[question.resource],
        ContextEntries=[_entry(key, value) for key, value in {**caller, **question.keys}.items()],
    )
    return answer["EvaluationResults"][0]["EvalDecision"] == "allowed"


def _entry(key: str, value: str | Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, str):
        return {"ContextKeyName": key, "ContextKeyType": "stringList", "ContextKeyValues": list(value)}
    kind = "boolean" if value in ("true", "false") else "string"
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}


def _boundary_of(deployment: Deployment, role: str) -> str | None:
    answer = deployment.aws.find("iam", "get_role", RoleName=role) or {"Role": {}}
    return answer["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def _secret_arn(deployment: Deployment, name: str) -> str:
    described = deployment.aws.find("secretsmanager", "describe_secret", SecretId=name)
    return described["ARN"] if described else deployment.names.arn("secretsmanager", f"secret:{name}-AbCdEf")
