"""public-exposure: no resource is public through its own properties or its own policy."""

from typing import Any, Final

from evaluation.aws.documents import public_statements
from evaluation.aws.networks import is_large_foreign, is_world, parse_network
from evaluation.aws.security_groups import RULE_TYPES, ingress_of
from evaluation.aws.websites import PUBLIC_WEBSITES, is_public_website
from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck, Rule
from evaluation.values import UNKNOWN, each_at, integer, mappings, sequence, truth
from tables import read

_BLOCK_FLAGS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read", "website")

_BUCKET_POLICIES: Final = ("s3/bucket", "s3/bucketPolicy")
_PUBLIC_GROUPS: Final = ("/AllUsers", "/AuthenticatedUsers")
_MANAGEMENT: Final = frozenset({22, 3389})
_NO_ADDRESS: Final = "use private subnets with a NAT gateway or VPC endpoints"


def _switch(path: str, values: list[str], check: str, consequence: str) -> ResourceCheck:
    remedy = f"remove {values[0]} from {path}" if values else f"remove {path} or set it to false; {_NO_ADDRESS}"

    def run(resource: Resource, findings: Findings) -> None:
        for value in each_at(resource.properties, path):
            if value is UNKNOWN:
                findings.not_evaluated(resource, check, path)
            elif truth(value) or value == "ENABLED" or (isinstance(value, str) and value in values):
                public = "true" if truth(value) else "ENABLED" if value == "ENABLED" else value
                findings.violation(resource, check, path, f"{path} is {public}, so {consequence}", remedy)

    return run


def _access_block(resource: Resource, findings: Findings) -> None:
    if is_public_website(resource, "public-bucket", findings):
        return
    for flag in _BLOCK_FLAGS:
        findings.require(resource, "public-bucket", flag, "a bucket policy or an ACL can make the bucket public")


def _access_point(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        for flag in _BLOCK_FLAGS:
            value = resource.at(f"{path}.{flag}")
            if value is False or (isinstance(value, str) and value.lower() == "false"):
                what = f"{path}.{flag} is false, so the access point can make objects public"
                findings.violation(
                    resource, "public-bucket", f"{path}.{flag}", what, f"remove {path}.{flag}, or set it to true"
                )

    return check


def _acl(resource: Resource, findings: Findings) -> None:
    if is_public_website(resource, "public-bucket", findings):
        return
    value = resource.at("acl")
    if value is UNKNOWN:
        findings.not_evaluated(resource, "public-bucket", "acl")
    elif value in _PUBLIC_ACLS:
        what = "acl grants access to everyone, or to every AWS account"
        findings.violation(
            resource, "public-bucket", "acl", what, "remove acl, and add an aws.s3.BucketPublicAccessBlock"
        )
    for path in ("accessControlPolicy.grants.grantee.uri", "grants.uri"):
        if any(isinstance(uri, str) and uri.endswith(_PUBLIC_GROUPS) for uri in each_at(resource.properties, path)):
            what = f"{path} grants access to everyone, or to every AWS account"
            findings.violation(
                resource, "public-bucket", path, what, "remove the grant to AllUsers or AuthenticatedUsers"
            )


def _policy(path: str) -> ResourceCheck:
    def run(resource: Resource, findings: Findings) -> None:
        if resource.type in _BUCKET_POLICIES and is_public_website(resource, "public-policy", findings):
            return
        for statement in public_statements(findings.document(resource, "public-policy", path)):
            what = f"{path}.Statement[{statement.index}] allows its actions to every AWS principal"
            remedy = "list the principals, or add a condition on aws:SourceAccount, aws:PrincipalOrgID or a similar key"
            findings.violation(resource, "public-policy", f"{path}.Statement[{statement.index}]", what, remedy)

    return run


def _permission(*narrowing: str) -> ResourceCheck:
    def run(resource: Resource, findings: Findings) -> None:
        principal = resource.at("principal")
        if principal is UNKNOWN:
            findings.not_evaluated(resource, "public-policy", "principal")
        elif principal == "*" and not any(_narrows(resource.at(name)) for name in narrowing):
            what = "principal is *, so every AWS principal is allowed the action"
            findings.violation(
                resource, "public-policy", "action", what, f"set principal to an account, or set {narrowing[0]}"
            )

    return run


def _narrows(value: object) -> bool:
    """Whether the value names a source or an organization. An ARN with a wildcard account doesn't."""
    if isinstance(value, str):
        account = value.split(":")[4] if value.count(":") >= 5 else value
        return bool(value) and not set(account) & set("*?")
    return value is not None


def _private_cluster(resource: Resource, findings: Findings) -> None:
    """The API endpoint of an EKS cluster, which is public unless the author sets otherwise."""
    public, ranges = resource.at("vpcConfig.endpointPublicAccess"), resource.at("vpcConfig.publicAccessCidrs")
    if public is UNKNOWN or ranges is UNKNOWN:
        findings.not_evaluated(resource, "public-endpoint", "vpcConfig")
    elif public is None or truth(public):
        networks = [parse_network(value) for value in sequence(ranges)]
        if not networks or any(network is not None and is_world(network) for network in networks):
            what = "the API endpoint is reachable from the internet"
            remedy = "set vpcConfig.endpointPublicAccess to false, or limit vpcConfig.publicAccessCidrs"
            findings.violation(resource, "public-endpoint", "vpcConfig", what, remedy, value=(public, ranges))


def _search_domain(resource: Resource, findings: Findings) -> None:
    if resource.at("vpcOptions") is None:
        what = "vpcOptions is not set, so the domain's endpoint is public"
        findings.violation(resource, "public-endpoint", "vpcOptions", what, "set vpcOptions (AWS replaces the domain)")


def _setting(path: str, private: list[Any], check: str, consequence: str) -> ResourceCheck:
    def run(resource: Resource, findings: Findings) -> None:
        value = resource.at(path)
        if value is UNKNOWN:
            findings.not_evaluated(resource, check, path)
        elif value not in private:
            required = str(private[0]).lower() if isinstance(private[0], bool) else private[0]
            what = f"{path} isn't {required}, so {consequence}"
            findings.violation(resource, check, path, what, f"set {path} to {required}")

    return run


def _search_collection(resource: Resource, findings: Findings) -> None:
    """The network policies of OpenSearch Serverless collections."""
    for index, rule in mappings(findings.document(resource, "public-endpoint", "policy")):
        if truth(rule.get("AllowFromPublic")):
            what = f"policy[{index}].AllowFromPublic is true, so the collections are reachable from the internet"
            remedy = "set AllowFromPublic to false, and list VPC endpoints in SourceVPCEs"
            findings.violation(resource, "public-endpoint", f"policy[{index}]", what, remedy)


def _public_ports(resource: Resource, findings: Findings) -> None:
    """The ports of a Lightsail instance, which every address can reach unless the rule limits them."""
    closed = findings.settings.numbers("closedPorts")
    for index, rule in mappings(resource.at("portInfos")):
        first, last = integer(rule.get("fromPort")), integer(rule.get("toPort"))
        networks = [parse_network(value) for value in sequence(rule.get("cidrs")) if value is not UNKNOWN]
        limited = rule.get("cidrs") and not any(network is not None and is_world(network) for network in networks)
        opened = [port for port in closed if (first or 0) <= port <= (65535 if last is None else last)]
        if rule.get("protocol") in ("tcp", "all", UNKNOWN) and opened and not limited:
            path = f"portInfos[{index}]"
            what = f"{path} opens port {', '.join(map(str, opened))} to the internet"
            findings.violation(resource, "open-port", path, what, f"set {path}.cidrs to the addresses that need access")


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
            if (
                network is not None
                and not is_world(network)
                and is_large_foreign(network)
                and _MANAGEMENT & set(opened)
            ):
                managed = ", ".join(map(str, sorted(_MANAGEMENT & set(opened))))
                what = f"{source.path} opens port {managed} to {network}, a large public range"
                remedy = "limit it to the addresses of administrators"
                findings.violation(resource, "open-port", source.path, what, remedy, value=(network, *ingress.reach))
            if network is not None and is_world(network):
                shown = "every port" if len(opened) == len(ports) else f"port {', '.join(map(str, opened))}"
                findings.violation(
                    resource,
                    "open-port",
                    source.path,
                    f"{source.path} opens {shown} to the internet ({network})",
                    "remove the rule; connect to instances with Session Manager and to data stores from inside the VPC",
                    value=(network, *ingress.reach),
                )


def _default_group(resource: Resource, findings: Findings) -> None:
    for path in ("ingress", "egress"):
        if resource.at(path) is UNKNOWN:
            findings.not_evaluated(resource, "default-group", path)
        elif sequence(resource.at(path)):
            what = f"the default security group has {path} rules, which apply to every resource without another group"
            findings.violation(
                resource, "default-group", path, what, f"remove {path}, and set a security group for each resource"
            )


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    checks: dict[str, list[ResourceCheck]] = {canonical: [_ports] for canonical in RULE_TYPES}
    checks["ec2/defaultSecurityGroup"].append(_default_group)
    public = read("public")
    for canonical, path, values, check, consequence in public["switches"]:
        checks.setdefault(canonical, []).append(_switch(path, values, check, consequence))
    for path, types in read("resource_policies").items():
        for canonical in types:
            checks.setdefault(canonical, []).append(_policy(path))
    for canonical in ("s3/bucket", "s3/bucketAcl", "s3/bucketObject"):
        checks.setdefault(canonical, []).append(_acl)
    for canonical in ("s3/bucketPublicAccessBlock", "s3/accountPublicAccessBlock"):
        checks[canonical] = [_access_block]
    checks.setdefault("s3/accessPoint", []).append(_access_point("publicAccessBlockConfiguration"))
    checks.setdefault("s3control/multiRegionAccessPoint", []).append(_access_point("details.publicAccessBlock"))
    for canonical in ("opensearch/domain", "elasticsearch/domain"):
        checks[canonical].append(_search_domain)
    for canonical, path, private, check, consequence in public["settings"]:
        checks.setdefault(canonical, []).append(_setting(path, private, check, consequence))
    checks["opensearch/serverlessSecurityPolicy"] = [_search_collection]
    checks["lightsail/instancePublicPorts"] = [_public_ports]
    checks["lambda/permission"] = [_permission("principalOrgId", "sourceArn", "sourceAccount")]
    checks["lambda/layerVersionPermission"] = [_permission("organizationId")]
    checks["cloudwatch/eventPermission"] = [_permission("condition")]
    checks["eks/cluster"] = [_private_cluster]
    return {canonical: tuple(functions) for canonical, functions in checks.items()}


RULE: Final = Rule(
    name="public-exposure",
    title="Public exposure",
    description="No resource has a public address, and no bucket, database, port or policy is public.",
    why=(
        "Most data leaks need no attack, because a resource was public. A task with a public address is reachable as soon as"
        " its security group allows it. A policy for every principal applies to everyone who has an AWS account."
    ),
    severity="critical",
    level="advisory",
    controls=(
        *("AutoScaling.5", "DMS.1", "EC2.2", "EC2.9", "EC2.19", "EC2.25", "ECS.2", "EKS.1", "ES.2", "KMS.5"),
        *("Lambda.1", "Opensearch.2", "RDS.1", "RDS.2", "Redshift.1", "S3.1", "S3.2", "S3.3", "S3.8", "SageMaker.1"),
        "SNS.4",
        "SQS.3",
    ),
    related=("EC2.13", "EC2.14"),
    remediation="Remove the public access that the message names. Give access through the load balancer or from the VPC.",
    checks={
        "public-address": "ECS tasks and EC2 instances don't get a public IP address.",
        "public-bucket": "Buckets have no public ACL or grant, and every setting of their public access block is enabled.",
        "public-database": "Databases, warehouses, brokers and DMS instances aren't publicly accessible.",
        "public-policy": "Resource policies, permissions and shares don't allow everyone, unless a condition limits the principals.",
        "public-endpoint": "Endpoints of EKS, OpenSearch, App Runner, Transfer Family, VPC Lattice, EMR and notebooks aren't public.",
        "open-port": "Ports in `closedPorts` aren't open to the internet.",
        "default-group": "The default security group has no rules.",
    },
    by_type=_checks(),
    settings=(
        Option(
            "closedPorts",
            "numbers",
            [
                *(20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 2049, 3000, 3306, 3389, 4333, 5000, 5432, 5500),
                *(5601, 6379, 8080, 8088, 8888, 9200, 9300, 11211, 27017),
            ],
            "TCP ports that must not be open to the internet. The default is the list of EC2.19, with NFS, Redis, Memcached and MongoDB.",
        ),
        PUBLIC_WEBSITES,
    ),
)
