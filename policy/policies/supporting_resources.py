"""supporting-resources: the separate resources that protect buckets, VPCs and repositories."""

from fnmatch import fnmatchcase
from typing import Any, Final

from evaluation.aws.security_groups import DEFAULT_GROUP, OLD_RULE
from evaluation.aws.security_groups import RULE as INGRESS_RULE
from evaluation.configuration import Option
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at, each_at, mappings, shown, text, truth

_BUCKET: Final = "s3/bucket"
_VPC: Final = "ec2/vpc"
_EGRESS_RULE: Final = "vpc/securityGroupEgressRule"


def _check(stack: Stack, findings: Findings) -> None:
    _access_blocks(stack, findings)
    if findings.settings.flag("requireAccessLogs"):
        _bucket_logs(stack, findings)
    _default_groups(stack, findings)
    _scanning(stack, findings)


def _access_blocks(stack: Stack, findings: Findings) -> None:
    account = any(truth(each.at("restrictPublicBuckets")) for each in stack.of("s3/accountPublicAccessBlock"))
    blocked = stack.referred("s3/bucketPublicAccessBlock", "bucket", _BUCKET)
    for bucket in stack.of(_BUCKET):
        if not account and bucket.urn not in blocked:
            what = "no public access block in this stack covers the bucket, so a policy or an ACL can make it public"
            remedy = "add an aws.s3.BucketPublicAccessBlock with all four settings true"
            findings.violation(bucket, "public-access-block", "", what, remedy)


def _bucket_logs(stack: Stack, findings: Findings) -> None:
    logged = stack.referred("s3/bucketLogging", "bucket", _BUCKET)
    targets = stack.referred("s3/bucketLogging", "targetBucket", _BUCKET)
    trails = [
        each for each in stack.of("cloudtrail/trail") if each.at("eventSelectors") or each.at("advancedEventSelectors")
    ]
    for bucket in stack.of(_BUCKET):
        own = [text(block.get("targetBucket")) for _, block in mappings(bucket.at("loggings") or bucket.at("logging"))]
        receives = bucket.urn in targets or _receives_logs(stack, bucket)
        if bucket.urn not in logged and not any(own) and not receives and not trails:
            what = "no access logs or CloudTrail data events in this stack cover the bucket"
            remedy = "add an aws.s3.BucketLogging, or data events to an aws.cloudtrail.Trail"
            findings.violation(bucket, "bucket-logs", "", what, remedy)


def _receives_logs(stack: Stack, bucket: Resource) -> bool:
    """Whether the bucket receives logs: logging its own access would create an endless loop."""
    users = {user.type for name, user in stack.dependents.get(bucket.urn, ()) if name in _LOG_PROPERTIES}
    return bool(users) or bucket.at("acl") == "log-delivery-write"


_LOG_PROPERTIES: Final = ("accessLogs", "connectionLogs", "loggingConfig", "s3BucketName", "logDestination")


def _default_groups(stack: Stack, findings: Findings) -> None:
    managed = stack.referred(DEFAULT_GROUP, "vpcId", _VPC)
    for vpc in stack.of(_VPC):
        if vpc.urn not in managed:
            what = "the VPC's default security group isn't managed, so it allows traffic between its members and all egress"
            findings.violation(
                vpc, "default-group", "", what, "add an aws.ec2.DefaultSecurityGroup without ingress and egress rules"
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
            what = (
                "the rule belongs to the default security group, which applies to every resource without another group"
            )
            remedy = "remove the rule, and set a security group for each resource"
            findings.violation(rule, "default-group", "securityGroupId", what, remedy)


def _scanning(stack: Stack, findings: Findings) -> None:
    """Repositories scan images on push, by their own setting or by the registry's scanning rules."""
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
                "imageScanningConfiguration.scanOnPush",
                f"imageScanningConfiguration.scanOnPush is {shown(scan)}, and no registry scanning rule covers the repository",
                "set imageScanningConfiguration.scanOnPush to true, or add a rule to the registry's scanning configuration",
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
    description="Buckets, VPCs and repositories have the separate resources that block public access, log and scan.",
    why=(
        "Some settings are separate resources in Pulumi. A bucket's own properties don't show that its public access block is"
        " missing; only the whole stack does."
    ),
    severity="medium",
    level="advisory",
    controls=("EC2.2", "ECR.1", "S3.8", "S3.9"),
    remediation="Add the resource that the message names.",
    checks={
        "public-access-block": "Buckets have a public access block, or the account has one.",
        "bucket-logs": "Buckets have server access logs or CloudTrail data events, if `requireAccessLogs` is true.",
        "default-group": "The default security group of each VPC is managed and has no rules.",
        "scan-on-push": "ECR repositories scan images on push, by their own setting or by the registry's scanning rules.",
    },
    whole_stack=_check,
    settings=(
        Option("requireAccessLogs", "flag", default=True, description="Require access logs for buckets (S3.9)."),
    ),
)
