"""encryption, in transit: listeners, volumes, data stores and edge services use TLS."""

import re
from typing import Final

from evaluation.aws.documents import denies_plain_transport
from evaluation.aws.tasks import job_parts
from evaluation.aws.websites import is_public_website
from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck
from evaluation.values import UNKNOWN, at, at_least, each_at, mapping, mappings, parse_json, sequence, text, truth
from policies.encryption_listeners import classic_listeners
from policies.encryption_parameters import PARAMETER_CHECKS
from tables.links import LINKS, Link

LISTENER: Final = "listener-tls"
VOLUME: Final = "volume-transit"
EDGE: Final = "edge-tls"
_TRANSPORT: Final = "plain-transport"

# The predefined security policies that accept TLS 1.2 or newer only; all others also accept 1.0 or 1.1.
_TLS_1_2 = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]-|TLS-1-2-|FS-1-2-)[A-Za-z0-9-]*")
_PLAIN_PROTOCOLS: Final = frozenset({"FTP"})


def _listener(resource: Resource, findings: Findings) -> None:
    protocol = resource.at("protocol")
    if protocol is UNKNOWN:
        findings.not_evaluated(resource, LISTENER, "protocol")
    elif protocol in ("HTTPS", "TLS"):
        _security_policy(resource, findings)


def _security_policy(resource: Resource, findings: Findings) -> None:
    policy = resource.at("sslPolicy")
    if policy is UNKNOWN:
        findings.not_evaluated(resource, LISTENER, "sslPolicy")
    elif not _TLS_1_2.fullmatch(text(policy) or ""):
        what = f"{'the default security policy' if policy is None else 'sslPolicy'} accepts TLS versions older than 1.2"
        remedy = "set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06 or newer"
        findings.violation(resource, LISTENER, "sslPolicy", what, remedy)


def _classic_load_balancer(resource: Resource, findings: Findings) -> None:
    if not truth(resource.at("internal")):
        for path, what, remedy in classic_listeners(resource):
            findings.violation(resource, LISTENER, path, what, remedy)


def _volumes(resource: Resource, findings: Findings) -> None:
    volumes = resource.at("volumes")
    if volumes is UNKNOWN:
        findings.not_evaluated(resource, VOLUME, "volumes")
    for index, volume in mappings(volumes):
        if volume.get("efsVolumeConfiguration") is None:
            continue
        path = f"volumes[{index}].efsVolumeConfiguration.transitEncryption"
        value = at(volume, "efsVolumeConfiguration.transitEncryption")
        if value is UNKNOWN:
            findings.not_evaluated(resource, VOLUME, path)
        elif value != "ENABLED":
            what = f"{path} isn't ENABLED, so the task mounts the file system without TLS"
            findings.violation(resource, VOLUME, path, what, f"set {path} to ENABLED")


def _transport_policy(service: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        document = findings.document(resource, _TRANSPORT, "policy")
        bucket = text(resource.at("bucket"))
        name = bucket.rpartition(":::")[2] if bucket else None
        if service == "s3" and is_public_website(resource, _TRANSPORT, findings):
            return
        if document is not None and not denies_plain_transport(document, service, name):
            covered = "the bucket and its objects" if service == "s3" else "the file system"
            findings.violation(
                resource,
                _TRANSPORT,
                "policy",
                f"policy doesn't deny requests to {covered} without TLS",
                f'add a Deny statement for principal "*" and action {service}:* on {covered} with Bool aws:SecureTransport "false"',
                value=[
                    each for _, each in mappings(mapping(document).get("Statement")) if each.get("Effect") == "Deny"
                ],
            )

    return check


def _link(link: Link) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if any(resource.at(name) not in (None, "") for name in link.without):
            return
        if link.path.startswith("nodeToNode") and _single_node(resource):
            return
        if resource.type == "elasticache/cluster" and resource.at("engine") != "memcached":
            return  # encryption at rest reports a Redis cluster without a replication group
        block = resource.at(link.path.rpartition(".")[0])
        default = link.default or (link.block_default and isinstance(block, dict))
        for value in each_at(resource.properties, link.path):
            if value is UNKNOWN:
                findings.not_evaluated(resource, link.check, link.path)
            elif value not in link.satisfied and not (value is None and default):
                required = str(link.satisfied[0]).lower() if link.satisfied[0] is True else link.satisfied[0]
                what = f"{link.path} isn't {required}, so connections without TLS are accepted"
                findings.violation(resource, link.check, link.path, what, f"set {link.path} to {required}")

    return check


def _single_node(domain: Resource) -> bool:
    """Whether a search domain has a single node, and therefore no traffic between nodes."""
    nodes = domain.at("clusterConfig.instanceCount")
    return (
        nodes is not UNKNOWN and not at_least(nodes, 2) and not truth(domain.at("clusterConfig.dedicatedMasterEnabled"))
    )


def _database_migration_endpoint(resource: Resource, findings: Findings) -> None:
    # Only these engines support sslMode; the others are AWS APIs, or have other settings.
    engines = ("aurora", "aurora-postgresql", "mariadb", "mysql", "postgres", "sqlserver", "db2", "mongodb", "docdb")
    if resource.at("engineName") in engines and resource.at("sslMode") in (None, "none"):
        what = "sslMode is none or not set, so the endpoint connects without TLS"
        findings.violation(resource, "store-transit", "sslMode", what, "set sslMode to require")


def _transfer_server(resource: Resource, findings: Findings) -> None:
    if _PLAIN_PROTOCOLS & {value for value in sequence(resource.at("protocols")) if isinstance(value, str)}:
        what = "protocols contains FTP, which doesn't support TLS"
        remedy = "use SFTP or FTPS"
        findings.violation(resource, "store-transit", "protocols", what, remedy)


def _serverless_warehouse(resource: Resource, findings: Findings) -> None:
    """Amazon Redshift Serverless requires TLS by default since January 10, 2025."""
    for index, parameter in mappings(resource.at("configParameters")):
        if parameter.get("parameterKey") == "require_ssl" and str(parameter.get("parameterValue")).lower() == "false":
            path = f"configParameters[{index}]"
            what = f"{path} sets require_ssl to false, so connections without TLS are accepted"
            findings.violation(resource, "store-transit", path, what, "set require_ssl to true")


def _glue_connection(resource: Resource, findings: Findings) -> None:
    for path in ("connectionProperties.JDBC_ENFORCE_SSL", "connectionProperties.KAFKA_SSL_ENABLED"):
        if str(resource.at(path)).lower() == "false":
            what = f"{path} is false, so the connection may not use TLS"
            findings.violation(resource, "store-transit", path, what, f"set {path} to true")


def _emr_configuration(resource: Resource, findings: Findings) -> None:
    settings = mapping(mapping(parse_json(resource.at("configuration"))).get("EncryptionConfiguration"))
    if settings and not truth(settings.get("EnableInTransitEncryption")):
        what = "EnableInTransitEncryption isn't true, so the nodes of EMR clusters communicate without TLS"
        remedy = "set EnableInTransitEncryption to true in configuration"
        findings.violation(
            resource, "store-transit", "configuration.EncryptionConfiguration.EnableInTransitEncryption", what, remedy
        )


def _distribution(resource: Resource, findings: Findings) -> None:
    for behavior in ("defaultCacheBehavior", "orderedCacheBehaviors", "cacheBehaviors"):
        path = f"{behavior}.viewerProtocolPolicy"
        values = each_at(resource.properties, path)
        if UNKNOWN in values:
            findings.not_evaluated(resource, EDGE, path)
        if "allow-all" in values:
            what = f"{path} is allow-all, so the distribution accepts HTTP"
            findings.violation(resource, EDGE, path, what, f"set {path} to redirect-to-https or https-only")
    _origins(resource, findings)
    version = resource.at("viewerCertificate.minimumProtocolVersion")
    # With CloudFront's default certificate, the TLS version can't be set.
    if not truth(resource.at("viewerCertificate.cloudfrontDefaultCertificate")) and isinstance(version, str | None):
        named = resource.at("viewerCertificate") is not None
        if named and not re.match(r"TLSv1\.[23]", version or ""):
            what = "viewerCertificate.minimumProtocolVersion accepts TLS versions older than 1.2"
            remedy = "set viewerCertificate.minimumProtocolVersion to TLSv1.2_2021 or newer"
            findings.violation(resource, EDGE, "viewerCertificate.minimumProtocolVersion", what, remedy)


def _origins(distribution: Resource, findings: Findings) -> None:
    """Origins over HTTP only, except S3's website endpoints, which support nothing else, and origins with SSL 3."""
    block = "customOriginConfig" if distribution.type == "cloudfront/distribution" else "customOriginConfigs"
    for index, origin in mappings(distribution.at("origins")):
        protocols = f"origins[{index}].{block}.originSslProtocols"
        if "SSLv3" in sequence(at(origin, f"{block}.originSslProtocols")):
            what = f"{protocols} contains SSLv3, which doesn't protect the connection to the origin"
            findings.violation(distribution, EDGE, protocols, what, f"set {protocols} to TLSv1.2")
        if at(origin, f"{block}.originProtocolPolicy") != "http-only":
            continue
        path = f"origins[{index}].{block}.originProtocolPolicy"
        domain = origin.get("domainName")
        if domain is UNKNOWN:
            findings.not_evaluated(distribution, EDGE, path, "is http-only, and domainName is unknown until the update")
        elif ".s3-website" not in (text(domain) or ""):
            what = f"{path} is http-only, so CloudFront connects to the origin without TLS"
            findings.violation(distribution, EDGE, path, what, f"set {path} to https-only")


# The attributes of a Classic Load Balancer's policy that enable TLS versions older than 1.2.
_OLD_PROTOCOLS: Final = frozenset({"Protocol-SSLv2", "Protocol-SSLv3", "Protocol-TLSv1", "Protocol-TLSv1.1"})


def _negotiation_policy(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if resource.type == "elb/loadBalancerPolicy" and resource.at("policyTypeName") != "SSLNegotiationPolicyType":
            return
        for index, attribute in mappings(resource.at(path)):
            name, value = text(attribute.get("name")), attribute.get("value")
            old = name in _OLD_PROTOCOLS and truth(value)
            predefined = name == "Reference-Security-Policy" and value not in (
                UNKNOWN,
                "ELBSecurityPolicy-TLS-1-2-2017-01",
            )
            if old or predefined:
                what = f"{path}[{index}] accepts TLS versions older than 1.2"
                remedy = "use the predefined policy ELBSecurityPolicy-TLS-1-2-2017-01"
                findings.violation(resource, LISTENER, f"{path}[{index}]", what, remedy)

    return check


def _job_definition(resource: Resource, findings: Findings) -> None:
    """The EFS volumes of an AWS Batch job: its containers', and those of each node of a multi-node job."""
    findings.document(resource, VOLUME, "containerProperties")
    for path, part in job_parts(resource):
        for index, volume in mappings(mapping(part).get("volumes")):
            configuration = volume.get("efsVolumeConfiguration")
            if isinstance(configuration, dict) and configuration.get("transitEncryption") not in ("ENABLED", UNKNOWN):
                where = f"{path}.volumes[{index}].efsVolumeConfiguration.transitEncryption"
                what = f"{where} isn't ENABLED, so the job mounts the file system without TLS"
                findings.violation(resource, VOLUME, where, what, f"set {where} to ENABLED")


def _domain_name(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if resource.at(path) == "TLS_1_0":
            what = f"{path} is TLS_1_0, so TLS versions older than 1.2 are accepted"
            remedy = f"set {path} to TLS_1_2"
            findings.violation(resource, EDGE, path, what, remedy)

    return check


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    checks: dict[str, list[ResourceCheck]] = {
        "lb/listener": [_listener],
        "elb/loadBalancer": [_classic_load_balancer],
        "elb/sslNegotiationPolicy": [_negotiation_policy("attributes")],
        "elb/loadBalancerPolicy": [_negotiation_policy("policyAttributes")],
        "ecs/taskDefinition": [_volumes],
        "batch/jobDefinition": [_job_definition],
        "s3/bucketPolicy": [_transport_policy("s3")],
        "efs/fileSystemPolicy": [_transport_policy("elasticfilesystem")],
        "dms/endpoint": [_database_migration_endpoint],
        "transfer/server": [_transfer_server],
        "emr/securityConfiguration": [_emr_configuration],
        "glue/connection": [_glue_connection],
        "redshiftserverless/workgroup": [_serverless_warehouse],
        "cloudfront/distribution": [_distribution],
        "cloudfront/multitenantDistribution": [_distribution],
        "apigateway/domainName": [_domain_name("securityPolicy")],
        "apigatewayv2/domainName": [_domain_name("domainNameConfiguration.securityPolicy")],
    }
    for canonical, functions in PARAMETER_CHECKS.items():
        checks.setdefault(canonical, []).extend(functions)
    for link in LINKS:
        checks.setdefault(link.type, []).append(_link(link))
    return {canonical: tuple(functions) for canonical, functions in checks.items()}


IN_TRANSIT_CHECKS: Final = _checks()
