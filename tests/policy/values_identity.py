"""Values of the properties for the policies about rights: identity and role-escalation."""

import json
from typing import Any, Final

from tests.policy.rows import NOT_JSON, Row, values
from tests.policy.servicer import UNKNOWN, Planned
from tests.policy.values_encryption import allow

ACCOUNT: Final = "arn:aws:iam::123456789012"
_DOCUMENT: Final[dict[str, Any]] = {"absent": "nothing", "malformed": "nothing", "malformed_value": NOT_JSON}
_GOOD: Final = allow(Action=["s3:GetObject"], Resource=["arn:aws:s3:::bucket/*"])


def _policy(check: str, **statement: Any) -> tuple[Row, ...]:
    """A role policy that is fine, against one with this statement."""
    carrier = Planned("aws:iam/rolePolicy:RolePolicy", "it", {"role": "worker", "policy": _GOOD})
    return values(f"identity/{check}", (carrier,), "policy", allow(**statement), unknown="nothing", **_DOCUMENT)


IDENTITY_VALUES: Final = (
    _policy("administrator", Action="*"),
    _policy("administrator", Action=["*:*"], Resource="arn:aws:s3:::bucket"),
    _policy("service-wildcard", Action=["s3:GetObject", "acm:*"]),
    _policy("service-wildcard", NotAction=["iam:*"]),
    _policy("pass-role", Action="iam:PassRole", Resource=f"{ACCOUNT}:role/app-*"),
    _policy(
        "pass-role",
        Action="iam:Pass*",
        Resource="*",
        Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    ),
    values(
        "identity/service-wildcard",
        (Planned("aws:iam/role:Role", "it", {"inlinePolicies": [{"name": "a", "policy": _GOOD}]}),),
        "inlinePolicies[0].policy",
        allow(Action="ec2:*"),
        unknown="nothing",
        **_DOCUMENT,
    ),
    values(
        "identity/policy-content",
        (Planned("aws:iam/policy:Policy", "it", {"policy": _GOOD}),),
        "policy",
        UNKNOWN,
        absent="nothing",
        malformed="violation",
        malformed_value=NOT_JSON,
        unknown="violation",
        configuration={"unknowns": "mandatory"},
    ),
)


def _role(allowed: str, denied: str) -> tuple[Planned, ...]:
    """A role with two policies: one allows, one denies."""
    return (
        Planned("aws:iam/role:Role", "role", {"name": "atlantis-task"}),
        Planned("aws:iam/rolePolicy:RolePolicy", "allows", {"role": "atlantis-task", "policy": allowed}),
        Planned("aws:iam/rolePolicy:RolePolicy", "denies", {"role": UNKNOWN, "policy": denied}, {"role": ("role",)}),
    )


_MANAGES_PREFIX: Final = allow(Action=["iam:PutRolePolicy"], Resource=[f"{ACCOUNT}:role/atlantis-*"])
_SPARES_ITSELF: Final = json.dumps(
    {"Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": f"{ACCOUNT}:role/atlantis-task"}]}
)


def _escalation(path: str, target: str, bad: str, reported: str = "") -> tuple[Row, ...]:
    """A denial that is not known yet, or no document, leaves open what the other policy may do."""
    return values(
        "role-escalation/self-escalation",
        _role(_MANAGES_PREFIX, _SPARES_ITSELF),
        path,
        bad,
        target=target,
        reported=reported,
        absent="nothing" if target == "allows" else "violation",
        malformed="undecided",
        malformed_value=NOT_JSON,
    )


ESCALATION_VALUES: Final = (
    # The denial that no longer covers the role itself, or that a condition can switch off.
    _escalation("policy", "denies", _SPARES_ITSELF.replace("atlantis-task", "another"), "allows"),
    _escalation(
        "policy", "denies", _SPARES_ITSELF.replace('"Action": "iam:*"', '"Action": "iam:DeleteRole"'), "allows"
    ),
    _escalation(
        "policy", "allows", allow(Action="iam:CreatePolicyVersion").replace("iam:CreatePolicyVersion", "iam:AddUserTo*")
    ),
    values(
        "role-escalation/self-escalation",
        (Planned("aws:iam/policy:Policy", "managed", {"policy": _GOOD}),),
        "policy",
        allow(Action="iam:SetDefaultPolicyVersion"),
        absent="nothing",
        malformed="undecided",
        malformed_value=NOT_JSON,
    ),
    values(
        "role-escalation/self-escalation",
        (
            Planned("aws:iam/role:Role", "role", {"name": "worker"}),
            Planned(
                "aws:iam/policy:Policy",
                "managed",
                {
                    "policy": allow(
                        Action="iam:AttachRolePolicy",
                        Resource=f"{ACCOUNT}:role/work*",
                        Condition={"StringEquals": {"iam:PermissionsBoundary": f"{ACCOUNT}:policy/boundary"}},
                    )
                },
            ),
            Planned(
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                "attachment",
                {"role": "worker", "policyArn": UNKNOWN},
                {"policyArn": ("managed",)},
            ),
        ),
        "policy",
        allow(Action="iam:AttachRolePolicy", Resource=f"{ACCOUNT}:role/work*"),
        target="managed",
        absent="nothing",
        malformed="undecided",
        malformed_value=NOT_JSON,
    ),
)
