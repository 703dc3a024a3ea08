"""Rules for the VPC, the proxy and the certificate authorities."""

import ipaddress
from collections.abc import Iterator

from ..accepted import AUTO_ENDPOINTS
from ..arguments import Settings
from ..outbound import CERTIFICATE_VARIABLES, PROXY_VARIABLES
from ..problem import Problem, Rule
from ..schema import is_default
from ..values import contains_output


def _vpc(settings: Settings) -> Iterator[Problem]:
    network = settings.network
    ids = {
        "vpcId": network.vpc_id,
        "publicSubnetIds": network.public_subnet_ids,
        "privateSubnetIds": network.private_subnet_ids,
    }
    if settings.existing.https_listener_arn is not None or not settings.ingress.has_load_balancer:
        if network.public_subnet_ids:
            yield Problem(
                {"publicSubnetIds": list(network.public_subnet_ids)},
                "are the subnets of a load balancer that the stack creates; remove them",
            )
        del ids["publicSubnetIds"]
    present = [key for key, value in ids.items() if value]
    if present and len(present) < len(ids):
        missing = ", ".join(key for key in ids if key not in present)
        yield Problem(
            dict.fromkeys(present),
            f"also requires {missing}; set all of them for an existing VPC, or none for a new one",
        )
        return
    for key in (key for key in ids if present and key != "vpcId"):
        if len(subnets := list(ids[key] or ())) < 2:
            yield Problem({key: subnets}, "must list at least two subnets, in different Availability Zones")
    # Two subnets that become known later are compared in network/vpc.py.
    both = [subnet for subnet in network.public_subnet_ids if subnet in network.private_subnet_ids]
    for subnet in sorted(subnet for subnet in both if isinstance(subnet, str)):
        keys = {"publicSubnetIds": None, "privateSubnetIds": None}
        yield Problem(
            keys, f"{subnet} is in both lists; the task requires private subnets, without a route from the internet"
        )


def _endpoints(settings: Settings) -> Iterator[Problem]:
    network = settings.network
    named = list(network.vpc_endpoints)
    if AUTO_ENDPOINTS in named and len(named) > 1:
        yield Problem(
            {"vpcEndpoints": named},
            "auto can't be combined with endpoint names; list the endpoints without auto, or remove the setting",
        )
    existing = (network.vpc_id, *network.public_subnet_ids, *network.private_subnet_ids)
    if named and AUTO_ENDPOINTS not in named and contains_output(existing):
        yield Problem(
            {"vpcEndpoints": named},
            "requires a vpcId and subnet IDs that are known before the deployment, because the endpoints' security group has a rule "
            "for each range of the VPC; use auto or [], and create the endpoints next to the VPC",
        )


_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918. AWS recommends these ranges, and the other private ones have a purpose, such as 169.254.0.0/16."""


def _new_vpc(settings: Settings) -> Iterator[Problem]:
    block = ipaddress.ip_network(settings.network.vpc_cidr_block)
    if block.version != 4 or not 16 <= block.prefixlen <= 22:
        yield Problem({"vpcCidrBlock": str(block)}, "must be an IPv4 CIDR block from /16 to /22")
    elif not any(block.subnet_of(private) for private in _PRIVATE):
        listed = ", ".join(map(str, _PRIVATE))
        yield Problem({"vpcCidrBlock": str(block)}, f"must be a private CIDR block in {listed}, such as 10.64.0.0/16")
    elif settings.network.vpc_id is not None and not is_default(settings.network, "vpc_cidr_block"):
        yield Problem(
            {"vpcCidrBlock": str(block), "vpcId": None},
            "is the range of a new VPC; remove it, or remove vpcId to create one",
        )


def _no_proxy(settings: Settings) -> Iterator[Problem]:
    outbound = settings.outbound
    if outbound.no_proxy and not outbound.proxies:
        yield Problem({"noProxy": list(outbound.no_proxy)}, "applies only with httpProxy or httpsProxy; remove it")


def _set_twice(settings: Settings) -> Iterator[Problem]:
    """Variables of workflows that would have two values."""
    own, configuration = settings.outbound, settings.configuration
    taken = {
        **(dict.fromkeys(CERTIFICATE_VARIABLES, "caCertificates") if own.ca_certificates is not None else {}),
        **(dict.fromkeys(PROXY_VARIABLES, " and ".join(own.proxies)) if own.proxies else {}),
    }
    names = {
        "environmentVariables": list(configuration.environment_variables),
        "secretEnvironment": [reference.split("=", 1)[0] for reference in configuration.secret_environment],
    }
    for key, found in names.items():
        for name in found:
            # curl reads some of them in lower case only, the others read both.
            if by := taken.get(name.upper()):
                yield Problem({key: name}, f"is set by {by}; remove it")


RULES: tuple[Rule, ...] = (
    _vpc,
    _endpoints,
    _new_vpc,
    _no_proxy,
    _set_twice,
)
