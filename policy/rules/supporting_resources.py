"""supporting-resources: what a bucket, a VPC or a repository needs beside itself."""

from fnmatch import fnmatchcase
from typing import Any, Final

from rules.configuration import Option
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.security_groups import DEFAULT_GROUP, OLD_RULE
from rules.security_groups import RULE as INGRESS_RULE
from rules.values import UNKNOWN, at, each_at, mappings, text, truth

__all__ = ["RULE"]

_BUCKET: Final = "s3/bucket"
_VPC: Final = "ec2/vpc"
_EGRESS_RULE: Final = "vpc/securityGroupEgressRule"


def _check(stack: Stack, findings: Findings) -> None:
    _access_blocks(stack, findings)
    if findings.settings.flag("requireAccessLogs"):
        _bucket_logs(stack, findings)
    _default_groups(stack, findings)
    _scanning(stack, findings)


def _supported(stack: Stack, canonical: str) -> set[str]:
    """URNs of the buckets that a resource of a type belongs to."""
    return {bucket.urn for each in stack.of(canonical) for bucket in stack.linked(each, "bucket", _BUCKET)}


def _access_blocks(stack: Stack, findings: Findings) -> None:
    account = any(truth(each.at("restrictPublicBuckets")) for each in stack.of("s3/accountPublicAccessBlock"))
    blocked = _supported(stack, "s3/bucketPublicAccessBlock")
    for bucket in stack.of(_BUCKET):
        if not account and bucket.urn not in blocked:
            what = "no public access block of the stack covers the bucket, so a policy or an ACL can make it public"
            findings.violation(
                bucket, "public-access-block", what, "add an aws.s3.BucketPublicAccessBlock with all four flags"
            )


def _bucket_logs(stack: Stack, findings: Findings) -> None:
    logged = _supported(stack, "s3/bucketLogging")
    targets = {
        bucket.urn for each in stack.of("s3/bucketLogging") for bucket in stack.linked(each, "targetBucket", _BUCKET)
    }
    trails = [
        each for each in stack.of("cloudtrail/trail") if each.at("eventSelectors") or each.at("advancedEventSelectors")
    ]
    for bucket in stack.of(_BUCKET):
        own = [text(block.get("targetBucket")) for _, block in mappings(bucket.at("loggings") or bucket.at("logging"))]
        receives = bucket.urn in targets or _receives_logs(stack, bucket)
        if bucket.urn not in logged and not any(own) and not receives and not trails:
            what = "nobody can see who reads its objects"
            findings.violation(bucket, "bucket-logs", what, "add an aws.s3.BucketLogging, or data events of CloudTrail")


def _receives_logs(stack: Stack, bucket: Resource) -> bool:
    """Whether logs are written to the bucket: logging that one as well would go on for ever."""
    users = {user.type for name, user in stack.dependents.get(bucket.urn, ()) if name in _LOG_PROPERTIES}
    return bool(users) or bucket.at("acl") == "log-delivery-write"


_LOG_PROPERTIES: Final = ("accessLogs", "connectionLogs", "loggingConfig", "s3BucketName", "logDestination")


def _default_groups(stack: Stack, findings: Findings) -> None:
    managed = {vpc.urn for each in stack.of(DEFAULT_GROUP) for vpc in stack.linked(each, "vpcId", _VPC)}
    for vpc in stack.of(_VPC):
        if vpc.urn not in managed:
            what = (
                "nothing closes its default security group, which lets its members reach each other and everything out"
            )
            findings.violation(
                vpc, "default-group", what, "add an aws.ec2.DefaultSecurityGroup without ingress and egress"
            )
    known = {text(vpc.at("defaultSecurityGroupId")) for vpc in stack.of(_VPC)} - {None}
    known |= {text(group.at("id")) for group in stack.of(DEFAULT_GROUP)} - {None}
    for rule in stack.of(OLD_RULE, INGRESS_RULE, _EGRESS_RULE):
        group = rule.at("securityGroupId")
        computed = group is UNKNOWN and (
            stack.dependencies(rule, "securityGroupId", _VPC)
            or stack.dependencies(rule, "securityGroupId", DEFAULT_GROUP)
        )
        if computed or (isinstance(group, str) and group in known):
            what = "it opens the VPC's default security group, which everything without a group of its own has"
            findings.violation(rule, "default-group", what, "give each resource its own group, and remove the rule")


def _scanning(stack: Stack, findings: Findings) -> None:
    """Repositories scan images on push, by themselves or by the rules of the registry."""
    filters = [
        pattern
        for registry in stack.of("ecr/registryScanningConfiguration")
        for _, rule in mappings(registry.at("rules"))
        if registry.at("scanType") == "ENHANCED" or rule.get("scanFrequency") in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
        for pattern in each_at(rule, "repositoryFilters.filter")
    ]
    for repository in stack.of("ecr/repository"):
        scan = at(repository.properties, "imageScanningConfiguration.scanOnPush")
        name = text(repository.at("name")) or ""
        if scan is UNKNOWN:
            findings.not_evaluated(repository, "scan-on-push", "imageScanningConfiguration.scanOnPush")
        elif not truth(scan) and not any(_covers(pattern, name) for pattern in filters):
            findings.violation(
                repository,
                "scan-on-push",
                "images are not scanned when they arrive",
                "set imageScanningConfiguration.scanOnPush to true, or add a rule of the registry's scanning",
            )


def _covers(pattern: Any, name: str) -> bool:
    if pattern is UNKNOWN:
        return True
    return (
        isinstance(pattern, str) and bool(pattern) and fnmatchcase(name, pattern if "*" in pattern else f"*{pattern}*")
    )


RULE: Final = Rule(
    name="supporting-resources",
    title="Supporting resources",
    description="Buckets, VPCs and repositories have the resources beside them that keep them closed and observed.",
    why=(
        "Some settings are resources of their own, and a bucket says nothing about the block that it lacks. Only the whole"
        " stack shows that nobody added it."
    ),
    severity="medium",
    level="advisory",
    controls=("EC2.2", "ECR.1", "S3.8", "S3.9"),
    remediation="Add the resource that the message names.",
    checks={
        "public-access-block": "Buckets have a public access block, of their own or of the account.",
        "bucket-logs": "Buckets have server access logs or data events, where `requireAccessLogs` is true.",
        "default-group": "The default group of each VPC is managed without rules, and no separate rule opens it.",
        "scan-on-push": "ECR repositories scan images as they arrive, by themselves or by the registry's rules.",
    },
    whole_stack=_check,
    settings=(Option("requireAccessLogs", "flag", default=True, description="Require access logs of buckets (S3.9)."),),
)
