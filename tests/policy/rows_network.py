"""Verdicts on who reaches what: groups, entrances, addresses, endpoints."""

import base64
from typing import Any, Final

from tests.policy.rows import ACCOUNT, Row, allow, deny, document, found, one, passes
from tests.policy.servicer import UNKNOWN, Planned

_WORLD: Final = "0.0.0.0/0"
_INSIDE: Final = "10.1.0.0/16"


def _group(name: str = "group", identity: str = "sg-1", **properties: Any) -> Planned:
    return one("ec2/securityGroup", name, id=identity, **properties)


def _rule(name: str = "rule", group: str = "sg-1", **properties: Any) -> Planned:
    given = {"securityGroupId": group, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **properties}
    return one("vpc/securityGroupIngressRule", name, **given)


def _reads(canonical: str, path: str, value: Any, name: str = "user") -> Planned:
    """A resource whose property was computed from the group."""
    return Planned(f"aws:{canonical}:It", name, {path: value}, {path: ("group",)})


def _opened(label: str, expected: bool, *users: Planned, **rule: Any) -> Row:
    """A group open to the world, with these users."""
    resources = (_group(), _rule(**{"cidrIpv4": _WORLD, **rule}), *users)
    return (found if expected else passes)("cidr-restriction/ranges", label, *resources)


_CLUSTER_SCRIPT: Final = base64.b64encode(b"#!/bin/bash\necho ECS_CLUSTER=app >> /etc/ecs/ecs.config\n").decode()
_NETWORK: Final = {"securityGroups": ["sg-1"], "subnets": ["subnet-1"]}

CIDR: Final[tuple[Row, ...]] = (
    _opened("group that nobody uses", True),
    _opened("group of a parameter only", True, _reads("ssm/parameter", "value", UNKNOWN)),
    _opened("group of a function's variable only", True, _reads("lambda/function", "environment", UNKNOWN)),
    _opened("group of a database", False, _reads("rds/instance", "vpcSecurityGroupIds", [UNKNOWN])),
    _opened("group of a function", False, _reads("lambda/function", "vpcConfig", UNKNOWN)),
    _opened(
        *("group of a database and a parameter", False),
        *(
            _reads("rds/instance", "vpcSecurityGroupIds", [UNKNOWN]),
            _reads("ssm/parameter", "value", UNKNOWN, "parameter"),
        ),
    ),
    _opened(
        *("second group of a load balancer", True, one("rds/instance", "database", vpcSecurityGroupIds=["sg-1"])),
        one("lb/loadBalancer", securityGroups=[UNKNOWN, "sg-1"]),
    ),
    _opened("group of a load balancer", True, _reads("lb/loadBalancer", "securityGroups", [UNKNOWN])),
    _opened("group of a plain instance", False, one("ec2/instance", vpcSecurityGroupIds=["sg-1"])),
    _opened(
        "group of an instance with tasks",
        True,
        one("ec2/instance", vpcSecurityGroupIds=["sg-1"], userData=_CLUSTER_SCRIPT),
    ),
    _opened(
        *("group of a template with tasks", True),
        one("ec2/launchTemplate", vpcSecurityGroupIds=["sg-1"], userData=_CLUSTER_SCRIPT),
    ),
    *(
        _opened(
            *(f"group of an interface in a template with {script}", expected),
            one("ec2/launchTemplate", networkInterfaces=[{"securityGroups": ["sg-1"]}], userData=script),
        )
        for script, expected in ((_CLUSTER_SCRIPT, True), ("echo hello", False))
    ),
    _opened(
        *("group of a capacity provider", True),
        one("ec2/launchTemplate", "template", id="lt-1", vpcSecurityGroupIds=["sg-1"]),
        one("autoscaling/group", "instances", arn="arn:asg", launchTemplate={"id": "lt-1"}),
        one("ecs/capacityProvider", "provider", autoScalingGroupProvider={"autoScalingGroupArn": "arn:asg"}),
    ),
    _opened(
        *("group of instances without tasks", False),
        one("ec2/launchTemplate", "template", id="lt-1", vpcSecurityGroupIds=["sg-1"]),
        one("autoscaling/group", "instances", arn="arn:asg", launchTemplate={"id": "lt-1"}),
    ),
    _opened(
        "group of an event's tasks", True, one("cloudwatch/eventTarget", ecsTarget={"networkConfiguration": _NETWORK})
    ),
    _opened(
        *("group of a schedule's tasks", True),
        one("scheduler/schedule", target={"ecsParameters": {"networkConfiguration": _NETWORK}}),
    ),
    _opened(
        "closed group of a load balancer", False, one("lb/loadBalancer", securityGroups=["sg-1"]), cidrIpv4=_INSIDE
    ),
    _opened("UDP to a load balancer", True, one("lb/loadBalancer", securityGroups=["sg-1"]), ipProtocol="udp"),
    *(
        (found if expected else passes)(
            *("cidr-restriction/ranges", f"group that a load balancer lets in, {label}"),
            *(_group(), _group("proxy", "sg-2"), one("lb/loadBalancer", securityGroups=["sg-1"])),
            *(one("ec2/instance", "host", vpcSecurityGroupIds=["sg-2"]), _rule(referencedSecurityGroupId="sg-2")),
            _rule("proxied", "sg-2", cidrIpv4=source),
        )
        for label, expected, source in (("open", True, _WORLD), ("closed", False, _INSIDE))
    ),
    found(
        *("cidr-restriction/ranges", "group behind two others"),
        *(_group(), _group("proxy", "sg-2"), _group("edge", "sg-3"), one("lb/loadBalancer", securityGroups=["sg-1"])),
        *(_rule(referencedSecurityGroupId="sg-2"), _rule("second", "sg-2", referencedSecurityGroupId="sg-3")),
        *(_rule("third", "sg-3", cidrIpv4=_WORLD), one("ec2/instance", "host", vpcSecurityGroupIds=["sg-2", "sg-3"])),
    ),
)


def _link(api: Planned, *more: Planned, version: str = "apigateway") -> tuple[Planned, ...]:
    if version == "apigatewayv2":
        integration = one(f"{version}/integration", "integration", connectionType="VPC_LINK", connectionId="vl-1")
        return (one(f"{version}/vpcLink", "link", id="vl-1", securityGroupIds=["sg-1"]), integration, api, *more)
    integration = one(f"{version}/integration", "integration", connectionId="vl-1", restApi="api-1")
    return (one(f"{version}/vpcLink", "link", id="vl-1", targetArn="arn:nlb"), integration, api, *more)


def _api(**properties: Any) -> Planned:
    return one("apigateway/restApi", "api", id="api-1", **properties)


def _entry(label: str, expected: bool, *resources: Planned) -> Row:
    return (found if expected else passes)("cidr-restriction/entry", label, *resources)


def _from(*ranges: str) -> str:
    return document(allow(Principal="*", Condition={"IpAddress": {"aws:SourceIp": list(ranges)}}))


_ELSEWHERE: Final = document(
    allow(Principal="*"), deny(Principal="*", Condition={"NotIpAddress": {"aws:SourceIp": [_INSIDE]}})
)

ENTRIES: Final[tuple[Row, ...]] = (
    _entry("HTTP API", True, *_link(one("apigatewayv2/api", "api"), version="apigatewayv2")),
    _entry("VPC link without integration", False, one("apigatewayv2/vpcLink", "link", id="vl-1")),
    _entry("REST API", True, *_link(_api())),
    _entry("REST API of addresses", False, *_link(_api(policy=_from(_INSIDE)))),
    _entry("REST API of wide addresses", True, *_link(_api(policy=_from(_INSIDE, "8.0.0.0/8")))),
    _entry("REST API denied to other addresses", False, *_link(_api(policy=_ELSEWHERE))),
    _entry("private REST API", False, *_link(_api(endpointConfiguration={"types": "PRIVATE"}))),
    _entry(
        *("REST API with a separate policy", False),
        *_link(_api(), one("apigateway/restApiPolicy", "policy", restApiId="api-1", policy=_from(_INSIDE))),
    ),
    _entry("VPC origin", True, one("cloudfront/vpcOrigin", "origin", id="vo-1")),
    _entry(
        *("VPC origin behind a web ACL", False),
        one("cloudfront/vpcOrigin", "origin", id="vo-1"),
        Planned(
            *("aws:cloudfront/distribution:Distribution", "site", {"webAclId": "arn:acl", "origins": UNKNOWN}),
            {"origins": ("origin",)},
        ),
    ),
    _entry(
        "endpoint service of everybody",
        True,
        one("ec2/vpcEndpointService", allowedPrincipals=["*"], acceptanceRequired=False),
    ),
    _entry(
        "endpoint service that accepts",
        False,
        one("ec2/vpcEndpointService", allowedPrincipals=["*"], acceptanceRequired=True),
    ),
    _entry(
        *("endpoint service of an account", False),
        one("ec2/vpcEndpointService", allowedPrincipals=[f"arn:aws:iam::{ACCOUNT}:root"], acceptanceRequired=False),
    ),
    *(
        (found if expected else passes)(
            *("cidr-restriction/guarded", f"PrivateLink {label} the groups"),
            one(
                *("lb/loadBalancer", "nlb"),
                arn="arn:nlb",
                loadBalancerType="network",
                internal=True,
                enforceSecurityGroupInboundRulesOnPrivateLinkTraffic=enforced,
            ),
            one("ec2/vpcEndpointService", "service", networkLoadBalancerArns=["arn:nlb"], acceptanceRequired=True),
        )
        for label, expected, enforced in (("past", True, "off"), ("through", False, "on"))
    ),
)


def _port(label: str, expected: bool, **rule: Any) -> Row:
    resource = one("vpc/securityGroupIngressRule", **{"cidrIpv4": _WORLD, **rule})
    return (found if expected else passes)("public-exposure/open-port", label, resource)


_PORTS: Final = (110, 135, 143, 445, 1434, 3000, 4333, 5000, 5500, 5601, 8080, 8088, 8888, 9300)

EXPOSURE: Final[tuple[Row, ...]] = (
    *(_port(f"port {port}", True, ipProtocol="tcp", fromPort=port, toPort=port) for port in _PORTS),
    _port("UDP of a closed port", False, ipProtocol="udp", fromPort=3000, toPort=3000),
    _port("UDP by number", False, ipProtocol="17", fromPort=1434, toPort=1434),
    _port("ICMP", False, ipProtocol="icmp", fromPort=-1, toPort=-1),
    _port("TCP by number", True, ipProtocol="6", fromPort=22, toPort=22),
    _port("everything", True, ipProtocol="-1"),
    _port("HTTPS", False, ipProtocol="tcp", fromPort=443, toPort=443),
    found(
        *("public-exposure/open-port", "second rule"),
        one(
            "ec2/securityGroup",
            ingress=[
                {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": [_WORLD]} for port in (443, 22)
            ],
        ),
    ),
    _port("range over a closed port", True, ipProtocol="tcp", fromPort=4000, toPort=5000),
)

NETWORK_ROWS: Final[tuple[Row, ...]] = (*CIDR, *ENTRIES, *EXPOSURE)
