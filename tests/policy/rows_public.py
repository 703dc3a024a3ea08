"""Verdicts on policy documents: public access, and secrets that anybody may read."""

from typing import Any, Final

from tests.policy.rows import ACCOUNT, Row, allow, deny, document, found, one, passes

_CONDITIONS: Final = (
    ("account", {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, False),
    ("any account", {"StringLike": {"aws:SourceAccount": "*"}}, True),
    ("ARN of an account", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, False),
    ("ARN of any account", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}, True),
    ("ARN of a bucket", {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::uploads"}}, False),
    ("ARN of any bucket", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, True),
    ("organization", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}, False),
    ("organization path", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3/r-1/ou-2/*"}}, False),
    ("any organization path", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-1/*"}}, True),
    ("address", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
    ("any address", {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
    ("an address and any", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}}, True),
    ("all but an address", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, True),
    ("all but an account", {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
    ("account if it exists", {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}, True),
    ("endpoint", {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}, False),
    ("any endpoint", {"StringLike": {"aws:SourceVpce": "vpce-*"}}, True),
    ("endpoint of an account", {"StringEquals": {"aws:VpceAccount": ACCOUNT}}, False),
    ("owner", {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}, False),
    ("access point of an account", {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}, False),
    ("user", {"StringLike": {"aws:userid": "AROAEXAMPLE:*"}}, False),
    ("any user", {"StringLike": {"aws:userid": "*:session"}}, True),
    ("referer", {"StringLike": {"aws:Referer": "https://example.com/*"}}, True),
    ("TLS", {"Bool": {"aws:SecureTransport": "true"}}, True),
    ("resource account", {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}, True),
    ("presence only", {"Null": {"aws:PrincipalOrgID": "false"}}, True),
    (
        "two conditions",
        {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
        False,
    ),
)
_ONLY_US: Final = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}
_POLICY_TYPES: Final = (
    *("backup/vaultPolicy", "cloudwatch/eventBusPolicy", "codeartifact/domainPermissions:policyDocument"),
    *("dynamodb/resourcePolicy", "elasticsearch/domainPolicy:accessPolicies", "glacier/vault:accessPolicy"),
    *("glue/resourcePolicy", "kinesis/resourcePolicy", "opensearch/domainPolicy:accessPolicies", "s3/accessPoint"),
    *(
        "s3control/accessPointPolicy",
        "s3tables/tablePolicy:resourcePolicy",
        "ses/identityPolicy",
        "vpclattice/authPolicy",
    ),
    *(
        "apigateway/restApiPolicy",
        "msk/clusterPolicy",
        "kms/replicaKey",
        "schemas/registryPolicy",
        "ecr/registryPolicy",
    ),
)


def _public(label: str, expected: bool, *statements: dict[str, Any], path: str = "sns/topicPolicy") -> Row:
    canonical, _, name = path.partition(":")
    carrier = one(canonical, **{name or "policy": document(*statements)})
    return (found if expected else passes)("public-exposure/public-policy", label, carrier)


PUBLIC: Final[tuple[Row, ...]] = (
    *(_public(label, expected, allow(Principal="*", Condition=test)) for label, test, expected in _CONDITIONS),
    *(_public(path, True, allow(Principal={"AWS": "*"}), path=path) for path in _POLICY_TYPES),
    *(_public(path, False, allow(Principal={"AWS": ACCOUNT}), path=path) for path in _POLICY_TYPES),
    _public("everybody of an ARN", True, allow(Principal={"AWS": "arn:aws:iam::*:root"})),
    _public("all but one", True, allow(NotPrincipal={"AWS": ACCOUNT})),
    _public("all, denied but to us", False, allow(Principal="*"), deny(Principal="*", Condition=_ONLY_US)),
    _public(
        *("all, one action denied but to us", True),
        *(allow(Principal="*"), deny(Principal="*", Action="sns:Publish", Condition=_ONLY_US)),
    ),
)


def _reads(label: str, expected: bool, **statement: Any) -> Row:
    carrier = one("iam/rolePolicy", role="r", policy=document(allow(**statement)))
    return (found if expected else passes)("identity/unscoped-secrets", label, carrier)


_KEY: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/"
SECRETS: Final[tuple[Row, ...]] = (
    _reads("all keys of an account", True, Action="kms:Decrypt", Resource=f"{_KEY}*"),
    _reads("all keys of any account", True, Action="kms:Decrypt", Resource="arn:aws:kms:*:*:key/*"),
    _reads("one key", False, Action="kms:Decrypt", Resource=f"{_KEY}1234"),
    _reads(
        "all keys through a service",
        False,
        Action="kms:Decrypt",
        Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    ),
    _reads(
        "all keys through any service", True, Action="kms:Decrypt", Condition={"StringLike": {"kms:ViaService": "*"}}
    ),
    _reads(
        "all keys from an address", True, Action="kms:Decrypt", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    ),
    _reads(
        "all keys by alias",
        False,
        Action="kms:Decrypt",
        Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}},
    ),
    _reads("all keys of a tag", False, Action="kms:Decrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}),
    _reads("all secrets", True, Action="secretsmanager:Get*", Resource=f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:*"),
    _reads(
        "secrets of a prefix",
        False,
        Action="secretsmanager:GetSecretValue",
        Resource=f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:app/*",
    ),
    _reads("descriptions of keys", False, Action="kms:DescribeKey"),
)

PUBLIC_ROWS: Final[tuple[Row, ...]] = (*PUBLIC, *SECRETS)
