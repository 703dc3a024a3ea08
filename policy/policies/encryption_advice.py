"""encryption-advice: what AWS or the network protects already, and what a security review may still ask for."""

from typing import Final

from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, each_at, text
from policies.encryption_at_rest import encrypted_by_aws, is_customer_key
from policies.encryption_listeners import INTERNAL, advise_listeners
from policies.encryption_parameters import PARAMETER_TYPES, accepts_plain_by_default
from tables.stores import STORES, Store

_KEY: Final = "service-key"
_PARAMETER: Final = "database-tls"
# A KMS key that AWS manages is enough for these, because the control is about a second layer of encryption.
_ANY_KEY: Final = ("sns/topic", "rds/cluster")


def _check(stack: Stack, findings: Findings) -> None:
    for store in STORES:
        for resource in stack.of(store.type) if store.advice else ():
            _key(store, resource, findings)
    advise_listeners(stack, findings)
    for listener in stack.of("vpclattice/listener"):
        if listener.at("protocol") == "HTTP":
            what = "protocol is HTTP, so clients in the associated VPCs connect without TLS"
            findings.violation(listener, INTERNAL, "protocol", what, "set protocol to HTTPS")
    for group in stack.of(*PARAMETER_TYPES):
        parameter = accepts_plain_by_default(group)
        if parameter:
            what = f"the group doesn't set {parameter}, and the family's default accepts connections without TLS"
            findings.violation(
                group, _PARAMETER, "parameters", what, f"set the parameter {parameter} to 1", value=parameter
            )


def _key(store: Store, resource: Resource, findings: Findings) -> None:
    if store.switch and not encrypted_by_aws(resource):
        return  # encryption evaluates it
    keys = each_at(resource.properties, store.key)
    accepted = text if resource.type in _ANY_KEY else is_customer_key
    if all(key is UNKNOWN or accepted(key) for key in keys):
        return
    what = f"{store.key} doesn't name a KMS key of the account. AWS' default: {store.advice}"
    findings.violation(resource, _KEY, store.key, what, f"set {store.key} to the ARN of a customer managed KMS key")


RULE: Final = Rule(
    name="encryption-advice",
    title="Encryption, beyond the default",
    description="Services that AWS encrypts by itself use a KMS key of the account, and internal load balancers use TLS.",
    why=(
        "AWS encrypts these stores without any setting, so a deployment must not stop because of them. With a key of your"
        " own, access to the data and use of the key are granted separately, as CloudTrail.2 and EKS.3 ask. The VPC's network"
        " carries the traffic of internal load balancers, which scanners report all the same."
    ),
    severity="medium",
    level="advisory",
    native=True,
    controls=("CloudTrail.2", "EKS.3", "ELB.1", "ELB.18", "RDS.27", "RDS.38", "RDS.39"),
    related=("SNS.1",),
    remediation="Set the key that the message names, or use HTTPS listeners for internal load balancers too.",
    checks={
        _KEY: "Trails, EKS clusters, topics, Aurora clusters, and what Athena and Glue write, use a KMS key of the account.",
        _PARAMETER: "Parameter groups of databases require TLS where the family's default doesn't.",
        INTERNAL: "Listeners of internal load balancers don't serve HTTP.",
    },
    whole_stack=_check,
)
