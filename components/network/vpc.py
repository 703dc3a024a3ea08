"""The VPC of the stack: an existing one, looked up and validated, or a new one through awsx."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from ..context import Context
from ..logs.flow_logs import FlowLogs
from ..outputs import declared_outputs
from ..settings.schema import known, known_items
from ..settings.values import contains_output
from .zones import ZONES, one_of_each_zone, too_few_zones


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vpc:
    """The values of a VPC that other components need. The lengths of the lists are known before the deployment."""

    id: pulumi.Input[str]
    public_subnet_ids: Sequence[pulumi.Input[str]]
    private_subnets: Mapping[str, pulumi.Input[str]]
    """One for each zone: by the zone's name, or by a number in a new VPC."""
    private_route_table_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    cidr_blocks: Sequence[str] = ()
    """The IPv4 ranges of an existing VPC, with its other workloads; empty unless requested."""

    @property
    def private_subnet_ids(self) -> Sequence[pulumi.Input[str]]:
        """One for each zone."""
        return list(self.private_subnets.values())


def existing_vpc(
    vpc_id: str,
    public_subnet_ids: Sequence[str],
    private_subnet_ids: Sequence[str],
    others: Mapping[str, Sequence[str]],
    *,
    with_cidr_blocks: bool,
    parent: pulumi.Resource,
) -> Vpc:
    """The VPC `vpc_id` with these subnets, and with `others`, by their setting.

    Looked up immediately, not as outputs, so that a wrong setting fails the run before any resource is registered.

    Raises:
        pulumi.RunError: a subnet belongs to another VPC, or all subnets of a kind are in one zone.
    """
    invoke = pulumi.InvokeOptions(parent=parent)
    problems: list[str] = []
    zones: dict[str, str] = {}
    kinds = {"publicSubnetIds": public_subnet_ids, "privateSubnetIds": private_subnet_ids}
    for key, subnet_ids in (kinds | dict(others)).items():
        for subnet_id in subnet_ids:
            subnet = aws.ec2.get_subnet(id=subnet_id, opts=invoke)
            zones[subnet_id] = subnet.availability_zone
            if subnet.vpc_id != vpc_id:
                problems.append(f"atlantis:{key}: {subnet_id} is of {subnet.vpc_id}, not of atlantis:vpcId = {vpc_id}")
        # Without a load balancer that it creates, the stack has no public subnets.
        if key in kinds and subnet_ids and (problem := too_few_zones(subnet_ids, zones)):
            problems.append(f"atlantis:{key}: {problem}")
    if problems:
        raise pulumi.RunError(
            "The network's settings don't fit what exists; nothing was touched:\n  - " + "\n  - ".join(problems)
        )
    return Vpc(
        id=vpc_id,
        public_subnet_ids=one_of_each_zone(public_subnet_ids, zones),
        private_subnets={zones[subnet]: subnet for subnet in one_of_each_zone(private_subnet_ids, zones)},
        private_route_table_ids=_route_tables(vpc_id, private_subnet_ids, invoke),
        cidr_blocks=_cidr_blocks(vpc_id, invoke) if with_cidr_blocks else (),
    )


def vpc_of_outputs(
    vpc_id: pulumi.Input[str],
    public_subnet_ids: Sequence[pulumi.Input[str]],
    private_subnet_ids: Sequence[pulumi.Input[str]],
    *,
    parent: pulumi.Resource,
) -> Vpc:
    """The VPC of another resource of the program, whose IDs may not be known before the deployment.

    The subnets are looked up and validated when their IDs are known, before a resource uses one. Their zones aren't known
    earlier, so each needs a separate zone, and the mount targets have the subnets' positions in their names.
    """
    kinds = {"publicSubnetIds": public_subnet_ids, "privateSubnetIds": private_subnet_ids}
    ids = [subnet_id for subnet_ids in kinds.values() for subnet_id in subnet_ids]
    keys = [key for key, subnet_ids in kinds.items() for _ in subnet_ids]
    known = pulumi.Output.all(vpc_id, *ids).apply(functools.partial(_looked_up, keys, parent))
    subnets = [known[number] for number in range(1, len(ids) + 1)]
    public, private = subnets[: len(public_subnet_ids)], subnets[len(public_subnet_ids) :]
    return Vpc(
        id=known[0],
        public_subnet_ids=public,
        private_subnets={str(number): subnet for number, subnet in enumerate(private, start=1)},
        private_route_table_ids=[],
    )


def _looked_up(keys: Sequence[str], parent: pulumi.Resource, known: Sequence[str]) -> list[str]:
    """The ID of the VPC, and those of its subnets, looked up. `keys`: the setting of each subnet.

    The lookup isn't a separate output: the engine leaves such a lookup unknown, also in an update, if the language host for YAML
    has registered the VPC as a component, and everything would be created without a VPC and subnets.

    Raises:
        pulumi.RunError: a subnet belongs to another VPC, is listed twice, or shares its zone with another of its kind.
    """
    vpc_id, *ids = known
    options = pulumi.InvokeOptions(parent=parent)
    found = [aws.ec2.get_subnet(id=subnet_id, opts=options) for subnet_id in ids]
    problems = [
        f"{key}: {subnet_id} is of {subnet.vpc_id}, not of vpcId = {vpc_id}"
        for key, subnet_id, subnet in zip(keys, ids, found, strict=True)
        if subnet.vpc_id != vpc_id
    ]
    problems += [f"{subnet_id} is listed twice" for subnet_id in sorted({item for item in ids if ids.count(item) > 1})]
    placed = [(key, subnet.availability_zone) for key, subnet in zip(keys, found, strict=True)]
    problems += [
        f"{key}: {placed.count((key, zone))} subnets are in {zone}; list one for each zone"
        for key, zone in sorted({place for place in placed if placed.count(place) > 1})
    ]
    if problems:
        raise pulumi.RunError(
            "The network's settings don't fit what exists; nothing that depends on them was changed:\n  - "
            + "\n  - ".join(problems)
        )
    return [vpc_id, *ids]


def _cidr_blocks(vpc_id: str, invoke: pulumi.InvokeOptions) -> list[str]:
    associations = aws.ec2.get_vpc(id=vpc_id, opts=invoke).cidr_block_associations
    return sorted(item.cidr_block for item in associations if item.state == "associated")


def _route_tables(vpc_id: str, subnet_ids: Sequence[str], invoke: pulumi.InvokeOptions) -> list[str]:
    """The route tables of the subnets. A subnet without an association uses the VPC's main route table."""
    tables: set[str] = set()
    for subnet_id in subnet_ids:
        tables |= set(
            aws.ec2.get_route_tables(
                vpc_id=vpc_id, filters=[{"name": "association.subnet-id", "values": [subnet_id]}], opts=invoke
            ).ids
            or aws.ec2.get_route_tables(
                vpc_id=vpc_id, filters=[{"name": "association.main", "values": ["true"]}], opts=invoke
            ).ids
        )
    return sorted(tables)


def _associated_with(subnet_ids: Sequence[str]) -> list[aws.ec2.GetRouteTablesFilterArgs]:
    return [aws.ec2.GetRouteTablesFilterArgs(name="association.subnet-id", values=subnet_ids)]


def _without_public_addresses(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Don't assign public addresses automatically in public subnets. awsx has no setting for it."""
    if args.type_ != "aws:ec2/subnet:Subnet" or not args.props.get("mapPublicIpOnLaunch"):
        return None
    return pulumi.ResourceTransformResult(props={**args.props, "mapPublicIpOnLaunch": False}, opts=args.opts)


class NewVpc(pulumi.ComponentResource):
    """A VPC that the stack creates, available as a `Vpc`: public and private subnets in two zones, and one NAT gateway."""

    vpc_id: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:NewVpc", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._vpc = awsx.ec2.Vpc(
            name,
            cidr_block=context.settings.network.vpc_cidr_block,
            number_of_availability_zones=ZONES,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=awsx.ec2.NatGatewayStrategy.SINGLE),
            subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
            subnet_specs=[
                awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PUBLIC),
                awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PRIVATE),
            ],
            tags=context.tags | {"Name": context.names.base},
            opts=pulumi.ResourceOptions(parent=self, transforms=[_without_public_addresses]),
        )
        self.vpc_id = self._vpc.vpc_id
        self.public_subnet_ids = self._vpc.public_subnet_ids
        self.private_subnet_ids = self._vpc.private_subnet_ids
        # A VPC's default security group allows traffic between its members. Without rules, it allows none.
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=self.vpc_id, tags=context.tags, opts=child)
        FlowLogs(f"{name}-flow", context, self.vpc_id, child)
        self.register_outputs(declared_outputs(self))

    @property
    def vpc(self) -> Vpc:
        """The VPC's values for other components."""
        after_vpc = pulumi.InvokeOutputOptions(parent=self, depends_on=[self._vpc])
        private = [self.private_subnet_ids[zone] for zone in range(ZONES)]
        return Vpc(
            id=self.vpc_id,
            public_subnet_ids=[self.public_subnet_ids[zone] for zone in range(ZONES)],
            private_subnets={str(number): subnet for number, subnet in enumerate(private, start=1)},
            # A list that may be empty, not a table by subnet: if a run failed before it created the associations, the next
            # preview finds none.
            private_route_table_ids=aws.ec2.get_route_tables_output(
                vpc_id=self.vpc_id,
                filters=self.private_subnet_ids.apply(_associated_with),
                opts=after_vpc,
            ).ids,
        )


def vpc_of(context: Context, name: str, opts: pulumi.ResourceOptions, *, parent: pulumi.Resource) -> Vpc:
    """The VPC that the settings name, or a new one, the component `name` with `opts`.

    Raises:
        pulumi.RunError: the named VPC or its subnets don't fit.
    """
    network = context.settings.network
    if network.vpc_id is None:
        return NewVpc(name, context, opts).vpc
    if contains_output((network.vpc_id, *network.public_subnet_ids, *network.private_subnet_ids)):
        return vpc_of_outputs(network.vpc_id, network.public_subnet_ids, network.private_subnet_ids, parent=parent)
    of_workers = {f"{group.role}WorkerSubnetIds": group.subnet_ids for group in context.settings.worker_groups}
    return existing_vpc(
        known(network.vpc_id),
        known_items(network.public_subnet_ids),
        known_items(network.private_subnet_ids),
        {key: [subnet for subnet in subnets if isinstance(subnet, str)] for key, subnets in of_workers.items()},
        with_cidr_blocks=bool(network.endpoints),
        parent=parent,
    )
