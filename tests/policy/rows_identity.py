"""Verdicts of role-escalation and single-manager."""

from typing import Any, Final

from tests.policy.rows import ACCOUNT, Row, allow, deny, document, found, one, passes
from tests.policy.servicer import Planned

_ME: Final = f"arn:aws:iam::{ACCOUNT}"


def _held(label: str, expected: bool, *resources: Planned) -> Row:
    return (found if expected else passes)("role-escalation/self-escalation", label, *resources)


def _writes(resource: str, action: str = "iam:PutRolePolicy", **more: Any) -> str:
    return document(allow(Action=action, Resource=resource, **more))


_ROLE: Final = one("iam/role", "role", name="worker", path="/apps/")
_USER: Final = one("iam/user", "user", name="ann")
ESCALATION: Final[tuple[Row, ...]] = (
    *(
        _held(
            f"role of a path, {label}",
            expected,
            _ROLE,
            one("iam/rolePolicy", "policy", role="worker", policy=_writes(resource)),
        )
        for label, expected, resource in (
            ("by its path", True, f"{_ME}:role/apps/*"),
            ("by its name", True, f"{_ME}:role/apps/worker"),
            ("another path", False, f"{_ME}:role/teams/*"),
            ("its name without path", False, f"{_ME}:role/worker"),
            ("every role", True, f"{_ME}:role/*"),
        )
    ),
    *(
        _held(
            f"user, {label}",
            expected,
            _USER,
            one("iam/userPolicy", "policy", user="ann", policy=_writes(resource, "iam:PutUserPolicy")),
        )
        for label, expected, resource in (("itself", True, f"{_ME}:user/ann"), ("another", False, f"{_ME}:user/bob"))
    ),
    *(
        _held(
            *(f"group of a user, {label}", expected, _USER, one("iam/group", "group", name="devs")),
            one("iam/userGroupMembership", "membership", user="ann", groups=["devs"]),
            one("iam/groupPolicy", "policy", group="devs", policy=_writes(resource, action)),
        )
        for label, expected, resource, action in (
            ("itself", True, f"{_ME}:group/devs", "iam:PutGroupPolicy"),
            ("another", False, f"{_ME}:group/ops", "iam:PutGroupPolicy"),
            ("its user", True, f"{_ME}:user/ann", "iam:AttachUserPolicy"),
        )
    ),
    *(
        _held(
            *(f"managed policy by {label}", expected),
            one("iam/role", "role", name="worker", arn="arn:role", **role),
            one(
                "iam/policy",
                "managed",
                name="own",
                arn="arn:own",
                policy=_writes(f"{_ME}:policy/{target}", "iam:CreatePolicyVersion"),
            ),
            *attachments,
        )
        for label, role, attachments in (
            ("managedPolicyArns", {"managedPolicyArns": ["arn:own"]}, ()),
            (
                "policyAttachment",
                {},
                (one("iam/policyAttachment", "attachment", policyArn="arn:own", roles=["worker"]),),
            ),
            ("attachment", {}, (one("iam/rolePolicyAttachment", "attachment", policyArn="arn:own", role="worker"),)),
        )
        for target, expected in (("own", True), ("other", False))
    ),
    *(
        _held(
            label,
            expected,
            _ROLE,
            one(
                "iam/rolePolicy",
                "policy",
                role="worker",
                policy=_writes("*", "iam:AttachRolePolicy", Condition=condition),
            ),
        )
        for label, expected, condition in (
            ("below a boundary", False, {"StringEquals": {"iam:PermissionsBoundary": f"{_ME}:policy/boundary"}}),
            ("but for a boundary", True, {"StringNotEquals": {"iam:PermissionsBoundary": f"{_ME}:policy/boundary"}}),
            ("boundary if it exists", True, {"StringEqualsIfExists": {"iam:PermissionsBoundary": f"{_ME}:policy/b"}}),
            ("named policies", False, {"ArnEquals": {"iam:PolicyARN": f"{_ME}:policy/read"}}),
            ("any policy", True, {"ArnLike": {"iam:PolicyARN": "*"}}),
        )
    ),
    _held(
        *("denied to itself", False, _ROLE),
        one(
            *("iam/rolePolicy", "policy"),
            role="worker",
            policy=document(
                allow(Action="iam:PutRolePolicy", Resource=f"{_ME}:role/apps/*"),
                deny(Action="iam:*", Resource=f"{_ME}:role/apps/worker"),
            ),
        ),
    ),
)


def _managed(label: str, expected: bool, *resources: Planned, check: str = "inline-and-separate") -> Row:
    return (found if expected else passes)(f"single-manager/{check}", label, *resources)


_INLINE: Final = [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]
MANAGERS: Final[tuple[Row, ...]] = (
    *(
        _managed(
            f"group and {part}, {label}",
            expected,
            one("ec2/securityGroup", "group", id="sg-1", **inline),
            one(part, "rule", securityGroupId="sg-1", type="ingress"),
        )
        for part in ("ec2/securityGroupRule", "vpc/securityGroupIngressRule")
        for label, expected, inline in (("inline as well", True, {"ingress": _INLINE}), ("separate only", False, {}))
    ),
    *(
        _managed(
            f"role and attachment, {label}",
            expected,
            one("iam/role", "role", name="r", **inline),
            one("iam/rolePolicyAttachment", "attachment", role="r", policyArn="arn:p"),
        )
        for label, expected, inline in (
            ("inline as well", True, {"managedPolicyArns": ["arn:q"]}),
            ("separate only", False, {}),
        )
    ),
    *(
        _managed(
            *(
                f"two policies of {label}",
                expected,
                one("s3/bucket", "bucket", bucket="b"),
                one("s3/bucket", "other", bucket="c"),
            ),
            *(one("s3/bucketPolicy", "first", bucket="b"), one("s3/bucketPolicy", "second", bucket=second)),
            check="exclusive",
        )
        for label, expected, second in (("one bucket", True, "b"), ("two buckets", False, "c"))
    ),
    *(
        _managed(
            f"exclusive attachment and {label}",
            expected,
            one("iam/policyAttachment", "exclusive", policyArn="arn:p", roles=["a"]),
            one("iam/rolePolicyAttachment", "single", policyArn=arn, role="b"),
            check="exclusive",
        )
        for label, expected, arn in (("one of the same policy", True, "arn:p"), ("one of another", False, "arn:q"))
    ),
    *(
        _managed(
            f"routes, {label}",
            expected,
            one("ec2/routeTable", "table", id="rtb-1", **inline),
            one("ec2/route", "route", routeTableId="rtb-1", destinationCidrBlock="0.0.0.0/0"),
        )
        for label, expected, inline in (
            ("both", True, {"routes": [{"cidrBlock": "0.0.0.0/0"}]}),
            ("separate", False, {}),
        )
    ),
)

IDENTITY_ROWS: Final[tuple[Row, ...]] = (*ESCALATION, *MANAGERS)
