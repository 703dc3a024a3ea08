"""encryption of buckets: a policy that requires TLS, and a customer managed key where the configuration asks for one."""

from typing import Any, Final

from evaluation.aws.documents import denies_plain_transport, statements
from evaluation.aws.websites import is_public_website
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings
from evaluation.values import UNKNOWN, at, each_at, mappings, sequence, text
from policies.encryption_at_rest import is_customer_key

_BUCKET: Final = "s3/bucket"
_POLICY: Final = "s3/bucketPolicy"
# AWS delivers these logs only to buckets with SSE-S3. Sources: "Access logs for your Application Load Balancer", "Enabling
# Amazon S3 server access logging", and "Database audit logging" of Amazon Redshift, in AWS' user guides.
_LOG_TARGETS: Final = (
    ("lb/loadBalancer", "accessLogs.bucket"),
    ("lb/loadBalancer", "connectionLogs.bucket"),
    ("lb/loadBalancer", "healthCheckLogs.bucket"),
    ("elb/loadBalancer", "accessLogs.bucket"),
    ("s3/bucketLogging", "targetBucket"),
    ("s3/bucket", "loggings.targetBucket"),
    ("s3/bucket", "logging.targetBucket"),
    ("redshift/logging", "bucketName"),
    ("redshift/cluster", "logging.bucketName"),
)
_LOG_WRITERS: Final = (
    "logdelivery.elasticloadbalancing.amazonaws.com",
    "logging.s3.amazonaws.com",
    "redshift.amazonaws.com",
)


def check_buckets(stack: Stack, findings: Findings) -> None:
    """Report buckets without a policy that requires TLS, or without a customer managed key if one is required."""
    buckets = list(stack.of(_BUCKET))
    if not buckets:
        return
    guarded = stack.referred(_POLICY, "bucket", _BUCKET)
    for bucket in buckets:
        if (
            bucket.urn not in guarded
            and not _own_policy(bucket)
            and not is_public_website(bucket, "transport-policy", findings)
        ):
            what = "the bucket has no policy that denies requests without TLS"
            remedy = "add an aws.s3.BucketPolicy with a Deny statement for aws:SecureTransport false"
            findings.violation(bucket, "transport-policy", "", what, remedy)
    if findings.settings.flag("bucketCustomerKeys"):
        _customer_keys(stack, buckets, findings)


def _customer_keys(stack: Stack, buckets: list[Resource], findings: Findings) -> None:
    encrypted = stack.referred(
        *("s3/bucketServerSideEncryptionConfiguration", "bucket", _BUCKET),
        lambda configuration: _uses_customer_key(configuration.at("rules")),
    )
    logs = _log_buckets(stack)
    for bucket in buckets:
        inline = at(bucket.properties, "serverSideEncryptionConfiguration.rule")
        if bucket.urn not in encrypted and bucket.urn not in logs and not _uses_customer_key(inline):
            findings.violation(
                bucket,
                "bucket-key",
                "",
                "the bucket's default encryption doesn't use a customer managed key, which bucketCustomerKeys requires",
                "add an aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm aws:kms and the key's ARN",
            )


def _log_buckets(stack: Stack) -> set[str]:
    """URNs of the buckets to which AWS delivers logs that it can't write with a KMS key."""
    found: set[str] = set()
    for canonical, path in _LOG_TARGETS:
        top = path.partition(".")[0]
        for source in stack.of(canonical):
            named = [stack.by_identity(value, _BUCKET) for value in each_at(source.properties, path)]
            known = [bucket for bucket in named if bucket is not None]
            found |= {bucket.urn for bucket in known or stack.dependencies(source, top, _BUCKET)}
    found |= stack.referred(_POLICY, "bucket", _BUCKET, lambda policy: _admits_log_writer(policy.at("policy")))
    for bucket in stack.of(_BUCKET):
        if bucket.at("acl") == "log-delivery-write" or _admits_log_writer(bucket.at("policy")):
            found.add(bucket.urn)
    return found | stack.referred("s3/bucketAcl", "bucket", _BUCKET, lambda acl: acl.at("acl") == "log-delivery-write")


def _admits_log_writer(document: Any) -> bool:
    """Whether a bucket policy lets one of AWS' log writers write; the writer may be configured in another stack."""
    return any(
        each.allows and each.matches_action("s3:PutObject") and any(name in _LOG_WRITERS for _, name in each.principals)
        for each in statements(document)
    )


def _own_policy(bucket: Resource) -> bool:
    policy = bucket.at("policy")
    return policy is UNKNOWN or denies_plain_transport(policy, "s3", text(bucket.at("bucket")))


def _uses_customer_key(rules: object) -> bool:
    if rules is UNKNOWN:
        return True
    for _, rule in mappings(sequence(rules)):
        default = at(rule, "applyServerSideEncryptionByDefault")
        if default is UNKNOWN:
            return True
        key = at(default, "kmsMasterKeyId")
        kms = at(default, "sseAlgorithm") in ("aws:kms", "aws:kms:dsse", UNKNOWN)
        if kms and (key is UNKNOWN or is_customer_key(key)):
            return True
    return False
