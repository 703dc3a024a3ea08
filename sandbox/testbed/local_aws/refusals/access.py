"""What IAM, STS, KMS and Secrets Manager refuse."""

from __future__ import annotations

import json
from typing import Any

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
_USAGES = {
    "SYMMETRIC_DEFAULT": {"ENCRYPT_DECRYPT"},
    "RSA": {"ENCRYPT_DECRYPT", "SIGN_VERIFY"},
    "ECC_NIST": {"SIGN_VERIFY", "KEY_AGREEMENT"},
    "ECC": {"SIGN_VERIFY"},
    "HMAC": {"GENERATE_VERIFY_MAC"},
    "SM2": {"ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"},
    "ML": {"SIGN_VERIFY"},
}


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


def policy_missing(call: Call, arn: Any) -> bool:
    """A customer managed policy that doesn't exist. The local AWS doesn't have all of AWS' own."""
    return bool(arn) and f":{call.account}:" in arn and not call.find("iam:GetPolicy", "Policy.Arn", PolicyArn=arn)


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


def same_tag_key(call: Call) -> str | None:
    keys = [str(key).lower() for key in call.each("Tags[].Key")]
    return next((key for key in keys if keys.count(key) > 1), None)


def policy_use(call: Call) -> str | None:
    if versions := call.all("iam:ListPolicyVersions", "Versions[?!IsDefaultVersion]", PolicyArn=call["PolicyArn"]):
        return f"This policy has {len(versions) + 1} versions. You must delete all its other versions first."
    kinds = "[PolicyRoles, PolicyUsers, PolicyGroups][]"
    if call.find("iam:ListEntitiesForPolicy", kinds, PolicyArn=call["PolicyArn"]) or call.find(
        "iam:GetPolicy", "Policy.AttachmentCount", PolicyArn=call["PolicyArn"]
    ):
        return "Cannot delete a policy attached to entities."
    for role in call.all("iam:ListRoles", "Roles[].RoleName"):
        arn = call.find("iam:GetRole", "Role.PermissionsBoundary.PermissionsBoundaryArn", RoleName=role)
        if arn == call["PolicyArn"]:
            return "Cannot delete a policy attached to entities."
    return None


def linked_exists(call: Call) -> str | None:
    service, suffix = str(call["AWSServiceName"]), call["CustomSuffix"]
    roles = call.all("iam:ListRoles", "Roles[]", PathPrefix=f"/aws-service-role/{service}/")
    return next((role["RoleName"] for role in roles if not suffix or role["RoleName"].endswith(f"_{suffix}")), None)


def locks_out(call: Call) -> bool:
    """Whether no principal of the account may change the key's policy afterwards. The caller must be one that may."""
    if not call["Policy"] or call["BypassPolicyLockoutSafetyCheck"]:
        return False
    for statement in statements(call["Policy"]):
        actions = statement.get("Action", [])
        listed = [actions] if isinstance(actions, str) else actions
        allows = statement.get("Effect") == "Allow" and any(
            action in ("*", "kms:*", "kms:Put*", "kms:PutKeyPolicy") for action in listed
        )
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        callers = [named] if isinstance(named, str) else named or []
        if allows and any(item in ("*", call.account) or f":{call.account}:" in item for item in callers):
            return False
    return True


def wrong_usage(call: Call) -> bool:
    spec, usage = (
        call["KeySpec"] or call["CustomerMasterKeySpec"] or "SYMMETRIC_DEFAULT",
        call["KeyUsage"] or "ENCRYPT_DECRYPT",
    )
    kind = next((name for name in _USAGES if spec.startswith(name)), None)
    return kind is not None and usage not in _USAGES[kind]


def not_symmetric(call: Call) -> bool:
    found = call.find("kms:DescribeKey", "KeyMetadata.[KeySpec, Origin]", KeyId=str(call["KeyId"]))
    return bool(found) and (found[0] not in (None, "SYMMETRIC_DEFAULT") or found[1] == "EXTERNAL")


def function_missing(call: Call) -> bool:
    arn = call["RotationLambdaARN"]
    return (
        bool(arn)
        and f":{call.account}:" in arn
        and not call.find("lambda:GetFunction", "Configuration", FunctionName=arn)
    )
