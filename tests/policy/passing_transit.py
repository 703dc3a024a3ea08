"""Passing buckets, listeners and connections near the encryption policies."""

import json
from typing import Any, Final

from tests.policy.rows import ACCOUNT, TLS_ONLY, allow, deny, document, known, one, passing
from tests.policy.servicer import UNKNOWN, Planned

_CHINA: Final = document(
    deny(
        Principal="*",
        Action="s3:*",
        Resource=["arn:aws-iso-b:s3:::data", "arn:aws-iso-b:s3:::data/*"],
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    )
)
_LOGS: Final = document(
    allow(Principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, Action="s3:PutObject"),
    deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
)
_PUBLIC: Final = document(allow(Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::www/*"))
_KEYS: Final = {"bucketCustomerKeys": True}


def _bucket(name: str, policy: str = TLS_ONLY, **more: Any) -> tuple[Planned, ...]:
    return (
        one("s3/bucket", name, id=name, bucket=name, **more),
        one("s3/bucketPolicy", f"{name}-policy", bucket=name, policy=policy),
    )


BUCKETS: Final = (
    *(
        passing(
            "encryption/plain-transport encryption-stack/transport-policy",
            f"bucket of {partition}",
            *_bucket("data", policy),
        )
        for partition, policy in (
            ("aws-iso-b", _CHINA),
            ("aws-cn", _CHINA.replace("aws-iso-b", "aws-cn")),
            ("aws-us-gov", _CHINA.replace("aws-iso-b", "aws-us-gov")),
            ("aws-eusc", _CHINA.replace("aws-iso-b", "aws-eusc")),
        )
    ),
    passing(
        "encryption/plain-transport encryption-stack/transport-policy",
        "public website",
        *_bucket("www", _PUBLIC),
        one("s3/bucketWebsiteConfiguration", "site", bucket="www"),
        encryption={"publicWebsites": {"www": "The company's website, which S3 serves over HTTP"}},
        encryption_stack={"publicWebsites": {"www": "The company's website, which S3 serves over HTTP"}},
    ),
    passing(
        "encryption-stack/transport-policy",
        "public website without a policy of the stack",
        one("s3/bucket", "www", bucket="www"),
        encryption_stack={"publicWebsites": {"w*": "The company's website, which S3 serves over HTTP"}},
    ),
    passing(
        "encryption-stack/bucket-key",
        "bucket of a load balancer's logs",
        *_bucket("logs"),
        one("lb/loadBalancer", accessLogs={"bucket": "logs", "enabled": True}, securityGroups=["sg-1"]),
        encryption_stack=_KEYS,
    ),
    passing(
        "encryption-stack/bucket-key", "bucket of another stack's logs", *_bucket("logs", _LOGS), encryption_stack=_KEYS
    ),
    passing(
        "encryption-stack/bucket-key",
        "bucket of S3's access logs",
        *_bucket("logs"),
        known(one("s3/bucketLogging", bucket="data", targetBucket=UNKNOWN), targetBucket=("logs",)),
        encryption_stack=_KEYS,
    ),
    passing(
        "encryption-stack/bucket-key",
        "bucket with the ACL of logs",
        *_bucket("logs", acl="log-delivery-write"),
        *_bucket("others"),
        one("s3/bucketAcl", "acl", bucket="others", acl="log-delivery-write"),
        encryption_stack=_KEYS,
    ),
    passing(
        "encryption-stack/bucket-key",
        "bucket of a warehouse's logs",
        *_bucket("audit"),
        one("redshift/logging", clusterIdentifier="c", bucketName="audit"),
        encryption_stack=_KEYS,
    ),
)


def _balancer(**more: Any) -> Planned:
    return one("lb/loadBalancer", "balancer", arn="arn:lb", **more)


_FORWARD: Final = [{"type": "forward", "targetGroupArn": "arn:tg"}]
_REDIRECT: Final = [{"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}]
_LISTENER: Final = "encryption/listener-tls encryption-stack/listener-tls"

TRANSIT: Final = (
    passing(
        _LISTENER,
        "HTTP of an internal load balancer",
        _balancer(internal=True),
        one("lb/listener", loadBalancerArn="arn:lb", protocol="HTTP", port=80, defaultActions=_FORWARD),
    ),
    passing(
        _LISTENER,
        "HTTP of an internal load balancer that is created too",
        known(
            one("lb/listener", loadBalancerArn=UNKNOWN, port=8080, defaultActions=_FORWARD),
            loadBalancerArn=("balancer",),
        ),
        one("lb/loadBalancer", "balancer", internal=True),
    ),
    passing(
        _LISTENER,
        "rule of an internal load balancer",
        _balancer(internal=True),
        one("lb/listener", arn="arn:l", loadBalancerArn="arn:lb", protocol="HTTP", port=80, defaultActions=_REDIRECT),
        one("lb/listenerRule", "rule", listenerArn="arn:l", actions=_FORWARD),
    ),
    passing(
        _LISTENER,
        "TCP 80 of an internal load balancer",
        _balancer(internal=True, loadBalancerType="network"),
        one("lb/listener", loadBalancerArn="arn:lb", protocol="TCP", port=80, defaultActions=_FORWARD),
    ),
    passing(_LISTENER, "redirect", one("lb/listener", protocol="HTTP", port=80, defaultActions=_REDIRECT)),
    passing(
        _LISTENER,
        "answer of the load balancer",
        one("lb/listener", protocol="HTTP", port=80, defaultActions=[{"type": "fixed-response"}]),
    ),
    passing(
        _LISTENER,
        "internal classic load balancer",
        one("elb/loadBalancer", internal=True, listeners=[{"lbProtocol": "http"}]),
    ),
    *(
        passing(
            _LISTENER,
            f"policy {name}",
            one("lb/listener", protocol="HTTPS", port=443, sslPolicy=name, defaultActions=_FORWARD),
        )
        for name in (
            "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "ELBSecurityPolicy-TLS13-1-3-2021-06",
            "ELBSecurityPolicy-FS-1-2-2019-08",
        )
    ),
    passing(
        "encryption/store-transit",
        "parameters of redshift-2.0",
        one(
            "redshift/parameterGroup",
            family="redshift-2.0",
            parameters=[{"name": "enable_user_activity_logging", "value": "true"}],
        ),
    ),
    passing("encryption/store-transit", "transfer over SSH", one("transfer/server", protocols=["SFTP"])),
    passing("encryption/cache-transit", "cache in memory", one("memorydb/cluster", nodeType="db.t4g.small")),
    passing(
        "encryption/edge-tls",
        "domain of an API",
        one("apigatewayv2/domainName", domainNameConfiguration={"securityPolicy": "TLS_1_2"}),
    ),
    passing(
        "encryption/volume-transit",
        "task without EFS",
        one(
            "ecs/taskDefinition",
            volumes=[{"name": "scratch"}],
            containerDefinitions=json.dumps([{"name": "a", "image": "a"}]),
        ),
    ),
    passing(
        "encryption/plain-transport encryption-stack/transport-policy",
        "file system that only TLS may mount",
        one("efs/fileSystem", id="fs-1", encrypted=True),
        one(
            "efs/fileSystemPolicy",
            "policy",
            fileSystemId="fs-1",
            policy=document(allow(Principal={"AWS": ACCOUNT}, Condition={"Bool": {"aws:SecureTransport": "true"}})),
        ),
    ),
)
