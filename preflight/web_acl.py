"""The load balancer's web ACL: it exists, and allows GitHub's webhooks."""

from typing import Any

from components.settings.schema import known
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError

COMMON_RULES = ("AWS", "AWSManagedRulesCommonRuleSet")
BODY_RULE = "SizeRestrictions_BODY"
"""Blocks every body of more than 8 KB. The event of a pull request has three times that size."""


def exists(deployment: Deployment) -> str:
    """The web ACL exists."""
    web_acl = _web_acl(deployment)
    if web_acl is None:
        raise FailedError(
            f"{deployment.settings.ingress.web_acl_arn} does not exist", "correct webAclArn, or remove it"
        )
    return f"{web_acl['Name']}, {len(web_acl.get('Rules', []))} rules"


def lets_webhooks_through(deployment: Deployment) -> str:
    """No rule of AWS' common rule set blocks webhooks because of their size."""
    web_acl = _web_acl(deployment) or {}
    blocking = [rule["Name"] for rule in web_acl.get("Rules", []) if _blocks_large_bodies(rule)]
    if blocking:
        raise WarnedError(
            f"rule {', '.join(blocking)} blocks bodies of more than 8 KB ({BODY_RULE}), which blocks most webhooks",
            f"override the action of {BODY_RULE} to Count",
        )
    return f"no rule has {BODY_RULE} on"


CHECKS = (
    Check("web ACL", "exists", exists),
    Check("web ACL", "lets webhooks through", lets_webhooks_through, needs=(exists,)),
)


def _web_acl(deployment: Deployment) -> dict[str, Any] | None:
    arn = deployment.settings.ingress.web_acl_arn
    if not arn:
        raise NotCheckedError("webAclArn is not set")
    _, _, name, identity = known(arn).rpartition(":")[2].split("/")
    answer = deployment.aws.find("wafv2", "get_web_acl", Name=name, Scope="REGIONAL", Id=identity)
    return answer["WebACL"] if answer else None


def _blocks_large_bodies(rule: dict[str, Any]) -> bool:
    group = rule.get("Statement", {}).get("ManagedRuleGroupStatement", {})
    if (group.get("VendorName"), group.get("Name")) != COMMON_RULES or "Count" in rule.get("OverrideAction", {}):
        return False
    overridden = {
        override["Name"]
        for override in group.get("RuleActionOverrides", [])
        if override["ActionToUse"].keys() & {"Count", "Allow"}
    }
    return BODY_RULE not in overridden | {excluded["Name"] for excluded in group.get("ExcludedRules", [])}
