"""What IAM, STS, KMS and Secrets Manager refuse."""

from __future__ import annotations

import json
from typing import Any

from sandbox.testbed.iam_evaluation.parameters import listed
from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.policies import (
    identity_policy_problem,
    length,
    resource_policy_problem,
    statements,
    trust_policy_problem,
)

__all__ = ["identity_policy_problem", "key_state", "resource_policy_problem", "role_exists", "trust_policy_problem"]

_ATTACHED = 10
_INLINE_SIZE = {"Role": 10240, "Group": 5120, "User": 2048}


def role_exists(call: Call, arn: Any) -> bool:
    """Whether a role of the account exists. Roles of other accounts can't be known here."""
    _, _, name = str(arn).partition(":role/")
    of_account = f":{call.account}:role/" in str(arn)
    return not of_account or call.find("iam:GetRole", "Role.Arn", RoleName=name.rpartition("/")[2]) == arn


def key_state(call: Call, key: Any) -> str | None:
    """The state of a KMS key, by its ID, ARN or alias; None if it doesn't exist."""
    return call.find("kms:DescribeKey", "KeyMetadata.KeyState", KeyId=str(key))


def attached_limit(call: Call) -> bool:
    kind = "Role" if call["RoleName"] else "User" if call["UserName"] else "Group"
    found = call.all(
        f"iam:ListAttached{kind}Policies", "AttachedPolicies[].PolicyArn", **{f"{kind}Name": call[f"{kind}Name"]}
    )
    return len(found) >= _ATTACHED and call["PolicyArn"] not in found


def too_long(_: Call, document: Any, most: int) -> bool:
    """Whether a policy exceeds the quota of its size."""
    return length(document) > most


def inline_size(call: Call) -> str | None:
    """The quota of a role's, user's or group's inline policies, if the new one exceeds it."""
    kind = call.operation.removeprefix("iam:Put").removesuffix("Policy")
    name = {f"{kind}Name": call[f"{kind}Name"]}
    total = length(call["PolicyDocument"])
    for other in call.all(f"iam:List{kind}Policies", "PolicyNames", **name):
        if other != call["PolicyName"]:
            found = call.find(f"iam:Get{kind}Policy", "PolicyDocument", PolicyName=other, **name)
            total += length(found if isinstance(found, str) else json.dumps(found, separators=(",", ":")))
    return str(_INLINE_SIZE[kind]) if total > _INLINE_SIZE[kind] else None


def linked_exists(call: Call) -> str | None:
    service, suffix = str(call["AWSServiceName"]), call["CustomSuffix"]
    roles = call.all("iam:ListRoles", "Roles[]", PathPrefix=f"/aws-service-role/{service}/")
    return next((role["RoleName"] for role in roles if not suffix or role["RoleName"].endswith(f"_{suffix}")), None)


def locks_out(call: Call) -> bool:
    """Whether no principal of the account may change the key's policy afterwards. The caller must be one that may."""
    if not call["Policy"] or call["BypassPolicyLockoutSafetyCheck"]:
        return False
    for statement in statements(call["Policy"]):
        allows = statement.get("Effect") == "Allow" and any(
            action in ("*", "kms:*", "kms:Put*", "kms:PutKeyPolicy") for action in listed(statement.get("Action"))
        )
        principal = statement.get("Principal")
        callers = listed(principal.get("AWS") if isinstance(principal, dict) else principal)
        if allows and any(item in ("*", call.account) or f":{call.account}:" in item for item in callers):
            return False
    return True
