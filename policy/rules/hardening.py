"""hardening: the options of AWS that close a known attack and cost nothing."""

from typing import Final

from rules.resources import Resource
from rules.rule import Findings, Rule
from rules.values import UNKNOWN, integer, truth

__all__ = ["RULE"]

_METADATA: Final = "instance-metadata"


def _metadata(resource: Resource, findings: Findings) -> None:
    """IMDSv1 answers any request that a server can be made to send; version 2 wants a session."""
    if resource.at("metadataOptions.httpEndpoint") == "disabled":
        return
    if resource.type == "ec2/instance" and resource.at("metadataOptions") is None and resource.at("launchTemplate"):
        return  # the template decides, and is checked itself
    tokens = resource.at("metadataOptions.httpTokens")
    if tokens is UNKNOWN:
        findings.not_evaluated(resource, _METADATA, "metadataOptions.httpTokens")
    elif tokens != "required":
        what = "its metadata service answers without a session token (IMDSv1)"
        findings.violation(resource, _METADATA, what, "set metadataOptions.httpTokens to required")
    hops = integer(resource.at("metadataOptions.httpPutResponseHopLimit"))
    if hops is not None and hops > 2:
        what = f"its metadata service answers over {hops} hops, and so to containers and neighbours"
        findings.violation(
            resource, _METADATA, what, "set metadataOptions.httpPutResponseHopLimit to 1 (2 for containers)"
        )


def _load_balancer(resource: Resource, findings: Findings) -> None:
    kind = resource.at("loadBalancerType")
    if kind in (None, "application"):
        findings.require(
            resource,
            "header-fields",
            "dropInvalidHeaderFields",
            "it passes header fields on that are not valid HTTP, which serves request smuggling",
            "set dropInvalidHeaderFields to true",
        )
    if kind in (None, "application", UNKNOWN) and resource.at("desyncMitigationMode") == "monitor":
        what = "it only monitors requests that serve HTTP desynchronization"
        findings.violation(resource, "desync", what, "set desyncMitigationMode to defensive or strictest")


def _classic_load_balancer(resource: Resource, findings: Findings) -> None:
    if resource.at("desyncMitigationMode") == "monitor":
        what = "it only monitors requests that serve HTTP desynchronization"
        findings.violation(resource, "desync", what, "set desyncMitigationMode to defensive or strictest")


def _engine_updates(resource: Resource, findings: Findings) -> None:
    value = resource.at("autoMinorVersionUpgrade")
    if value is not None and value is not UNKNOWN and not truth(value):
        what = "it does not take minor versions, and so no security fixes, by itself"
        findings.violation(resource, "minor-versions", what, "remove autoMinorVersionUpgrade, or set it to true")


RULE: Final = Rule(
    name="hardening",
    title="Hardening",
    description="Instances, load balancers and databases use AWS' options against known attacks.",
    why=(
        "Each of these closes an attack that has been used at scale: credentials read through the metadata service, requests"
        " smuggled past a load balancer, old database engines. They cost nothing, and aren't the default."
    ),
    severity="high",
    level="advisory",
    controls=("AutoScaling.3", "EC2.8", "EC2.170", "ELB.4", "ELB.12", "ELB.14", "RDS.13"),
    remediation="Set the option that the message names.",
    checks={
        "instance-metadata": "Instances and their templates require IMDSv2.",
        "header-fields": "Application load balancers drop invalid header fields.",
        "desync": "Load balancers mitigate HTTP desynchronization instead of only monitoring it.",
        "minor-versions": "Databases, caches and brokers take minor versions by themselves.",
    },
    by_type={
        "ec2/instance": (_metadata,),
        "ec2/launchTemplate": (_metadata,),
        "ec2/launchConfiguration": (_metadata,),
        "ec2/spotInstanceRequest": (_metadata,),
        "lb/loadBalancer": (_load_balancer,),
        "elb/loadBalancer": (_classic_load_balancer,),
        "rds/instance": (_engine_updates,),
        "rds/clusterInstance": (_engine_updates,),
        "dms/replicationInstance": (_engine_updates,),
        "elasticache/replicationGroup": (_engine_updates,),
        "mq/broker": (_engine_updates,),
        "memorydb/cluster": (_engine_updates,),
    },
)
