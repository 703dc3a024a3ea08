"""What IAM, STS, KMS and Secrets Manager refuse."""

from __future__ import annotations

import json
from typing import Any, Final

from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.policies import (
    identity_policy_problem,
    length,
    resource_policy_problem,
    statements,
    trust_policy_problem,
)
from sandbox.testbed.local_aws.refusals.row import Condition, Refusal

__all__ = ["ACCESS", "key_state", "role_exists"]

_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_KEY_STATES = "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html"
_KEY_POLICY = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"
_ATTACHED, _POLICY_SIZE, _TRUST_SIZE, _ACCESS_KEYS = 10, 6144, 2048, 2
_INLINE_SIZE = {"Role": 10240, "Group": 5120, "User": 2048}
_SIZE = "Cannot exceed quota for PolicySize: 6144"
_IN_USE = "Cannot delete entity, "
_PENDING = "{found} is pending deletion."
_ON_KEYS = (
    "kms:CancelKeyDeletion CreateAlias CreateGrant Decrypt DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt "
    "GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateMac PutKeyPolicy ReEncrypt ScheduleKeyDeletion Sign TagResource "
    "UntagResource UpdateAlias UpdateKeyDescription Verify VerifyMac"
)
_USES = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
        "CreateGrant",
        "EnableKeyRotation",
        "DisableKeyRotation",
    }
)
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


def _attached_limit(call: Call) -> bool:
    kind = "Role" if call["RoleName"] else "User" if call["UserName"] else "Group"
    found = call.all(
        f"iam:ListAttached{kind}Policies", "AttachedPolicies[].PolicyArn", **{f"{kind}Name": call[f"{kind}Name"]}
    )
    return len(found) >= _ATTACHED and call["PolicyArn"] not in found


def _policy_missing(parameter: str) -> Condition:
    """A customer managed policy that doesn't exist. The local AWS doesn't have all of AWS' own."""

    def missing(call: Call) -> bool:
        arn = call[parameter]
        return bool(arn) and f":{call.account}:" in arn and not call.find("iam:GetPolicy", "Policy.Arn", PolicyArn=arn)

    return missing


def _inline_size(call: Call) -> str | None:
    """The quota of a role's, user's or group's inline policies, if the new one exceeds it."""
    kind = call.operation.removeprefix("iam:Put").removesuffix("Policy")
    name = {f"{kind}Name": call[f"{kind}Name"]}
    total = length(call["PolicyDocument"])
    for other in call.all(f"iam:List{kind}Policies", "PolicyNames", **name):
        if other != call["PolicyName"]:
            found = call.find(f"iam:Get{kind}Policy", "PolicyDocument", PolicyName=other, **name)
            total += length(found if isinstance(found, str) else json.dumps(found, separators=(",", ":")))
    return str(_INLINE_SIZE[kind]) if total > _INLINE_SIZE[kind] else None


def _linked(call: Call) -> bool:
    path = call.find("iam:GetRole", "Role.Path", RoleName=call["RoleName"])
    return str(path).startswith("/aws-service-role/")


def _same_tag_key(call: Call) -> str | None:
    keys = [str(key).lower() for key in call.each("Tags[].Key")]
    return next((key for key in keys if keys.count(key) > 1), None)


def _policy_use(call: Call) -> str | None:
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


def _linked_exists(call: Call) -> str | None:
    service, suffix = str(call["AWSServiceName"]), call["CustomSuffix"]
    roles = call.all("iam:ListRoles", "Roles[]", PathPrefix=f"/aws-service-role/{service}/")
    return next((role["RoleName"] for role in roles if not suffix or role["RoleName"].endswith(f"_{suffix}")), None)


def _key_id(call: Call) -> Any:
    return call["KeyId"] or call["TargetKeyId"] or call["SourceKeyId"]


def _pending(call: Call) -> str | None:
    """The key, if it is pending deletion and the operation isn't allowed in this state."""
    state = key_state(call, _key_id(call))
    allowed = call.operation == "kms:CancelKeyDeletion"
    return _key_id(call) if state in ("PendingDeletion", "PendingReplicaDeletion") and not allowed else None


def _not_pending(call: Call) -> bool:
    return key_state(call, call["KeyId"]) not in ("PendingDeletion", "PendingReplicaDeletion", None)


def _disabled(call: Call) -> bool:
    return call.operation.partition(":")[2] in _USES and key_state(call, _key_id(call)) == "Disabled"


def _locks_out(call: Call) -> bool:
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


def _wrong_usage(call: Call) -> bool:
    spec, usage = (
        call["KeySpec"] or call["CustomerMasterKeySpec"] or "SYMMETRIC_DEFAULT",
        call["KeyUsage"] or "ENCRYPT_DECRYPT",
    )
    kind = next((name for name in _USAGES if spec.startswith(name)), None)
    return kind is not None and usage not in _USAGES[kind]


def _not_symmetric(call: Call) -> bool:
    found = call.find("kms:DescribeKey", "KeyMetadata.[KeySpec, Origin]", KeyId=str(call["KeyId"]))
    return bool(found) and (found[0] not in (None, "SYMMETRIC_DEFAULT") or found[1] == "EXTERNAL")


def _secret_deleted(call: Call, parameter: str = "SecretId") -> bool:
    secret = call.find("secretsmanager:DescribeSecret", "DeletedDate", SecretId=call[parameter])
    return bool(secret)


def _entity(kind: str, operation: str, path: str) -> Condition:
    """Whether something of ``kind`` has what ``operation`` lists."""
    return lambda call: call.all(f"iam:{operation}", path, **{f"{kind}Name": call[f"{kind}Name"]})


def _role_policies(call: Call) -> str | None:
    name = {"RoleName": call["RoleName"]}
    if call.all("iam:ListInstanceProfilesForRole", "InstanceProfiles", **name):
        return "must remove roles from instance profile first."
    if call.all("iam:ListAttachedRolePolicies", "AttachedPolicies", **name):
        return "must detach all policies first."
    return "must delete policies first." if call.all("iam:ListRolePolicies", "PolicyNames", **name) else None


def _function_missing(call: Call) -> bool:
    arn = call["RotationLambdaARN"]
    return (
        bool(arn)
        and f":{call.account}:" in arn
        and not call.find("lambda:GetFunction", "Configuration", FunctionName=arn)
    )


ACCESS: Final = (
    Refusal(
        "iam:CreateRole UpdateAssumeRolePolicy",
        "MalformedPolicyDocument",
        "{found}",
        lambda c: trust_policy_problem(c, c["AssumeRolePolicyDocument"] or c["PolicyDocument"]),
    ),
    Refusal(
        "iam:CreateRole UpdateAssumeRolePolicy",
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        lambda c: length(c["AssumeRolePolicyDocument"] or c["PolicyDocument"]) > _TRUST_SIZE,
        _QUOTAS,
    ),
    Refusal(
        "iam:CreateRole CreateUser PutRolePermissionsBoundary PutUserPermissionsBoundary",
        "NoSuchEntity",
        "Scope ARN: {PermissionsBoundary} does not exist or is not attachable.",
        _policy_missing("PermissionsBoundary"),
    ),
    Refusal(
        "iam:CreateRole CreatePolicy CreateUser TagRole TagPolicy TagUser CreateInstanceProfile",
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        _same_tag_key,
    ),
    Refusal(
        "iam:AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy UpdateAssumeRolePolicy PutRolePermissionsBoundary",
        "UnmodifiableEntity",
        "Cannot perform the operation on the protected role '{RoleName}' - this role is only modifiable by AWS",
        _linked,
    ),
    Refusal(
        "iam:AttachRolePolicy AttachUserPolicy AttachGroupPolicy",
        "NoSuchEntity",
        "Policy {PolicyArn} does not exist or is not attachable.",
        _policy_missing("PolicyArn"),
    ),
    Refusal(
        "iam:AttachRolePolicy AttachUserPolicy AttachGroupPolicy",
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerRole: 10",
        _attached_limit,
        _QUOTAS,
    ),
    Refusal("iam:DeleteRole", "DeleteConflict", _IN_USE + "{found}", _role_policies),
    Refusal(
        "iam:CreatePolicy CreatePolicyVersion",
        "LimitExceeded",
        _SIZE,
        lambda c: length(c["PolicyDocument"]) > _POLICY_SIZE,
        _QUOTAS,
    ),
    Refusal(
        "iam:PutRolePolicy PutUserPolicy PutGroupPolicy",
        "LimitExceeded",
        "Maximum policy size of {found} bytes exceeded",
        _inline_size,
        _QUOTAS,
    ),
    Refusal(
        "iam:CreatePolicy CreatePolicyVersion PutRolePolicy PutUserPolicy PutGroupPolicy",
        "MalformedPolicyDocument",
        "{found}",
        lambda c: identity_policy_problem(c["PolicyDocument"]),
    ),
    Refusal("iam:DeletePolicy", "DeleteConflict", "{found}", _policy_use),
    Refusal(
        "iam:CreateAccessKey",
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
        lambda c: len(c.all("ListAccessKeys", "AccessKeyMetadata", UserName=c["UserName"])) >= _ACCESS_KEYS,
        _QUOTAS,
    ),
    Refusal(
        "iam:DeleteGroup",
        "DeleteConflict",
        _IN_USE + "must remove users from group first.",
        _entity("Group", "GetGroup", "Users"),
    ),
    Refusal(
        "iam:DeleteGroup",
        "DeleteConflict",
        _IN_USE + "must detach all policies first.",
        _entity("Group", "ListAttachedGroupPolicies", "AttachedPolicies"),
    ),
    Refusal(
        "iam:CreateOpenIDConnectProvider",
        "ValidationError",
        "Invalid Open ID Connect Provider URL",
        lambda c: not str(c["Url"]).startswith("https://"),
    ),
    Refusal(
        "iam:CreateServiceLinkedRole",
        "InvalidInput",
        "Service role name {found} has been taken in this account, please try a different suffix.",
        _linked_exists,
    ),
    Refusal(
        "kms:CreateKey",
        "ValidationException",
        "The operation failed because the KeyUsage value of the CMK is {KeyUsage}, which is not compatible with the key spec {KeySpec}",
        _wrong_usage,
    ),
    Refusal(
        "kms:CreateKey PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals, or isn't a policy: {found}",
        lambda c: (
            c["Policy"]
            and (c.operation == "kms:CreateKey" or key_state(c, c["KeyId"]))
            and resource_policy_problem(c, c["Policy"])
        ),
    ),
    Refusal(
        "kms:CreateKey PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
        lambda c: (c.operation == "kms:CreateKey" or key_state(c, c["KeyId"])) and _locks_out(c),
        _KEY_POLICY,
    ),
    Refusal(
        "kms:CreateAlias",
        "NotAuthorizedException",
        "Alias names that begin with alias/aws/ are reserved for AWS managed keys",
        lambda c: str(c["AliasName"]).startswith("alias/aws/"),
    ),
    Refusal(_ON_KEYS, "KMSInvalidStateException", _PENDING, _pending, _KEY_STATES),
    Refusal(_ON_KEYS, "DisabledException", "{KeyId} is disabled.", _disabled, _KEY_STATES),
    Refusal(
        "kms:CancelKeyDeletion",
        "KMSInvalidStateException",
        "{KeyId} is not pending deletion.",
        _not_pending,
        _KEY_STATES,
    ),
    Refusal(
        "kms:EnableKeyRotation DisableKeyRotation",
        "UnsupportedOperationException",
        "You cannot perform this operation on the key {KeyId}: it isn't a symmetric encryption key with material of KMS",
        _not_symmetric,
    ),
    Refusal(
        "secretsmanager:CreateSecret",
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        lambda c: not all(sign.isalnum() or sign in "-/_+=.@!" for sign in str(c["Name"])),
    ),
    Refusal(
        "secretsmanager:CreateSecret PutSecretValue UpdateSecret",
        "InvalidParameterException",
        "You can't specify both a binary secret value and a string secret value in the same secret.",
        lambda c: c["SecretString"] and c["SecretBinary"],
    ),
    Refusal(
        "secretsmanager:CreateSecret",
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
        lambda c: _secret_deleted(c, "Name"),
    ),
    Refusal(
        "secretsmanager:PutResourcePolicy",
        "MalformedPolicyDocumentException",
        "{found}",
        lambda c: resource_policy_problem(c, c["ResourcePolicy"]),
    ),
    Refusal(
        "secretsmanager:RotateSecret",
        "ResourceNotFoundException",
        "Lambda can't find the specified function {RotationLambdaARN}",
        _function_missing,
    ),
)
