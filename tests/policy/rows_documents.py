"""Verdicts on policy documents: trust and transport."""

from typing import Any, Final

from tests.policy.rows import ACCOUNT, Row, allow, both, deny, document, found, one, passes
from tests.policy.servicer import UNKNOWN, Planned

_GITHUB: Final = "token.actions.githubusercontent.com"
_GITLAB: Final = "gitlab.com"
_EKS: Final = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
_TERRAFORM: Final = "app.terraform.io"
_BITBUCKET: Final = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"


def _role(**statement: Any) -> Planned:
    return one("iam/role", assumeRolePolicy=document(allow(**{"Action": "sts:AssumeRole", **statement})))


def _federated(issuer: str, **condition: Any) -> Planned:
    provider = (
        issuer
        if issuer.startswith(("arn:", "cognito", "accounts"))
        else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    )
    return _role(Principal={"Federated": provider}, Action="sts:AssumeRoleWithWebIdentity", Condition=condition)


def _claims(issuer: str, operator: str = "StringEquals", **claims: Any) -> Planned:
    return _federated(issuer, **{operator: {f"{issuer}:{claim}": value for claim, value in claims.items()}})


_FEDERATED: Final = (
    (
        "github sub of a repository",
        _claims(_GITHUB, sub="repo:acme/app:ref:refs/heads/main", aud="sts.amazonaws.com"),
        False,
    ),
    ("github sub of an owner", _claims(_GITHUB, "StringLike", sub="repo:acme/*"), False),
    ("github sub of any environment", _claims(_GITHUB, "StringLike", sub=["repo:acme/app:environment:*"]), False),
    ("github repository claim", _claims(_GITHUB, repository="acme/app"), False),
    ("github workflow claim", _claims(_GITHUB, "StringLike", sub="job_workflow_ref:acme/flows/*"), False),
    ("github aud only", _claims(_GITHUB, aud="sts.amazonaws.com"), True),
    ("github no condition", _federated(_GITHUB), True),
    ("github sub of everything", _claims(_GITHUB, "StringLike", sub="*"), True),
    ("github sub of any repository", _claims(_GITHUB, "StringLike", sub="repo:*"), True),
    ("github sub of a prefix of owners", _claims(_GITHUB, "StringLike", sub="repo:acme*"), True),
    ("github sub of any owner's main", _claims(_GITHUB, "StringLike", sub="repo:*/app:ref:refs/heads/main"), True),
    ("github one value too many", _claims(_GITHUB, "StringLike", sub=["repo:acme/app:*", "repo:*"]), True),
    ("github sub negated", _claims(_GITHUB, "StringNotEquals", sub="repo:evil/app:ref:refs/heads/main"), True),
    ("github sub if it exists", _claims(_GITHUB, "StringLikeIfExists", sub="repo:acme/*"), True),
    ("github all values", _claims(_GITHUB, "ForAllValues:StringLike", sub="repo:acme/*"), True),
    ("github any value", _claims(_GITHUB, "ForAnyValue:StringLike", sub="repo:acme/*"), False),
    (
        "github all values of a claim that must be there",
        _federated(
            _GITHUB,
            **{"ForAllValues:StringLike": {f"{_GITHUB}:sub": "repo:acme/*"}, "Null": {f"{_GITHUB}:sub": "false"}},
        ),
        False,
    ),
    ("gitlab project", _claims(_GITLAB, sub="project_path:acme/app:ref_type:branch:ref:main"), False),
    ("gitlab group", _claims(_GITLAB, "StringLike", sub="project_path:acme/*:ref_type:branch:ref:main"), False),
    ("gitlab any project", _claims(_GITLAB, "StringLike", sub="project_path:*"), True),
    ("gitlab aud only", _claims(_GITLAB, aud="https://gitlab.com"), True),
    ("private gitlab by aud", _claims("gitlab.acme.example", aud="https://gitlab.acme.example"), False),
    ("eks service account", _claims(_EKS, sub="system:serviceaccount:shop:cart", aud="sts.amazonaws.com"), False),
    ("eks namespace", _claims(_EKS, "StringLike", sub="system:serviceaccount:shop:*"), False),
    ("eks any service account", _claims(_EKS, "StringLike", sub="system:serviceaccount:*"), True),
    ("eks any namespace", _claims(_EKS, "StringLike", sub="system:serviceaccount:*:cart"), True),
    ("eks aud only", _claims(_EKS, aud="sts.amazonaws.com"), True),
    (
        "terraform organization",
        _claims(_TERRAFORM, "StringLike", sub="organization:acme:project:*:workspace:*:run_phase:*"),
        False,
    ),
    (
        "terraform any organization",
        _claims(_TERRAFORM, "StringLike", sub="organization:*:project:*:workspace:*:run_phase:*"),
        True,
    ),
    ("bitbucket audience", _claims(_BITBUCKET, aud="ari:cloud:bitbucket::workspace/1"), False),
    ("bitbucket audience of anybody", _claims(_BITBUCKET, "StringLike", aud="*"), True),
    (
        "cognito identity pool",
        _federated(
            "cognito-identity.amazonaws.com",
            StringEquals={"cognito-identity.amazonaws.com:aud": "eu-west-1:12345678-1234"},
        ),
        False,
    ),
    ("cognito any pool", _federated("cognito-identity.amazonaws.com"), True),
    (
        "saml provider",
        _federated(
            f"arn:aws:iam::{ACCOUNT}:saml-provider/okta",
            StringEquals={"SAML:aud": "https://signin.aws.amazon.com/saml"},
        ),
        False,
    ),
    ("saml without a condition", _federated(f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"), True),
    ("google client", _federated("accounts.google.com", StringEquals={"accounts.google.com:aud": "1234"}), False),
)

_ROOT: Final = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
_SERVICE: Final = {"Service": "ecs-tasks.amazonaws.com"}
_PRINCIPALS: Final = (
    ("role", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/deploy"}, {}, False),
    ("root", _ROOT, {}, True),
    ("account id", {"AWS": ACCOUNT}, {}, True),
    ("account id among others", {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/deploy", ACCOUNT]}, {}, True),
    ("account id with external id", {"AWS": ACCOUNT}, {"StringEquals": {"sts:ExternalId": "acme"}}, False),
    ("root with any external id", _ROOT, {"StringLike": {"sts:ExternalId": "*"}}, True),
    ("root with a second factor", _ROOT, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
    ("root with or without a second factor", _ROOT, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
    ("root of named roles", _ROOT, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/deploy-*"}}, False),
    (
        "root of roles of a path",
        _ROOT,
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/deploy/*"}},
        False,
    ),
    ("root of any path", _ROOT, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*/*"}}, True),
    ("root of any identity of a path", _ROOT, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*/a/*"}}, True),
    ("root of any role", _ROOT, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, True),
    ("root of a tag", _ROOT, {"StringEquals": {"aws:PrincipalTag/team": "platform"}}, False),
    ("root of the same account", _ROOT, {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
    ("root negated", _ROOT, {"StringNotEquals": {"sts:ExternalId": "acme"}}, True),
    ("everybody", {"AWS": "*"}, {}, True),
    ("everybody of an organization", {"AWS": "*"}, {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}, False),
    ("everybody of any organization", {"AWS": "*"}, {"StringLike": {"aws:PrincipalOrgID": "o-*"}}, True),
    ("everybody but one", {"AWS": "*"}, {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}, True),
    ("everybody with an external id", {"AWS": "*"}, {"StringEquals": {"sts:ExternalId": "acme"}}, True),
    ("service of this account", _SERVICE, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, False),
    ("service of any account", _SERVICE, {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:*:*"}}, True),
    ("service of this account's ARNs", _SERVICE, {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:*:{ACCOUNT}:*"}}, False),
    ("service if the account exists", _SERVICE, {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}, True),
    ("service but of one account", _SERVICE, {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}, True),
)

TRUST: Final[tuple[Row, ...]] = (
    *((found if expected else passes)("identity/trust", label, role) for label, role, expected in _FEDERATED),
    *(
        (found if expected else passes)("identity/trust", label, _role(Principal=principal, Condition=condition))
        for label, principal, condition, expected in _PRINCIPALS
    ),
    *both(
        *("identity/trust", "permission of a service"),
        one("lambda/permission", principal="s3.amazonaws.com", action="lambda:InvokeFunction"),
        one("lambda/permission", principal="s3.amazonaws.com", sourceAccount=ACCOUNT),
    ),
    passes(
        "identity/trust",
        "permission by ARN",
        one("lambda/permission", principal="events.amazonaws.com", sourceArn=UNKNOWN),
    ),
)

_KEEP_OUT: Final = {"Bool": {"aws:SecureTransport": "false"}}
_B: Final = "arn:aws:s3:::logs"
_EVERYBODY: Final[dict[str, Any]] = {"Principal": "*", "Condition": _KEEP_OUT}


def _bucket(*statements: dict[str, Any]) -> Planned:
    return one("s3/bucketPolicy", bucket="logs", policy=document(*statements))


def _mount(*statements: dict[str, Any]) -> Planned:
    return one("efs/fileSystemPolicy", policy=document(*statements))


_TRANSPORT: Final = (
    ("bucket and objects", _bucket(deny(**_EVERYBODY, Action="s3:*", Resource=[_B, f"{_B}/*"])), False),
    ("one pattern for both", _bucket(deny(**_EVERYBODY, Resource=f"{_B}*")), False),
    ("in two statements", _bucket(deny(**_EVERYBODY, Resource=_B), deny(**_EVERYBODY, Resource=f"{_B}/*")), False),
    ("AWS principal of all", _bucket(deny(Principal={"AWS": "*"}, Condition=_KEEP_OUT, Resource="*")), False),
    (
        "but for AWS services",
        _bucket(
            deny(
                Principal="*",
                Condition={"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}},
            )
        ),
        False,
    ),
    ("boolean", _bucket(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": False}})), False),
    ("deletions only", _bucket(deny(**_EVERYBODY, Action="s3:DeleteObject", Resource=[_B, f"{_B}/*"])), True),
    ("reads only", _bucket(deny(**_EVERYBODY, Action="s3:Get*", Resource=[_B, f"{_B}/*"])), True),
    (
        "every action but reads",
        _bucket({"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*", **_EVERYBODY}),
        True,
    ),
    ("bucket only", _bucket(deny(**_EVERYBODY, Resource=_B)), True),
    ("objects only", _bucket(deny(**_EVERYBODY, Resource=f"{_B}/*")), True),
    ("a folder only", _bucket(deny(**_EVERYBODY, Resource=[_B, f"{_B}/public/*"])), True),
    ("another bucket", _bucket(deny(**_EVERYBODY, Resource=["arn:aws:s3:::other", "arn:aws:s3:::other/*"])), True),
    ("one principal", _bucket(deny(Principal={"AWS": ACCOUNT}, Condition=_KEEP_OUT)), True),
    ("all but one principal", _bucket(deny(NotPrincipal={"AWS": ACCOUNT}, Condition=_KEEP_OUT)), True),
    (
        "with another condition",
        _bucket(deny(Principal="*", Condition={**_KEEP_OUT, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        True,
    ),
    ("of TLS", _bucket(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})), True),
    ("an Allow over TLS", _bucket(allow(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})), True),
    ("file system", _mount(deny(**_EVERYBODY)), False),
    (
        "file system Allow over TLS",
        _mount(allow(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})),
        False,
    ),
    ("file system Allow", _mount(allow(Principal={"AWS": ACCOUNT})), True),
    ("file system writes only", _mount(deny(**_EVERYBODY, Action="elasticfilesystem:ClientWrite")), True),
)
TRANSPORT: Final[tuple[Row, ...]] = tuple(
    (found if expected else passes)("encryption/plain-transport", label, policy)
    for label, policy, expected in _TRANSPORT
)

DOCUMENT_ROWS: Final[tuple[Row, ...]] = (*TRUST, *TRANSPORT)
