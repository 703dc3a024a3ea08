"""hardening: AWS options that prevent known attacks at no cost."""

from typing import Final

from evaluation.resources import Resource
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, integer, truth

_METADATA: Final = "instance-metadata"


def _metadata(resource: Resource, findings: Findings) -> None:
    """IMDSv1 answers every request that an attacker can make a server send; IMDSv2 requires a session token."""
    if resource.at("metadataOptions.httpEndpoint") == "disabled":
        return
    if resource.type == "ec2/instance" and resource.at("metadataOptions") is None and resource.at("launchTemplate"):
        return  # the launch template sets it, and is evaluated itself
    tokens = resource.at("metadataOptions.httpTokens")
    if tokens is UNKNOWN:
        findings.not_evaluated(resource, _METADATA, "metadataOptions.httpTokens")
    elif tokens != "required":
        what = "metadataOptions.httpTokens isn't required, so IMDSv1 is allowed"
        findings.violation(
            resource, _METADATA, "metadataOptions.httpTokens", what, "set metadataOptions.httpTokens to required"
        )
    hops = integer(resource.at("metadataOptions.httpPutResponseHopLimit"))
    if hops is not None and hops > 2:
        what = (
            f"metadataOptions.httpPutResponseHopLimit is {hops}, so containers and other hosts can reach the metadata"
        )
        remedy = "set metadataOptions.httpPutResponseHopLimit to 1 (2 if containers need it)"
        findings.violation(resource, _METADATA, "metadataOptions.httpPutResponseHopLimit", what, remedy)


def _header_fields(resource: Resource, findings: Findings) -> None:
    if resource.at("loadBalancerType") in (None, "application"):
        findings.require(
            resource,
            "header-fields",
            "dropInvalidHeaderFields",
            "the load balancer forwards invalid HTTP headers, which enables request smuggling",
        )


def _desync(resource: Resource, findings: Findings) -> None:
    http = resource.at("loadBalancerType") in (None, "application", UNKNOWN)
    if http and resource.at("desyncMitigationMode") == "monitor":
        what = "desyncMitigationMode is monitor, which doesn't block HTTP desync attacks"
        findings.violation(
            resource, "desync", "desyncMitigationMode", what, "set desyncMitigationMode to defensive or strictest"
        )


def _engine_updates(resource: Resource, findings: Findings) -> None:
    value = resource.at("autoMinorVersionUpgrade")
    if value is not None and value is not UNKNOWN and not truth(value):
        what = "autoMinorVersionUpgrade is false, so AWS doesn't install security fixes automatically"
        remedy = "remove autoMinorVersionUpgrade, or set it to true"
        findings.violation(resource, "minor-versions", "autoMinorVersionUpgrade", what, remedy)


RULE: Final = Rule(
    name="hardening",
    title="Hardening",
    description="Instances, load balancers and databases use the AWS options that prevent known attacks.",
    why=(
        "Each option prevents an attack that is common in practice: reading credentials from the instance metadata service,"
        " HTTP request smuggling, exploiting old database engines. The options are free, but not the default."
    ),
    severity="high",
    level="advisory",
    controls=("AutoScaling.3", "EC2.8", "EC2.170", "ELB.4", "ELB.12", "ELB.14", "RDS.13"),
    remediation="Set the option that the message names.",
    checks={
        "instance-metadata": "EC2 instances and launch templates require IMDSv2.",
        "header-fields": "Application Load Balancers drop invalid header fields.",
        "desync": "Load balancers use the defensive or strictest desync mitigation mode.",
        "minor-versions": "Databases, caches and brokers install minor versions automatically.",
    },
    by_type={
        "ec2/instance": (_metadata,),
        "ec2/launchTemplate": (_metadata,),
        "ec2/launchConfiguration": (_metadata,),
        "ec2/spotInstanceRequest": (_metadata,),
        "lb/loadBalancer": (_header_fields, _desync),
        "elb/loadBalancer": (_desync,),
        "rds/instance": (_engine_updates,),
        "rds/clusterInstance": (_engine_updates,),
        "dms/replicationInstance": (_engine_updates,),
        "elasticache/replicationGroup": (_engine_updates,),
        "mq/broker": (_engine_updates,),
        "memorydb/cluster": (_engine_updates,),
    },
)
