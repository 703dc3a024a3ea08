"""Load balancers and target groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties, as_text


class ElbResource(AwsResource):
    """A resource that is known by its ARN and tagged through it."""

    service = "elbv2"
    tagging: ClassVar = Tagging("ResourceArns", "describe_tags", "add_tags", "remove_tags", "TagDescriptions[0].Tags")
    in_use: ClassVar = names("ResourceInUse ResourceInUseException")


def name_rules(inputs: Properties) -> Iterator[tuple[str, str]]:
    """What load balancers and target groups may be called."""
    name = inputs.get("name", "a")
    if len(name) > 32:
        yield "name", f"{name!r} is {len(name)} characters long; at most 32 are allowed"
    elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", name) or name.startswith("internal-"):
        yield (
            "name",
            f"{name!r}: only letters, digits and hyphens, none at either end, and not internal- at the beginning",
        )


def _value(text: str, like: Any) -> Any:
    if isinstance(like, bool):
        return text == "true"
    return int(text) if isinstance(like, int) and text.lstrip("-").isdigit() else text


class WithAttributes(ElbResource):
    """Attributes are a list of keys and texts in the API, and properties in the SDK."""

    attributes: ClassVar[Mapping[str, tuple[str, Any]]]
    """Property to the attribute's key and the default."""
    parameter: ClassVar[str]
    kind: ClassVar[str]

    def put_attributes(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Those that changed, and that this kind of object has."""
        call = getattr(self.client, f"modify_{self.kind}_attributes")
        known = self._known(identity)
        wanted = [
            {"Key": key, "Value": as_text(default if inputs.get(name) is None else inputs[name])}
            for name, (key, default) in self.attributes.items()
            if name in changed and (inputs.get(name) not in (None, default) or key in known)
        ]
        if wanted:
            call(**{self.parameter: identity}, Attributes=wanted)

    def _known(self, identity: str) -> dict[str, str]:
        call = getattr(self.client, f"describe_{self.kind}_attributes")
        return {item["Key"]: item["Value"] for item in call(**{self.parameter: identity})["Attributes"]}

    def read_attributes(self, identity: str) -> Properties:
        """All that the object has."""
        known = self._known(identity)
        return {name: _value(known[key], default) for name, (key, default) in self.attributes.items() if key in known}


_BALANCER = {
    "enableDeletionProtection": ("deletion_protection.enabled", False),
    "idleTimeout": ("idle_timeout.timeout_seconds", 60),
    "clientKeepAlive": ("client_keep_alive.seconds", 3600),
    "dropInvalidHeaderFields": ("routing.http.drop_invalid_header_fields.enabled", False),
    "preserveHostHeader": ("routing.http.preserve_host_header.enabled", False),
    "enableHttp2": ("routing.http2.enabled", True),
    "enableTlsVersionAndCipherSuiteHeaders": ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", False),
    "enableXffClientPort": ("routing.http.xff_client_port.enabled", False),
    "xffHeaderProcessingMode": ("routing.http.xff_header_processing.mode", "append"),
    "enableWafFailOpen": ("waf.fail_open.enabled", False),
    "enableZonalShift": ("zonal_shift.config.enabled", False),
    "desyncMitigationMode": ("routing.http.desync_mitigation_mode", "defensive"),
}
_LOGS = {"accessLogs": "access_logs", "connectionLogs": "connection_logs"}


class LoadBalancer(WithAttributes):
    """An application load balancer."""

    sdk_name = "aws:lb/loadBalancer:LoadBalancer"
    operation, made = "CreateLoadBalancer", "LoadBalancers[0].LoadBalancerArn"
    described: ClassVar = Call("describe_load_balancers", "LoadBalancerArns", "LoadBalancers[0]")
    deleted: ClassVar = Call("delete_load_balancer", "LoadBalancerArn")
    goes_slowly = True
    listing: ClassVar = Listing("describe_load_balancers", "LoadBalancers[].LoadBalancerArn")
    kind = "load_balancer"
    parameter = "LoadBalancerArn"
    name_limit = 32
    attributes: ClassVar = _BALANCER
    renamed: ClassVar = {"loadBalancerType": "Type"}
    defaults: ClassVar = {
        "loadBalancerType": "application",
        "ipAddressType": "ipv4",
        "internal": False,
        **{name: value for name, (_, value) in _BALANCER.items()},
    }
    handled: ClassVar = frozenset({*_BALANCER, *_LOGS, "internal"})
    in_place: ClassVar = frozenset({*_BALANCER, *_LOGS, "ipAddressType", "securityGroups", "subnets"})
    computed: ClassVar = frozenset({"securityGroups", "subnets"})
    unordered: ClassVar = frozenset({"securityGroups", "subnets"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from name_rules(inputs)
        if inputs.get("loadBalancerType") != "application":
            yield "loadBalancerType", f"{inputs.get('loadBalancerType')!r}: the stand-in carries out application only"
        subnets = inputs.get("subnets")
        if isinstance(subnets, list) and len(set(subnets)) < 2:
            yield "subnets", "an application load balancer needs two subnets in different zones"
        for name, low, high in (("idleTimeout", 1, 4000), ("clientKeepAlive", 60, 604800)):
            value = inputs.get(name)
            if isinstance(value, int) and not low <= value <= high:
                yield name, f"{value} is not allowed: {low} to {high}"
        choices = {
            "desyncMitigationMode": ("monitor", "defensive", "strictest"),
            "xffHeaderProcessingMode": ("append", "preserve", "remove"),
        }
        for name, allowed in choices.items():
            if inputs.get(name, allowed[0]) not in allowed:
                yield name, f"{inputs[name]!r} is not one of {', '.join(allowed)}"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**self.request(inputs), "Scheme": "internal" if inputs.get("internal") else "internet-facing"}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Active first; then what has calls of its own."""
        self.backend.wait(f"state active of {identity}", lambda: self.found(identity)["State"]["Code"] == "active")
        self.put_attributes(identity, inputs, changed)
        logs = [item for name, key in _LOGS.items() if name in changed for item in _log(key, inputs.get(name))]
        if logs:
            self.client.modify_load_balancer_attributes(LoadBalancerArn=identity, Attributes=logs)
        if "securityGroups" in changed and inputs.get("securityGroups"):
            self.client.set_security_groups(LoadBalancerArn=identity, SecurityGroups=inputs["securityGroups"])
        if "subnets" in changed and inputs.get("subnets"):
            self.client.set_subnets(LoadBalancerArn=identity, Subnets=inputs["subnets"])
        if "ipAddressType" in changed and self.found(identity).get("IpAddressType") != inputs["ipAddressType"]:
            self.client.set_ip_address_type(LoadBalancerArn=identity, IpAddressType=inputs["ipAddressType"])
        if "tags" in changed:
            self.retag(identity, inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        balancer = self.found(identity)
        found = {**self.properties(balancer, "dnsName", "vpcId"), **self.read_attributes(identity)}
        found |= {"name": balancer["LoadBalancerName"], "arn": identity, "zoneId": balancer["CanonicalHostedZoneId"]}
        found["arnSuffix"] = identity.partition("loadbalancer/")[2]
        found["internal"] = balancer["Scheme"] == "internal"
        found["loadBalancerType"] = balancer["Type"]
        found["subnets"] = [zone["SubnetId"] for zone in balancer.get("AvailabilityZones", [])]
        known = self._known(identity)
        for name, key in _LOGS.items():
            if known.get(f"{key}.s3.enabled") == "true":
                bucket, prefix = known.get(f"{key}.s3.bucket", ""), known.get(f"{key}.s3.prefix", "")
                found[name] = {"enabled": True, "bucket": bucket, **({"prefix": prefix} if prefix else {})}
        return {**found, "tags": self.tags_of(identity)}


def _log(key: str, wanted: Mapping[str, Any] | None) -> list[dict[str, str]]:
    if not wanted or not wanted.get("enabled"):
        return [{"Key": f"{key}.s3.enabled", "Value": "false"}]
    values = {"enabled": "true", "bucket": wanted["bucket"], "prefix": wanted.get("prefix", "")}
    return [{"Key": f"{key}.s3.{name}", "Value": value} for name, value in values.items()]
