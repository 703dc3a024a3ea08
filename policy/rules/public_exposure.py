"""public-exposure: nothing is open to everyone by its own properties or its own policy."""

from typing import Final

from rules.documents import Statement, statements
from rules.networks import is_world, parse_network
from rules.resources import Resource
from rules.rule import Findings, ResourceCheck, Rule
from rules.security_groups import RULE_TYPES, ingress_of
from rules.settings import Setting
from rules.values import UNKNOWN, sequence, truth

__all__ = ["RULE"]

_BLOCK_FLAGS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read", "website")

# Where each type takes a resource policy.
_POLICIES: Final = {
    "s3/bucketPolicy": "policy",
    "s3/bucket": "policy",
    "ecr/repositoryPolicy": "policy",
    "secretsmanager/secretPolicy": "policy",
    "secretsmanager/secret": "policy",
    "kms/key": "policy",
    "kms/keyPolicy": "policy",
    "efs/fileSystemPolicy": "policy",
    "sns/topic": "policy",
    "sns/topicPolicy": "policy",
    "sqs/queue": "policy",
    "sqs/queuePolicy": "policy",
}

# A statement for everyone is no statement for everyone when it tests one of these.
_NARROWING_KEYS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "elasticfilesystem:accesspointarn",
        "elasticfilesystem:accessedviamounttarget",
        "kms:calleraccount",
        "kms:viaservice",
    }
)

# Properties that put a resource on the internet when they are true: type, path, check, what, remedy.
_SWITCHES: Final = (
    (
        "ecs/service",
        "networkConfiguration.assignPublicIp",
        "public-address",
        "its tasks get public addresses",
        "set assignPublicIp to false and run in private subnets, with NAT or endpoints",
    ),
    (
        "ecs/taskSet",
        "networkConfiguration.assignPublicIp",
        "public-address",
        "its tasks get public addresses",
        "set assignPublicIp to false and run in private subnets, with NAT or endpoints",
    ),
    (
        "ec2/instance",
        "associatePublicIpAddress",
        "public-address",
        "it gets a public address",
        "set associatePublicIpAddress to false",
    ),
    *(
        (
            canonical,
            "publiclyAccessible",
            "public-database",
            "it can be reached from the internet",
            "set publiclyAccessible to false",
        )
        for canonical in ("rds/instance", "rds/clusterInstance", "redshift/cluster", "dms/replicationInstance")
    ),
)


def _switch(path: str, check: str, what: str, remedy: str) -> ResourceCheck:
    def run(resource: Resource, findings: Findings) -> None:
        value = resource.at(path)
        if value is UNKNOWN:
            findings.not_evaluated(resource, check, path)
        elif truth(value):
            findings.violation(resource, check, what, remedy)

    return run


def _access_block(resource: Resource, findings: Findings) -> None:
    for flag in _BLOCK_FLAGS:
        what = f"{flag} is off, so a policy or an ACL can make the bucket public"
        findings.require(resource, "public-bucket", flag, what, f"set {flag} to true")


def _acl(resource: Resource, findings: Findings) -> None:
    value = resource.at("acl")
    if value is UNKNOWN:
        findings.not_evaluated(resource, "public-bucket", "acl")
    elif value in _PUBLIC_ACLS:
        what = "its ACL lets everyone, or every AWS customer, read"
        findings.violation(resource, "public-bucket", what, "remove acl, and add an aws.s3.BucketPublicAccessBlock")


def _policy(path: str) -> ResourceCheck:
    def run(resource: Resource, findings: Findings) -> None:
        for statement in statements(findings.document(resource, "public-policy", path)):
            if _is_public(statement):
                findings.violation(
                    resource,
                    "public-policy",
                    f"{path}.Statement[{statement.index}] allows its actions to every AWS principal",
                    "name the principals, or test aws:SourceAccount, aws:PrincipalOrgID or the like",
                )

    return run


def _is_public(statement: Statement) -> bool:
    everyone = statement.inverted_principals or any(
        name == "*" for kind, name in statement.principals if kind in ("*", "AWS")
    )
    return statement.allows and everyone and not statement.condition_keys() & _NARROWING_KEYS


def _ports(resource: Resource, findings: Findings) -> None:
    ports = findings.settings.numbers("closedPorts")
    for ingress in ingress_of(resource):
        opened = [port for port in ports if ingress.opens(port)]
        if not opened:
            continue
        for source in ingress.sources:
            if source.kind in ("cidr", "unknown") and source.value is UNKNOWN:
                findings.not_evaluated(resource, "open-port", source.path)
            network = parse_network(source.value) if source.kind == "cidr" else None
            if network is not None and is_world(network):
                shown = "every port" if len(opened) == len(ports) else f"port {', '.join(map(str, opened))}"
                findings.violation(
                    resource,
                    "open-port",
                    f"{source.path} opens {shown} to the internet ({network})",
                    "remove the rule; reach machines through Session Manager, stores from inside the VPC",
                )


def _default_group(resource: Resource, findings: Findings) -> None:
    for path in ("ingress", "egress"):
        if resource.at(path) is UNKNOWN:
            findings.not_evaluated(resource, "default-group", path)
        elif sequence(resource.at(path)):
            what = (
                f"the VPC's default security group has {path} rules, and everything without a group of its own has it"
            )
            findings.violation(
                resource, "default-group", what, f"leave {path} out, and give each resource its own group"
            )


def _function_url(resource: Resource, findings: Findings) -> None:
    if resource.at("authorizationType") == "NONE":
        what = "anyone may call the function by its URL"
        findings.violation(resource, "public-policy", what, "set authorizationType to AWS_IAM")


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    checks: dict[str, list[ResourceCheck]] = {canonical: [_ports] for canonical in RULE_TYPES}
    checks["ec2/defaultSecurityGroup"].append(_default_group)
    for canonical, path, check, what, remedy in _SWITCHES:
        checks.setdefault(canonical, []).append(_switch(path, check, what, remedy))
    for canonical, path in _POLICIES.items():
        checks.setdefault(canonical, []).append(_policy(path))
    for canonical in ("s3/bucket", "s3/bucketAcl"):
        checks.setdefault(canonical, []).append(_acl)
    for canonical in ("s3/bucketPublicAccessBlock", "s3/accountPublicAccessBlock"):
        checks[canonical] = [_access_block]
    checks["lambda/functionUrl"] = [_function_url]
    return {canonical: tuple(functions) for canonical, functions in checks.items()}


RULE: Final = Rule(
    name="public-exposure",
    title="Public exposure",
    description="No public address, bucket, database, port or policy.",
    why=(
        "Most leaks are not break-ins: something was left open. A public address makes a task reachable whatever its group"
        " says tomorrow, and a policy for every principal is a policy for the whole of AWS."
    ),
    severity="critical",
    level="advisory",
    controls=(
        "ECS.2",
        "EC2.2",
        "EC2.9",
        "EC2.13",
        "EC2.14",
        "EC2.19",
        "S3.1",
        "S3.2",
        "S3.8",
        "RDS.2",
        "KMS.5",
        "Lambda.1",
    ),
    remediation="Close what the message names; let people and machines in through the load balancer or from the VPC.",
    checks={
        "public-address": "ECS tasks and EC2 instances have no public address.",
        "public-bucket": "Buckets have no public ACL, and their public access block is whole.",
        "public-database": "RDS, Redshift and DMS instances are not publicly accessible.",
        "public-policy": "No resource policy, key policy or function URL is for everyone without a narrowing condition.",
        "open-port": "Ports of `closedPorts` are not open to the internet.",
        "default-group": "The default security group has no rules.",
    },
    by_type=_checks(),
    settings=(
        Setting(
            "closedPorts",
            "numbers",
            [20, 21, 22, 23, 25, 1433, 2049, 3306, 3389, 5432, 6379, 9200, 11211, 27017],
            "TCP ports that the internet must not reach.",
        ),
    ),
)
