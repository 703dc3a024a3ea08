"""The existing network: the subnets, their routes, and other workloads in the VPC."""

from collections.abc import Iterable, Sequence
from typing import Any

from components.network.zones import one_of_each_zone, too_few_zones
from components.settings.schema import known, known_items
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError

EVERYWHERE = "0.0.0.0/0"
WAYS_OUT = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId", "LocalGatewayId", "CoreNetworkArn")
"""The targets of a default route to the internet, other than an internet gateway."""

DNS_ATTRIBUTES = {"enableDnsSupport": "enable-dns-support", "enableDnsHostnames": "enable-dns-hostnames"}
"""The names in the API, and the corresponding CLI options."""

CALLS_NOBODY = ("gateway_load_balancer", "nat_gateway", "network_load_balancer", "vpc_endpoint")
"""The types of network interfaces that don't call AWS services themselves."""
SHOWN = 3
"""The number of interfaces that a message lists."""


def vpc(deployment: Deployment) -> str:
    """The VPC exists."""
    vpc_id = _vpc_id(deployment)
    answer = deployment.aws.find("ec2", "describe_vpcs", VpcIds=[vpc_id])
    if answer is None or not answer["Vpcs"]:
        raise FailedError(f"{vpc_id} does not exist in {deployment.settings.region}", "correct vpcId or aws:region")
    return f"{vpc_id}, {answer['Vpcs'][0]['CidrBlock']}"


def vpc_resolves(deployment: Deployment) -> str:
    """The VPC's DNS resolves private names, which endpoints and file systems need."""
    vpc_id = _vpc_id(deployment)
    off: list[str] = []
    for name in DNS_ATTRIBUTES:
        answer = deployment.aws.read("ec2", "describe_vpc_attribute", VpcId=vpc_id, Attribute=name)
        if not answer[name.replace("enable", "Enable")]["Value"]:
            off.append(name)
    if off:
        raise FailedError(
            f"off in {vpc_id}: {', '.join(off)}; the private DNS names of endpoints and of the file system wouldn't resolve",
            "; ".join(f"aws ec2 modify-vpc-attribute --vpc-id {vpc_id} --{DNS_ATTRIBUTES[name]}" for name in off),
        )
    return "enableDnsSupport and enableDnsHostnames are on"


def subnets(deployment: Deployment) -> str:
    """Every subnet exists, in the VPC."""
    vpc_id, found = _vpc_id(deployment), {subnet["SubnetId"]: subnet for subnet in _subnets(deployment)}
    for key, ids in _named_subnets(deployment):
        absent = [subnet_id for subnet_id in ids if subnet_id not in found]
        if absent:
            raise FailedError(
                f"{key}: {', '.join(absent)} does not exist in {deployment.settings.region}", f"correct {key}"
            )
        foreign = [
            f"{subnet_id} is in {found[subnet_id]['VpcId']}" for subnet_id in ids if found[subnet_id]["VpcId"] != vpc_id
        ]
        if foreign:
            raise FailedError(f"{key}: {', '.join(foreign)}, not in {vpc_id}", f"correct {key} or vpcId")
    return f"{len(found)} subnets in {vpc_id}"


def zones(deployment: Deployment) -> str:
    """The subnets of each kind are in enough Availability Zones, and every subnet is used."""
    found = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in _subnets(deployment)}
    for key, ids in _named_subnets(deployment):
        if ids and (problem := too_few_zones(ids, found)):
            raise FailedError(f"{key}: {problem}", f"name a subnet of another zone in {key}")
    for key, ids in _named_subnets(deployment):
        unused = [
            f"{subnet_id} ({found[subnet_id]})" for subnet_id in ids if subnet_id not in one_of_each_zone(ids, found)
        ]
        if unused:
            raise WarnedError(
                f"{key}: {', '.join(unused)} isn't used: the stack uses the first subnet of each zone",
                f"remove it from {key}, or name it before the other one of its zone",
            )
    return ", ".join(sorted(set(found.values())))


def public_routes(deployment: Deployment) -> str:
    """The public subnets have a route to an internet gateway, through which GitHub reaches the load balancer."""
    if not deployment.settings.network.public_subnet_ids:
        raise NotCheckedError("the deployment creates no load balancer")
    closed = [
        subnet_id
        for subnet_id in known_items(deployment.settings.network.public_subnet_ids)
        if not (_default_route(deployment, subnet_id).get("GatewayId", "")).startswith("igw-")
    ]
    if closed:
        raise FailedError(
            f"publicSubnetIds: {', '.join(closed)} has no default route to an internet gateway, so users and GitHub can't reach "
            "the load balancer",
            f"add a route {EVERYWHERE} to the VPC's internet gateway, or name public subnets",
        )
    return "each has a default route to an internet gateway"


def private_routes(deployment: Deployment) -> str:
    """The private subnets have a route to GitHub and the providers' registries, but not through an internet gateway."""
    for subnet_id in known_items(deployment.settings.network.private_subnet_ids):
        route = _default_route(deployment, subnet_id)
        if not route:
            raise FailedError(
                f"privateSubnetIds: {subnet_id} has no default route, so the task can't reach GitHub and the image",
                f"add a route {EVERYWHERE} to a NAT gateway or a transit gateway",
            )
        if route.get("GatewayId", "").startswith("igw-"):
            raise FailedError(
                f"privateSubnetIds: {subnet_id} has a default route to the internet gateway {route['GatewayId']}; a task without a public "
                "address needs a NAT gateway instead",
                "use a private subnet, or route it through a NAT gateway",
            )
        way = next((route[target] for target in WAYS_OUT if route.get(target)), None)
        if route.get("State") == "blackhole" or way is None:
            raise FailedError(
                f"privateSubnetIds: the default route of {subnet_id} leads nowhere (state {route.get('State')})",
                f"point {EVERYWHERE} at a NAT gateway or a transit gateway that exists",
            )
        if way.startswith("nat-"):
            _nat_gateway_works(deployment, subnet_id, way)
    return "each has a default route to the internet that isn't an internet gateway"


def neighbours(deployment: Deployment) -> str:
    """No other workload in the VPC would use the endpoints that the deployment creates."""
    wanted = deployment.settings.vpc_endpoints
    vpc_id = _vpc_id(deployment)
    if not wanted:
        raise NotCheckedError("no endpoint is created")
    own = deployment.names.security_groups.keys()
    in_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    others = [
        item["NetworkInterfaceId"]
        for item in deployment.aws.read("ec2", "describe_network_interfaces", Filters=in_vpc)["NetworkInterfaces"]
        if item.get("InterfaceType", "interface") not in CALLS_NOBODY
        and not own & {group["GroupName"] for group in item.get("Groups", [])}
    ]
    if others:
        listed = ", ".join(sorted(others)[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
        raise WarnedError(
            f"other workloads use {vpc_id} ({listed}): their calls to {', '.join(wanted)} would use this stack's endpoints, which accept "
            "only credentials of this account, and no anonymous requests to S3",
            "remove vpcEndpoints if the private subnets have a NAT route, or make sure that these workloads use this account's credentials",
        )
    return f"no other workload uses {vpc_id}"


CHECKS = (
    Check("network", "VPC", vpc),
    Check("network", "DNS in the VPC", vpc_resolves, needs=(vpc,)),
    Check("network", "subnets", subnets, needs=(vpc,)),
    Check("network", "zones", zones, needs=(subnets,)),
    Check("network", "other users of the endpoints", neighbours, needs=(vpc,)),
    Check("network", "public subnets", public_routes, needs=(subnets,)),
    Check("network", "private subnets", private_routes, needs=(subnets,)),
)


def route_table_of(deployment: Deployment, subnet_id: str) -> dict[str, Any]:
    """The route table of a subnet: the explicitly associated one, or else the VPC's main route table."""
    in_vpc = [{"Name": "vpc-id", "Values": [_vpc_id(deployment)]}]
    main: dict[str, Any] = {}
    for table in deployment.aws.read("ec2", "describe_route_tables", Filters=in_vpc)["RouteTables"]:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def _vpc_id(deployment: Deployment) -> str:
    if not deployment.settings.network.vpc_id:
        raise NotCheckedError("the deployment creates its own VPC")
    return known(deployment.settings.network.vpc_id)


def _named_subnets(deployment: Deployment) -> tuple[tuple[str, Sequence[str]], ...]:
    return (
        ("publicSubnetIds", known_items(deployment.settings.network.public_subnet_ids)),
        ("privateSubnetIds", known_items(deployment.settings.network.private_subnet_ids)),
    )


def _subnets(deployment: Deployment) -> list[dict[str, Any]]:
    ids = sorted(subnet_id for _, named in _named_subnets(deployment) for subnet_id in named)
    # A filter omits subnets that don't exist. With SubnetIds, AWS would reject the whole call.
    return deployment.aws.read("ec2", "describe_subnets", Filters=[{"Name": "subnet-id", "Values": ids}])["Subnets"]


def _default_route(deployment: Deployment, subnet_id: str) -> dict[str, Any]:
    routes: Iterable[dict[str, Any]] = route_table_of(deployment, subnet_id).get("Routes", [])
    return next((route for route in routes if route.get("DestinationCidrBlock") == EVERYWHERE), {})


def _nat_gateway_works(deployment: Deployment, subnet_id: str, nat_gateway_id: str) -> None:
    gateways = deployment.aws.read(
        "ec2", "describe_nat_gateways", Filter=[{"Name": "nat-gateway-id", "Values": [nat_gateway_id]}]
    )["NatGateways"]
    state = gateways[0]["State"] if gateways else "gone"
    if state != "available":
        raise FailedError(
            f"privateSubnetIds: the default route of {subnet_id} leads to {nat_gateway_id}, which is {state}",
            f"point {EVERYWHERE} at a NAT gateway that is available",
        )
