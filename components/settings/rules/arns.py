"""Rules for ARNs: the required partition, region and account."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import pulumi

from ..arguments import Settings
from ..problem import Problem, Rule
from ..values import ARN

Arns = Callable[[Settings], Iterable[pulumi.Input[str] | None]]

_OF_REGION_AND_ACCOUNT: Mapping[str, Arns] = {
    "acmCertificateArn": lambda settings: [settings.ingress.acm_certificate_arn],
    "webAclArn": lambda settings: [settings.ingress.web_acl_arn],
    "httpsListenerArn": lambda settings: [settings.existing.https_listener_arn],
    "serviceRegistryArn": lambda settings: [settings.existing.service_registry_arn],
    "alarmTopicArns": lambda settings: settings.operations.alarm_topic_arns,
}
_OF_ONE_REGION: Mapping[str, Arns] = _OF_REGION_AND_ACCOUNT | {
    "logKeyArn": lambda settings: [settings.existing.log_key_arn],
    "extraContainers": lambda settings: [
        arn for each in settings.task.extra_containers for arn in each.secrets.values()
    ],
}
_OF_ONE_ACCOUNT: Mapping[str, Arns] = _OF_REGION_AND_ACCOUNT | {
    "permissionsBoundaryArn": lambda settings: [settings.terraform.permissions_boundary_arn],
    "deploymentRoleArn": lambda settings: [settings.task.deployment_role_arn],
    "additionalPolicyArns": lambda settings: settings.terraform.additional_policy_arns,
    "additionalPlanPolicyArns": lambda settings: settings.terraform.additional_plan_policy_arns,
    "secretReaderArns": lambda settings: settings.server.secret_reader_arns,
}
_OF_ONE_PARTITION: Mapping[str, Arns] = (
    _OF_ONE_REGION
    | _OF_ONE_ACCOUNT
    | {
        "terraformStateKeyArns": lambda settings: settings.terraform.terraform_state_key_arns,
        "assumableRoleArns": lambda settings: settings.terraform.assumable_role_arns,
        "planAssumableRoleArns": lambda settings: settings.terraform.plan_assumable_role_arns,
        "repositoryRoles": lambda settings: [
            arn for _, *arns in settings.terraform.roles_of_repositories for arn in arns
        ],
    }
)
_AWS_MANAGED = "aws"
"""The account in the ARN of a policy that AWS manages."""


def of_other_accounts(settings: Settings, account: str) -> Iterator[Problem]:
    """ARNs of other accounts in settings for which AWS or the stack supports only the stack's own account.

    Terraform's state keys and the roles that it may assume can be of any account.
    """
    for key, arns in _OF_ONE_ACCOUNT.items():
        for arn in _known(arns(settings)):
            if (found := arn.split(":")[4]) not in (account, _AWS_MANAGED):
                yield Problem(
                    {key: arn}, f"must be in account {account}, to which the stack is deployed, not in {found}"
                )


def _boundary_account(settings: Settings) -> Iterator[Problem]:
    """A boundary of another account than all other ARNs. A preview in the sandbox has another account, and can't compare."""
    (boundary,) = _known([settings.terraform.permissions_boundary_arn]) or [None]
    key = "permissionsBoundaryArn"
    others = {
        arn.split(":")[4] for name, arns in _OF_ONE_ACCOUNT.items() if name != key for arn in _known(arns(settings))
    } - {_AWS_MANAGED}
    if boundary and len(others) == 1 and (found := boundary.split(":")[4]) not in (*others, _AWS_MANAGED):
        yield Problem({key: boundary}, f"must be in the account of the other ARNs, {others.pop()}, not in {found}")


def _in_region(key: str, arns: Arns) -> Rule:
    def rule(settings: Settings) -> Iterator[Problem]:
        for arn in _known(arns(settings)):
            if (match := ARN.fullmatch(arn)) and match[3] != settings.region:
                yield Problem({key: arn}, f"must be in the stack's region, {settings.region}, not in {match[3]}")

    return rule


def _in_partition(key: str, arns: Arns) -> Rule:
    def rule(settings: Settings) -> Iterator[Problem]:
        partition = _partition(settings.region)
        for arn in _known(arns(settings)):
            if (found := arn.split(":")[1]) != partition:
                yield Problem({key: arn}, f"must be in the partition {partition} of {settings.region}, not in {found}")

    return rule


def _known(arns: Iterable[pulumi.Input[str] | None]) -> list[str]:
    """The ARNs that are set and known. An output is validated when it becomes known (`deferred.py`)."""
    return [arn for arn in arns if isinstance(arn, str) and arn]


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


RULES: tuple[Rule, ...] = (
    _boundary_account,
    *(_in_region(key, arns) for key, arns in _OF_ONE_REGION.items()),
    *(_in_partition(key, arns) for key, arns in _OF_ONE_PARTITION.items()),
)
