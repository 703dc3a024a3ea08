"""Passing stacks near cidr-restriction: private addresses, and lists of AWS."""

from typing import Any, Final

from tables import read
from tests.policy.passing_tasks import TASKS
from tests.policy.rows import ACCOUNT, Row, known, one, passing
from tests.policy.servicer import UNKNOWN, Planned

_RANGES: Final = "cidr-restriction/ranges"


def _group(name: str = "edge", **more: Any) -> Planned:
    return one("ec2/securityGroup", name, id=f"sg-{name}", **more)


_BALANCER: Final = one("lb/loadBalancer", "balancer", arn="arn:lb", securityGroups=["sg-edge"])


def _rule(name: str = "rule", /, **source: Any) -> Planned:
    given = {"securityGroupId": "sg-edge", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **source}
    return one("vpc/securityGroupIngressRule", name, **given)


def _open(name: str, group: str, **more: Any) -> Planned:
    """A rule for everyone, in a group that guards no entrance."""
    return _rule(name, securityGroupId=group, cidrIpv4="0.0.0.0/0", **more)


RANGES: Final = (
    passing(_RANGES, "a private range", _group(), _BALANCER, _rule(cidrIpv4="10.1.0.0/16")),
    passing(_RANGES, "unique local addresses", _group(), _BALANCER, _rule(cidrIpv6="fd00:1::/48")),
    passing(
        _RANGES,
        "the range of the VPC, of public addresses",
        one("ec2/vpc", "vpc", cidrBlock="198.18.0.0/16"),
        _group(),
        _BALANCER,
        _rule(cidrIpv4="198.18.0.0/16"),
    ),
    passing(
        _RANGES,
        "IPv6 of the VPC",
        one(
            "ec2/vpc",
            "vpc",
            cidrBlock="10.0.0.0/16",
            assignGeneratedIpv6CidrBlock=True,
            ipv6CidrBlock="2a05:d018:1::/56",
        ),
        _group(),
        _BALANCER,
        _rule(cidrIpv6="2a05:d018:1::/56"),
    ),
    passing(
        _RANGES,
        "a subnet of the VPC",
        one("ec2/subnet", "subnet", cidrBlock="198.51.100.0/24"),
        _group(ingress=[{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["198.51.100.128/25"]}]),
        _BALANCER,
    ),
    passing(
        _RANGES,
        "a second range of the VPC",
        one("ec2/vpcIpv4CidrBlockAssociation", "more", cidrBlock="203.0.0.0/16"),
        _group(),
        _BALANCER,
        _rule(cidrIpv4="203.0.5.0/24"),
    ),
    passing(
        _RANGES,
        "an Elastic IP",
        one("ec2/eip", "nat", publicIp="203.0.113.7"),
        _group(),
        _BALANCER,
        _rule(cidrIpv4="203.0.113.7/32"),
    ),
    passing(
        _RANGES,
        "a NAT gateway",
        one("ec2/natGateway", "nat", publicIp="203.0.113.9"),
        one(
            "ec2/securityGroupRule",
            type="ingress",
            securityGroupId="sg-edge",
            protocol="tcp",
            fromPort=443,
            toPort=443,
            cidrBlocks=["203.0.113.9/32"],
        ),
        _group(),
        _BALANCER,
    ),
    passing(
        _RANGES,
        "an Elastic IP that is created too",
        one("ec2/eip", "nat"),
        _group(),
        _BALANCER,
        known(_rule(cidrIpv4=UNKNOWN), cidrIpv4=("nat",)),
        cidr_restriction={"unknowns": "mandatory"},
    ),
    passing(
        _RANGES,
        "path MTU discovery",
        _group(),
        _BALANCER,
        _rule(cidrIpv4="0.0.0.0/0", ipProtocol="icmp", fromPort=3, toPort=4),
    ),
    passing(
        _RANGES,
        "packet too big",
        _group(),
        _BALANCER,
        _rule(cidrIpv6="::/0", ipProtocol="icmpv6", fromPort=2, toPort=0),
    ),
    passing(
        _RANGES,
        "path MTU discovery, inline",
        _group(ingress=[{"protocol": "1", "fromPort": 3, "toPort": 4, "cidrBlocks": ["0.0.0.0/0"]}]),
        _BALANCER,
    ),
    passing(
        _RANGES,
        "a mail server's group that a separate resource attaches",
        _group("mail"),
        one(
            "ec2/instance",
            "mail-server",
            id="i-1",
            rootBlockDevice={"encrypted": True},
            primaryNetworkInterfaceId="eni-1",
        ),
        known(
            one(
                "ec2/networkInterfaceSecurityGroupAttachment",
                "attach",
                securityGroupId="sg-mail",
                networkInterfaceId=UNKNOWN,
            ),
            networkInterfaceId=("mail-server",),
        ),
        _open("smtp", "sg-mail", fromPort=25, toPort=25),
    ),
    passing(
        _RANGES,
        "a group attached to an interface of another stack",
        _group("mail"),
        one(
            "ec2/networkInterfaceSecurityGroupAttachment",
            "attach",
            securityGroupId="sg-mail",
            networkInterfaceId="eni-9",
        ),
        _open("smtp", "sg-mail", fromPort=25, toPort=25),
    ),
    passing(
        _RANGES,
        "a group of an interface",
        _group("vpn"),
        one("ec2/networkInterface", "interface", securityGroups=["sg-vpn"]),
        _open("tunnel", "sg-vpn", ipProtocol="udp", fromPort=51820, toPort=51820),
    ),
    passing(
        _RANGES,
        "a DNS resolver",
        _group("dns"),
        known(one("route53/resolverEndpoint", "inbound", securityGroupIds=UNKNOWN), securityGroupIds=("dns",)),
        _open("queries", "sg-dns", fromPort=53, toPort=53),
    ),
    *(
        passing(
            "cidr-restriction/prefix-list",
            f"CloudFront's list in {region}",
            _group(),
            _BALANCER,
            _rule(prefixListId=identity),
        )
        for identity, region in read("prefix_lists")["cloudfront_origin_facing"].items()
    ),
    passing(
        "cidr-restriction/prefix-list",
        "the list of a gateway endpoint",
        one("ec2/vpcEndpoint", "s3", prefixListId="pl-6da54004", serviceName="com.amazonaws.eu-west-1.s3"),
        _group(),
        _BALANCER,
        _rule(prefixListId="pl-6da54004"),
    ),
    passing(
        "cidr-restriction/prefix-list",
        "a reviewed list",
        _group(),
        _BALANCER,
        _rule(prefixListId="pl-9"),
        cidr_restriction={"allowedPrefixLists": ["pl-9"]},
    ),
    passing(
        "cidr-restriction/guarded",
        "internal network load balancer",
        one("lb/loadBalancer", loadBalancerType="network", internal=True),
    ),
    passing(
        "cidr-restriction/guarded",
        "guarded network load balancer",
        one("lb/loadBalancer", loadBalancerType="network", securityGroups=["sg-1"]),
    ),
    passing(
        "cidr-restriction/entry",
        "service for named accounts",
        one("ec2/vpcEndpointService", allowedPrincipals=[f"arn:aws:iam::{ACCOUNT}:root"], acceptanceRequired=False),
    ),
)

NETWORK_PASSING: Final[tuple[Row, ...]] = (*RANGES, *TASKS)
