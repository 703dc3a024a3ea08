"""Verdicts on encryption: every line of the tables of stores and links, and what only the whole stack shows."""

from collections.abc import Iterator
from typing import Any, Final

from tables.links import LINKS, Link
from tables.stores import STORES, Store
from tests.policy.rows import Row, both, deny, document, found, known, one, passes, with_value
from tests.policy.servicer import UNKNOWN, Planned

_KEY: Final = "arn:aws:kms:eu-west-1:123456789012:key/1"


def _good(store: Store) -> Any:
    return True if isinstance(store.satisfied, str) else store.satisfied[0]


def _bad(store: Store) -> Any:
    return False if isinstance(store.satisfied, str) else "DISABLED"


def _with(canonical: str, path: str, value: Any, **properties: Any) -> Planned:
    return one(canonical, **with_value(properties, path, value))


def _stores() -> Iterator[Row]:
    for number, store in enumerate(STORES):
        label = f"{store.type} {number}"
        if store.switch:
            # Other lines of the same type are satisfied, so that only this one counts.
            others = [each for each in STORES if each.type == store.type and each.switch and each is not store]
            rest: dict[str, Any] = {}
            for other in others:
                rest = with_value(rest, other.switch, _good(other))
            yield from both(
                *("encryption-stack/at-rest" if store.name == "ebs" else "encryption/at-rest", label),
                _with(store.type, store.switch, _bad(store), **rest),
                _with(store.type, store.switch, _good(store), **rest),
            )
        if store.key and store.type != "ecr/repository":
            configuration = {"customerKeys": [store.name]}
            keys = [each.key for each in STORES if each.type == store.type and each.key and each is not store]
            rest = {}
            for key in keys:
                rest = with_value(rest, key, _KEY)
            yield from both(
                *("encryption/customer-key", label),
                _with(store.type, store.key, f"alias/aws/{store.name}", **rest),
                _with(store.type, store.key, _KEY, **rest),
                **configuration,
            )


def _links() -> Iterator[Row]:
    for number, link in enumerate(LINKS):
        rest: dict[str, Any] = (
            {"clusterConfig": {"instanceCount": 3}} if "/domain" in link.type else {"engine": "memcached"}
        )
        for other in LINKS:
            if other.type == link.type and other is not link:
                rest = with_value(rest, other.path, other.satisfied[0])
        off = "PLAINTEXT" if isinstance(link.satisfied[0], str) else False
        label = f"{link.type} {number}"
        yield from both(
            *(f"encryption/{link.check}", label),
            _with(link.type, link.path, off, **rest),
            _with(link.type, link.path, link.satisfied[0], **rest),
        )
        yield _absent(link, rest)


def _absent(link: Link, rest: dict[str, Any]) -> Row:
    row = passes if link.default else found
    block = link.path.partition(".")[0]
    rest = {name: value for name, value in rest.items() if not (link.block_default and name == block)}
    return row(f"encryption/{link.check}", f"{link.type} without {link.path}", one(link.type, **rest))


def _rest(label: str, expected: bool, resource: Planned) -> Row:
    return (found if expected else passes)("encryption/at-rest", label, resource)


def _disk(label: str, expected: bool, resource: Planned, **configuration: Any) -> Row:
    return (found if expected else passes)("encryption-stack/at-rest", label, resource, **configuration)


_AT_REST: Final = (
    _rest("replica of a database", False, one("rds/instance", replicateSourceDb="primary")),
    _rest("replica that says no", True, one("rds/instance", replicateSourceDb="primary", storageEncrypted=False)),
    _rest("database of a snapshot", False, one("rds/instance", snapshotIdentifier="snap")),
    _rest("member of a global cluster", False, one("rds/cluster", globalClusterIdentifier="global")),
    _rest("serverless aurora", False, one("rds/cluster", engineMode="serverless")),
    _rest("serverless aurora that says no", True, one("rds/cluster", engineMode="serverless", storageEncrypted=False)),
    _rest("provisioned aurora", True, one("rds/cluster", engineMode="provisioned")),
    _rest("secondary cache", False, one("elasticache/replicationGroup", globalReplicationGroupId="g")),
    _rest("node of a group", False, one("elasticache/cluster", replicationGroupId="g")),
    _rest("memcached", False, one("elasticache/cluster", engine="memcached")),
    _disk(
        "device that is left out",
        False,
        one("ec2/launchTemplate", blockDeviceMappings=[{"deviceName": "/dev/sdb", "noDevice": "true"}]),
    ),
    _disk(
        "disk of the host",
        False,
        one("ec2/launchTemplate", blockDeviceMappings=[{"deviceName": "/dev/sdb", "virtualName": "ephemeral0"}]),
    ),
    _disk("disk of a template", True, one("ec2/launchTemplate", blockDeviceMappings=[{"ebs": {"volumeSize": 8}}])),
    _disk("disk of a launch configuration", True, one("ec2/launchConfiguration", rootBlockDevice={"volumeSize": 8})),
    _disk("disk of a snapshot", False, one("ec2/instance", rootBlockDevice={"snapshotId": "snap-1"})),
    passes(
        *("encryption/store-transit", "search domain of one node"),
        one("opensearch/domain", domainEndpointOptions={"enforceHttps": True}, clusterConfig={"instanceCount": 1}),
    ),
    _rest("method without cache", False, one("apigateway/methodSettings", settings={"loggingLevel": "INFO"})),
    _rest("build logs in plain", True, one("codebuild/project", logsConfig={"s3Logs": {"encryptionDisabled": True}})),
    _rest("topic of an unknown key", False, one("sns/topic", kmsMasterKeyId=UNKNOWN)),
    *(
        (passes if expected else found)(
            *("encryption/customer-key", f"key {key}"),
            one("efs/fileSystem", encrypted=True, kmsKeyId=key),
            customerKeys=["efs"],
        )
        for key, expected in (("1234abcd-12ab-34cd", True), ("alias/a", True), ("AWS_OWNED_KMS_KEY", False))
    ),
    *both(
        *("encryption/customer-key", "template disk"),
        one("ec2/launchTemplate", blockDeviceMappings=[{"ebs": {"encrypted": True}}]),
        one("ec2/launchTemplate", blockDeviceMappings=[{"ebs": {"encrypted": True, "kmsKeyId": _KEY}}]),
        customerKeys=["ebs"],
    ),
    *both(
        *("encryption/customer-key", "instance disk"),
        one("ec2/instance", rootBlockDevice={"encrypted": True}),
        one("ec2/instance", rootBlockDevice={"encrypted": True, "kmsKeyId": _KEY}),
        customerKeys=["ebs"],
    ),
)


def _behaviour(policy: str, **more: Any) -> Planned:
    return one("cloudfront/distribution", defaultCacheBehavior={"viewerProtocolPolicy": policy}, **more)


def _listener(check: str, label: str, expected: bool, *resources: Planned) -> Row:
    policy = "encryption-stack" if len(resources) > 1 or check == "stack" else "encryption"
    return (found if expected else passes)(f"{policy}/listener-tls", label, *resources)


_FORWARD: Final = [{"type": "forward", "targetGroupArn": "arn:tg"}]
_REDIRECT: Final = [{"type": "redirect", "redirect": {"protocol": "HTTPS"}}]
_TRANSIT: Final = (
    _listener("stack", "no protocol on 8080", True, one("lb/listener", port=8080, defaultActions=_FORWARD)),
    _listener("stack", "no protocol, redirecting", False, one("lb/listener", port=8080, defaultActions=_REDIRECT)),
    _listener("", "gateway load balancer", False, one("lb/listener", defaultActions=_FORWARD)),
    _listener("", "UDP", False, one("lb/listener", protocol="UDP", port=53, defaultActions=_FORWARD)),
    _listener("stack", "TCP 80", True, one("lb/listener", protocol="TCP", port=80, defaultActions=_FORWARD)),
    _listener("stack", "TCP 443", False, one("lb/listener", protocol="TCP", port=443, defaultActions=_FORWARD)),
    _listener(
        *("stack", "TCP 80 to a load balancer", False),
        one("lb/listener", protocol="TCP", port=80, defaultActions=_FORWARD),
        one("lb/targetGroup", "group", arn="arn:tg", targetType="alb"),
    ),
    _listener(
        *("stack", "TCP 80 to instances", True),
        one("lb/listener", protocol="TCP", port=80, defaultActions=_FORWARD),
        one("lb/targetGroup", "group", arn="arn:tg", targetType="instance"),
    ),
    *(
        _listener(
            *("stack", f"{label} rule of a redirecting listener", expected),
            one("lb/listener", "listener", arn="arn:l", protocol="HTTP", port=80, defaultActions=_REDIRECT),
            one("lb/listenerRule", "rule", listenerArn="arn:l", actions=actions),
        )
        for label, expected, actions in (("forwarding", True, _FORWARD), ("redirecting", False, _REDIRECT))
    ),
    _listener(
        *("stack", "forwarding rule of an HTTPS listener", False),
        one("lb/listener", "listener", arn="arn:l", protocol="HTTPS", port=443),
        one("lb/listenerRule", "rule", listenerArn="arn:l", actions=_FORWARD),
    ),
    *both(
        *("encryption/edge-tls", "ordered behaviour"),
        _behaviour(
            "https-only",
            orderedCacheBehaviors=[{"viewerProtocolPolicy": "https-only"}, {"viewerProtocolPolicy": "allow-all"}],
        ),
        _behaviour("https-only", orderedCacheBehaviors=[{"viewerProtocolPolicy": "https-only"}]),
    ),
    *both(
        *("encryption/store-transit", "migration"),
        one("dms/endpoint", engineName="postgres", sslMode="none"),
        one("dms/endpoint", engineName="postgres", sslMode="verify-full"),
    ),
    passes("encryption/store-transit", "migration to a bucket", one("dms/endpoint", engineName="s3")),
    *both(
        *("encryption/store-transit", "warehouse"),
        one("redshift/parameterGroup", parameters=[{"name": "enable_user_activity_logging", "value": "true"}]),
        one("redshift/parameterGroup", parameters=[{"name": "require_ssl", "value": "true"}]),
    ),
    *both(
        *("encryption/store-transit", "documents"),
        one("docdb/clusterParameterGroup", parameters=[{"name": "tls", "value": "disabled"}]),
        one("docdb/clusterParameterGroup", parameters=[]),
    ),
    passes(
        "encryption/store-transit",
        "endpoint block of the default",
        one(
            "opensearch/domain",
            nodeToNodeEncryption={"enabled": True},
            domainEndpointOptions={"tlsSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"},
        ),
    ),
)

_STACK: Final = (
    _disk("instance with an encrypted root disk", False, one("ec2/instance", rootBlockDevice={"encrypted": True})),
    *(
        (found if expected else passes)(
            *("encryption-stack/at-rest", f"account whose default is {enabled}", one("ebs/volume", size=8)),
            one("ebs/encryptionByDefault", "account", enabled=enabled),
        )
        for enabled, expected in ((False, True), (True, False))
    ),
    found(
        *("encryption-stack/key-resolved", "key in a nested property, in the first preview"),
        one("kms/key", "key", isEnabled=False),
        known(
            one("dynamodb/table", serverSideEncryption={"enabled": True, "kmsKeyArn": UNKNOWN}),
            serverSideEncryption=("key",),
        ),
    ),
    found(
        *("encryption-stack/key-resolved", "native key in a nested property, in the first preview"),
        Planned("aws-native:kms:Key", "key", {"enabled": False}),
        Planned(
            *("aws-native:kinesis:Stream", "stream"),
            {"streamEncryption": {"encryptionType": "KMS", "keyId": UNKNOWN}},
            {"streamEncryption": ("key",)},
        ),
    ),
    *both(
        *("encryption-stack/transport-policy", "policy in the bucket"),
        one(
            "s3/bucket",
            bucket="b",
            policy=document(
                deny(Principal="*", Action="s3:DeleteObject", Condition={"Bool": {"aws:SecureTransport": "false"}})
            ),
        ),
        one(
            "s3/bucket",
            bucket="b",
            policy=document(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        ),
    ),
)

ENCRYPTION_ROWS: Final[tuple[Row, ...]] = (*_stores(), *_links(), *_AT_REST, *_TRANSIT, *_STACK)
