"""The checks of the web ACL, each spoiled once."""

from typing import Any

import pytest

from preflight.errors import Status
from tests.preflight.account import Account

SEEN = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "rule"}


def _put_rule(account: Account, name: str = "AWSManagedRulesCommonRuleSet", **changes: Any) -> None:
    group = {"VendorName": "AWS", "Name": name} | changes.pop("group", {})
    rule = {
        "Name": "common",
        "Priority": 1,
        "Statement": {"ManagedRuleGroupStatement": group},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": SEEN,
    }
    _, _, web_acl, identity = account.values["webAclArn"].rpartition(":")[2].split("/")
    client, named = account.client("wafv2"), {"Name": web_acl, "Scope": "REGIONAL", "Id": identity}
    token = client.get_web_acl(**named)["LockToken"]
    client.update_web_acl(
        **named, LockToken=token, DefaultAction={"Allow": {}}, Rules=[rule | changes], VisibilityConfig=SEEN
    )


def test_web_acl_that_blocks_large_bodies_is_a_warning(account: Account):
    _put_rule(account)
    account.assert_only(
        "web ACL: lets webhooks through",
        Status.WARNING,
        "rule common blocks bodies of more than 8 KB (SizeRestrictions_BODY)",
        "override the action of SizeRestrictions_BODY to Count",
    )


COUNTED = {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "AWSManagedRulesKnownBadInputsRuleSet"},
        {"OverrideAction": {"Count": {}}},
        {"group": {"RuleActionOverrides": [COUNTED]}},
        {"group": {"ExcludedRules": [{"Name": "SizeRestrictions_BODY"}]}},
    ],
    ids=["another group", "whole group counts", "rule counts", "rule excluded"],
)
def test_web_acl_that_lets_large_bodies_through_passes(account: Account, changes: dict[str, Any]):
    _put_rule(account, **changes)
    assert account.result("web ACL: lets webhooks through").status is Status.OK


def test_another_override_still_blocks(account: Account):
    _put_rule(account, group={"RuleActionOverrides": [COUNTED | {"Name": "NoUserAgent_HEADER"}]})
    assert account.result("web ACL: lets webhooks through").status is Status.WARNING
