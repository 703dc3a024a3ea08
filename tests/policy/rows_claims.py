"""Verdicts on what the pack claims to find: versions of TLS, parameters, origins, access points, administrators."""

from typing import Any, Final

from tests.policy.rows import Row, both, deny, document, one, passes
from tests.policy.servicer import UNKNOWN, Planned

_KEY: Final = "arn:aws:kms:eu-west-1:123456789012:key/1"


def _parameters(kind: str, family: str, name: str = "", value: str = "") -> Planned:
    return one(kind, family=family, parameters=[{"name": name, "value": value}] if name else [])


def _origin(protocol: str, domain: Any = "app.example.com") -> Planned:
    return one(
        "cloudfront/distribution",
        defaultCacheBehavior={"viewerProtocolPolicy": "https-only"},
        origins=[{"domainName": domain, "customOriginConfig": {"originProtocolPolicy": protocol}}],
    )


def _negotiation(name: str, value: str) -> Planned:
    return one("elb/sslNegotiationPolicy", loadBalancer="lb", lbPort=443, attributes=[{"name": name, "value": value}])


def _classic_policy(kind: str) -> Planned:
    attributes = [{"name": "Protocol-SSLv3", "value": "true"}]
    return one("elb/loadBalancerPolicy", policyTypeName=kind, policyAttributes=attributes)


_PREDEFINED: Final = "Reference-Security-Policy"
_FAMILIES: Final = (
    ("rds/parameterGroup", "postgres16", "rds.force_ssl", "0", "1"),
    ("rds/clusterParameterGroup", "aurora-postgresql16", "rds.force_ssl", "0", "1"),
    ("rds/parameterGroup", "sqlserver-se-16.0", "rds.force_ssl", "0", "1"),
    ("rds/parameterGroup", "mysql8.4", "require_secure_transport", "OFF", "ON"),
    ("rds/clusterParameterGroup", "aurora-mysql8.0", "require_secure_transport", "0", "1"),
    ("rds/parameterGroup", "mariadb11.4", "require_secure_transport", "0", "1"),
    ("neptune/clusterParameterGroup", "neptune1.4", "neptune_enforce_ssl", "0", "1"),
)

_TRANSIT: Final = (
    *both(
        *("encryption/listener-tls", "old protocol of a classic balancer"),
        _negotiation("Protocol-TLSv1", "true"),
        _negotiation("Protocol-TLSv1", "false"),
    ),
    *both(
        *("encryption/listener-tls", "predefined policy of a classic balancer"),
        _negotiation(_PREDEFINED, "ELBSecurityPolicy-2016-08"),
        _negotiation(_PREDEFINED, "ELBSecurityPolicy-TLS-1-2-2017-01"),
    ),
    *both(
        *("encryption/listener-tls", "negotiation policy of a classic balancer"),
        _classic_policy("SSLNegotiationPolicyType"),
        _classic_policy("ProxyProtocolPolicyType"),
    ),
    *(
        row
        for kind, family, name, off, on in _FAMILIES
        for row in both(
            *("encryption/store-transit", f"{name} of {family}"),
            _parameters(kind, family, name, off),
            _parameters(kind, family, name, on),
        )
    ),
    *(
        passes("encryption/store-transit", f"{family} of the default", _parameters("rds/parameterGroup", family))
        for family in ("postgres13", "postgres17", "mysql8.0", "oracle-ee-19")
    ),
    *both(
        *("encryption-advice/database-tls", "family that accepts plain connections"),
        _parameters("rds/parameterGroup", "postgres14", "work_mem", "64"),
        _parameters("rds/parameterGroup", "postgres15", "work_mem", "64"),
    ),
    passes("encryption/edge-tls", "website of S3", _origin("http-only", "b.s3-website.eu-west-1.amazonaws.com")),
    passes("encryption/edge-tls", "origin that is created too", _origin("http-only", UNKNOWN)),
    *both(
        *("encryption/customer-key", "key that isn't used"),
        one("dynamodb/table", serverSideEncryption={"enabled": False, "kmsKeyArn": _KEY}),
        one("dynamodb/table", serverSideEncryption={"enabled": True, "kmsKeyArn": _KEY}),
    ),
)

_BLOCK: Final = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)


def _accelerated(*, internal: bool) -> tuple[Planned, ...]:
    return (
        one("lb/loadBalancer", "balancer", arn="arn:lb", internal=internal, securityGroups=["sg-1"]),
        one("globalaccelerator/endpointGroup", endpointConfigurations=[{"endpointId": "arn:lb"}]),
    )


def _range(cidr: str, port: int = 22) -> Planned:
    return one("vpc/securityGroupIngressRule", ipProtocol="tcp", fromPort=port, toPort=port, cidrIpv4=cidr)


def _script(*lines: str) -> Planned:
    return one("ec2/instance", userData="\n".join(["#!/bin/sh", *lines]))


_EVERYTHING: Final = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
_EXPOSURE: Final = (
    *both(
        *("public-exposure/public-bucket", "access point without its block"),
        one("s3/accessPoint", bucket="b", publicAccessBlockConfiguration={**_BLOCK, "blockPublicPolicy": False}),
        one("s3/accessPoint", bucket="b", publicAccessBlockConfiguration=_BLOCK),
    ),
    passes("public-exposure/public-bucket", "access point of the default", one("s3/accessPoint", bucket="b")),
    *both("public-exposure/open-port", "large foreign range", _range("52.0.0.0/16"), _range("8.8.0.0/17")),
    *both(
        *("public-exposure/open-port", "large foreign range of IPv6"),
        one("vpc/securityGroupIngressRule", ipProtocol="tcp", fromPort=22, toPort=22, cidrIpv6="2600:1f18::/32"),
        one("vpc/securityGroupIngressRule", ipProtocol="tcp", fromPort=22, toPort=22, cidrIpv6="2600:1f18::/33"),
    ),
    passes("public-exposure/open-port", "large private range", _range("10.0.0.0/8")),
    passes("public-exposure/open-port", "large foreign range on a port of the web", _range("52.0.0.0/11", 443)),
    passes("cidr-restriction/entry", "accelerated public balancer", *_accelerated(internal=False)),
    *both(
        *("identity/administrator", "permission set of administrators"),
        one("ssoadmin/managedPolicyAttachment", managedPolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        one("ssoadmin/managedPolicyAttachment", managedPolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ),
    *both(
        *("identity/administrator", "inline permission set of administrators"),
        one("ssoadmin/permissionSetInlinePolicy", inlinePolicy=_EVERYTHING),
        one("ssoadmin/permissionSetInlinePolicy", inlinePolicy=document(deny())),
    ),
    *both(
        *("recovery/backup", "warehouse"),
        one("redshift/cluster", automatedSnapshotRetentionPeriod=1),
        one("redshift/cluster", automatedSnapshotRetentionPeriod=14),
    ),
    *both(
        *("secrets/plain-environment", "password that a script exports"),
        _script("export DB_PASSWORD=hunter2-and-more"),
        _script("export DB_PASSWORD=$(aws secretsmanager get-secret-value)", "export DB_HOST=db"),
    ),
)

CLAIMS: Final[tuple[Row, ...]] = (*_TRANSIT, *_EXPOSURE)
